"""What a machine is made of, in bits: the widths that events are counted in and area is summed over."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .components import kind_of
from .engines import log2, reduction_bits
from .operation import descriptor_words
from .params import Array

__all__ = ["Number", "Structure", "reduction_bits"]


class Number(StrEnum):
    """How a MAC array writes a scalar; a lookup array is always INT8."""

    INT8 = "int8"
    FP16 = "fp16"
    FP32 = "fp32"

    @property
    def bits(self) -> int:
        """Bits of one scalar in memories and on streams."""
        return {Number.INT8: 8, Number.FP16: 16, Number.FP32: 32}[self]


@dataclass(frozen=True)
class Structure:
    """Widths and register counts of one machine."""

    array: Array
    number: Number = Number.INT8

    def __post_init__(self) -> None:
        if self.array.is_lookup and self.number is not Number.INT8:
            raise ValueError(f"a lookup array must compute in int8, not {self.number}")

    def kind(self, component: str) -> str:
        """What a component is one of: the engine's; of a lookup machine's encoders also the metric, ``lookup-l2``."""
        return kind_of(self.array.engine, self.array.metric, component)

    @property
    def is_float(self) -> bool:
        """Whether the cells multiply floating-point numbers."""
        return self.number is not Number.INT8

    @cached_property
    def index_bits(self) -> int:
        """Bits of an index, or of what takes its place."""
        return self.number.bits if self.is_float else self.array.cell.symbol_bits(self.array)

    @cached_property
    def cell_bits(self) -> int:
        """Bits of a cell's table word."""
        return self.number.bits if self.is_float else self.array.cell_bits

    @cached_property
    def term_bits(self) -> int:
        """Bits that a cell hands to the adder tree: a table entry, an exact product, a rounded FP one."""
        return self.number.bits if self.is_float else self.array.cell.term_bits(self.array)

    @cached_property
    def tree_bits(self) -> int:
        """Bits of the adder tree's sum."""
        return self.term_bits if self.is_float else self.term_bits + log2(self.array.rows)

    @cached_property
    def accumulator_bits(self) -> int:
        """Bits that hold the sum of the longest layer without overflow; FP32 in a floating-point machine."""
        return 32 if self.is_float else self.array.cell.accumulator_bits(self.array)

    @cached_property
    def index_word_bits(self) -> int:
        """Bits of one index word: one index for each row."""
        return self.array.rows * self.index_bits

    @cached_property
    def accumulator_word_bits(self) -> int:
        """Bits of one accumulator word: one sum for each column, and what stands beside them."""
        return self.array.columns * self.accumulator_bits + self.array.cell.lane_bits(self.array)

    @cached_property
    def word_bits(self) -> int:
        """Bits of one word of activation memory."""
        return self.array.word * self.number.bits

    @cached_property
    def table_word_bits(self) -> int:
        """Bits of one word of table memory."""
        if self.is_float:
            return self.array.fill * self.array.columns * self.cell_bits
        return 8 * self.array.beat_bytes

    @cached_property
    def beat_bits(self) -> int:
        """Bits of one word of codebook memory; 0 where there is none."""
        return self.array.codebook_bytes * 8

    @cached_property
    def encode_registers(self) -> int:
        """Register bits that one sub-vector (or scalar) passes on its way to the index memory."""
        return self.number.bits if self.is_float else self.array.cell.encode_registers(self.array)

    @cached_property
    def issue_registers(self) -> int:
        """Register bits that one issued row passes before the accumulators: operands or cells, adder tree."""
        if self.is_float:
            return self.index_word_bits + self.array.columns * 3 * self.tree_bits
        return self.array.cell.issue_registers(self.array)

    @cached_property
    def accumulator_registers(self) -> int:
        """Register bits of the accumulators: the sum that was read, and their outputs."""
        return self.array.columns * 2 * self.accumulator_bits

    @cached_property
    def finish_registers(self) -> int:
        """Register bits that one output passes: biased sum and factor; partial products and shift; product and shift;
        what the first step of the shift leaves, and the second's places; shifted; result; output buffer.
        """
        if self.is_float:
            return 32 + 2 * self.number.bits
        return 33 + 16 + 34 + 33 + 6 + 49 + 6 + 19 + 3 + 10 + 8 + 8

    @cached_property
    def control_registers(self) -> int:
        """Register bits of the program's control, clocked in every cycle: the walkers' counters."""
        array = self.array
        counters = sum(map(log2, (array.block_rows, array.index_words, array.codebooks, array.rows + 1, 2**16)))
        return 4 * counters

    @cached_property
    def settings_registers(self) -> int:
        """Register bits that hold the operation under way and the next one; clocked once for each operation."""
        return 2 * 32 * descriptor_words(self.array)

    @cached_property
    def gather_registers(self) -> int:
        """Register bits between addresses and sub-vectors, of every lane: its address and that in a bank; the word
        read, the word by lane and the word arranged.
        """
        array = self.array
        return array.lanes * (2 * log2(array.activation_words) + 3 * self.word_bits)

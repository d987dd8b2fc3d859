"""What a machine is made of, in bits: the widths that events are counted in and area is summed over."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .components import kind_of
from .engines import log2, reduction_bits
from .operation import descriptor_words
from .params import Array
from .schedule import Pipeline
from .whole import most, up

__all__ = ["Number", "Structure", "reduction_bits"]

WINDOW_BITS = 32 + 4 * 8 + 8  # its base, its bounds in both directions, valid and last
FLAGS = 100                   # single bits that go beside data, and the place of an error


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
        """Bits that hold the sum of the longest layer, or of a pool, without overflow; FP32 in a float machine."""
        return 32 if self.is_float else most(self.array.cell.accumulator_bits(self.array),
                                             8 + log2(self.array.pool_lanes))

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
    def add_registers(self) -> int:
        """Register bits that one output passes in the add stage: own and residual product, sum, two steps of the shift,
        result.
        """
        return 3 * 32 if self.is_float else 2 * 25 + 26 + 19 + 10 + 8

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
    def address_bits(self) -> int:
        """Bits of a lane's address: those of the memory, or of the operation's offsets, and whether it lies beyond."""
        return most(log2(self.array.activation_words), 16) + 1

    @cached_property
    def lane_registers(self) -> int:
        """Register bits of all lanes that a fed row passes, whatever lanes it names: whether each is read; its word."""
        return self.array.lanes * (1 + self.word_bits)

    @cached_property
    def gather_always(self) -> int:
        """Register bits of the window former without a clock gate: lanes' banks, rows of banks, the window's bounds."""
        array, row = self.array, log2(up(self.array.activation_words, self.array.banks))
        return array.lanes * 3 * (log2(array.banks) + 1) + array.banks * (row + 1) + WINDOW_BITS

    @cached_property
    def gather_registers(self) -> int:
        """Register bits between windows and the words of their lanes."""
        return self.gather_always + self.array.lanes * (self.address_bits + 1 + self.word_bits)

    @cached_property
    def way_always(self) -> int:
        """Register bits between the parts, which no clock gate stops: words of tables and indices on their way to the
        cells (a vector machine's have none), words that were gathered, a residual, a beat that is loaded; and beside
        them, stage by stage, where a result, a symbol and a sum belong.
        """
        array, stages = self.array, Pipeline(self.array)
        words = 0 if array.cell.vector else self.table_word_bits + self.index_word_bits
        words = words + array.banks * self.word_bits + 2 * array.columns * self.number.bits
        place = (stages.fetch + stages.encode) * (log2(2 * array.index_words) + log2(array.slots) + 2)
        row = (stages.fetch + stages.tree + 1) * (log2(array.block_rows) + 3)
        return words + (stages.add + 4) * 32 + place + row + FLAGS

    @cached_property
    def way_registers(self) -> int:
        """All of them: also the words that are written."""
        return self.way_always + self.array.beat_words * self.word_bits

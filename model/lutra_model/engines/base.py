"""What a machine must know of its kind of encoder and cell: widths, stages, registers, events, area."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..whole import deep_bits, least, log2, most, peak, reduction_bits, up

if TYPE_CHECKING:
    from ..codings import Coding
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["Counts", "Draw", "Engine", "Example", "Parts", "deep_bits", "log2", "over_tiles", "rectangles",
           "reduction_bits"]

Counts = dict[str, int]  # events by their names in `lutra_model.events.Events`
Parts = dict[str, float]  # bits of add, mux, compare and register; products of 8 x 8 bits of multiply


class Draw(NamedTuple):
    """Where random numbers come from: an integer from one to another; INT8 of a shape, for encoders; for cells."""

    integer: Callable[[int, int], int]
    encoder: Callable[..., NDArray[np.int8]]
    cells: Callable[..., NDArray[np.int8]]


class Example(NamedTuple):
    """What a `Product` of random numbers is made of."""

    table: NDArray[np.int8]
    coding: Coding


def rectangles(kernel: tuple[int, int], most: int) -> list[int]:
    """Lengths of sub-vectors that windows of one channel are cut into: whole rows of the kernel, or parts of one."""
    height, width = kernel
    return [size for size in range(1, most + 1) if kernel == (1, 1) or width % size == 0
            or (size % width == 0 and height % (size // width) == 0)]


def over_tiles(operation: Operation, layer: Layer, array: Array, bits: Callable[[int], int]) -> int:
    """Bits of one column's trees in all row tiles of one activation row, from those of a tree of so many operands.

    The rows of a tile that are in use are counted as if they stood side by side.
    """
    before = operation.row_tiles - 1
    full = least(before, layer.codebooks // array.rows)
    partly = (full < before) * bits(least(array.rows, most(1, layer.codebooks - full * array.rows)))
    last = least(operation.last_slots * array.encoders, most(1, layer.codebooks - before * array.rows))
    return full * bits(array.rows) + partly + bits(last)


class Engine(ABC):
    """One kind of encoder and cell, as the model sees it; `lutra_hw.engines` has the hardware of the same name.

    Everything is asked of an `Array` whose ``engine`` is this one's name. An engine has no state.
    """

    name: ClassVar[str]
    vector: ClassVar[bool] = False      # columns are activation rows, outputs follow each other: `passes_vector`
    tables: ClassVar[bool] = True       # looks up: it stands on the lookup side of a comparison
    nearest: ClassVar[bool] = False     # encoders find the nearest of centroids: by a metric, of so many, so long
    gathers: ClassVar[bool] = False     # a machine may load only the table entries that are selected: `gathering`
    typical: ClassVar[dict[str, Any]] = {"length": 1, "entries": 1}  # `sizes` where no network asks for others
    parameter_bytes: ClassVar[int] = 7  # bias (4), multiplier (2), shift (1): one of each column in a parameter word

    def runs(self, engine: str) -> bool:
        """Whether the machine runs layers that ask for an engine of that name."""
        return engine == self.name

    def preparation(self, array: Array) -> str:
        """What goes before lookups and is charged to the encoder and its codebooks, as the subject of a sentence."""
        return "Encoding"

    @abstractmethod
    def check(self, array: Array) -> None:
        """Raise ``ValueError`` for sizes that make no machine."""

    @abstractmethod
    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """The fields of `Array` that follow from the layers a machine is to run; ``ValueError`` where they disagree."""

    @abstractmethod
    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """A layer of random numbers that such an array runs, for tests: rows of ``reduction`` scalars.

        ``reduction`` is channels times the kernel's taps; a linear layer has a kernel of 1 x 1.
        """

    @abstractmethod
    def symbol_bits(self, array: Array) -> int:
        """Bits of what an array row is told: one symbol of an index word."""

    def cell_bits(self, array: Array) -> int:
        """Bits of one table word of one cell, in memory and on the stream."""
        return 8

    def beat_bytes(self, array: Array) -> int:
        """Bytes of a table beat: a table word of every column for each of ``fill`` rows."""
        return array.columns * array.fill * self.cell_bits(array) // 8

    @abstractmethod
    def term_bits(self, array: Array) -> int:
        """Bits that a cell hands to the adder tree."""

    @abstractmethod
    def encode_stages(self, array: Array) -> int:
        """Cycles from a sub-vector at the encoder to its symbol written."""

    @abstractmethod
    def tree_stages(self, array: Array) -> int:
        """Registers between the cells and the accumulator."""

    def issue_cycles(self, entries: int) -> int:
        """Issues of one activation row of a layer of so many entries."""
        return 1

    def slot_words(self, array: Array, entries: int) -> int:
        """Codebook words that a slot of a layer of so many entries loads; 0: the encoders hold no codebook."""
        return 0

    def hold(self, array: Array) -> int:
        """Cycles that a loaded codebook must stay after its slot's first sub-vector came."""
        return 0

    def group_beats(self, entries: int) -> int:
        """Table beats of a group of ``fill`` rows, for a layer of so many entries."""
        return entries

    def expansion(self, entries: int) -> int:
        """Cycles in which one table beat is written into the cells."""
        return 1

    def preload(self, entries: int) -> int:
        """Cycles that the loader needs before an operation's first table beat, when no table is in use."""
        return 0

    def codebook_bytes(self, array: Array) -> int:
        """Bytes of a word of codebook memory; 0: there is none."""
        return array.encoders * array.length if peak(self.slot_words(array, 1)) else 0

    def codebook_words(self, operation: Operation, array: Array) -> int:
        """Words of codebook memory that a product needs."""
        return operation.slots * self.slot_words(array, operation.entries)

    def codebook_bits(self, array: Array, layer: Layer) -> int:
        """Bits of a layer's codebooks that come from outside, without what fills up words."""
        return layer.codebooks * self.slot_words(array, layer.entries) * layer.length * 8

    def codebook_moves(self, array: Array) -> tuple[int, int]:
        """For each bit of a codebook that is loaded: register bits that take one, and those that it is offered to."""
        return 1, self.slot_words(array, array.entries)

    @abstractmethod
    def encode_registers(self, array: Array) -> int:
        """Register bits that one sub-vector passes on its way to the index memory."""

    def codebook_registers(self, array: Array) -> int:
        """Register bits that hold one encoder's codebooks."""
        return 0

    def issue_registers(self, array: Array) -> int:
        """Register bits that one issued row passes in the array: cells, adder tree."""
        return array.columns * self.tree_registers(array)

    def tree_registers(self, array: Array) -> int:
        """Register bits of one column's terms and of its adder tree."""
        rows, width = array.rows, self.term_bits(array)
        bits, operands, widest = rows * width, rows, width + log2(rows)
        while peak(operands) > 1:
            below, operands, width = operands > 1, up(operands, 4), width + 2
            bits = bits + below * operands * least(width, widest)
        return bits

    def accumulator_bits(self, array: Array) -> int:
        """Bits that hold the sum of the longest layer without overflow."""
        return self.term_bits(array) + log2(array.codebooks)

    def lane_bits(self, array: Array) -> int:
        """Bits that are accumulated for each activation row beside its columns' sums."""
        return 0

    def spread(self, array: Array) -> int:
        """Standard deviation, roughly, of a random INT8 number's share in a sum over codebooks, in its own."""
        bits = self.term_bits(array)
        return 74 if bits == 16 else 1 << max(0, bits - 8)

    @abstractmethod
    def encoder_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """What the encoders of one operation do, by the names of `Events`; ``encodes`` is counted for all."""

    @abstractmethod
    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """What the cells of one operation do; trees and accumulators are counted for all."""

    def schedule_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Counts that another order of work makes other ones than those of all engines."""
        return {}

    def cell_words(self, array: Array) -> int:
        """Words that a group of ``fill`` rows of cells holds, each behind a clock gate; a write goes to all of them."""
        return 2

    def offered_words(self, array: Array) -> int:
        """Registers of the cells that each bit of a table beat is offered to."""
        return self.cell_words(array)

    def encoder_words(self, array: Array) -> int:
        """Words of one encoder that are each behind a clock gate, and bits that are clocked always."""
        return 2 * self.encode_stages(array) + self.slot_words(array, array.entries)

    def parameter_registers(self, array: Array) -> int:
        """Register bits of a column's finisher parameters: those in use and those that are loaded."""
        return 2 * 8 * self.parameter_bytes

    @abstractmethod
    def encoder_parts(self, structure: Structure) -> Parts:
        """What one encoder is made of."""

    @abstractmethod
    def cell_parts(self, structure: Structure) -> Parts:
        """What one cell is made of, its registers for both table banks included; shared parts by share."""

    def beside_parts(self, structure: Structure) -> Parts:
        """What belongs to all cells together and lies beside their array."""
        return {}

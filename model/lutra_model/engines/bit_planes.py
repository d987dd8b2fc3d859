"""Index cells: a table of a few activations, shared by the columns, and patterns of weights that select from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..codings import BitPlanes
from .base import Counts, Draw, Engine, Example, Parts, log2, reduction_bits

if TYPE_CHECKING:
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["Planes"]

ZERO_BITS = 8  # of a zero point
TABLE_BITS = 8  # of a rounded table entry


class Planes(Engine):
    """LUT Tensor Core's array (its section 3.3), and with ``length`` 1 an array of bit-serial adders.

    The encoder passes a group of activations on. Each row's builder makes a table of its signed sums, which stays while
    the planes of the weights pass, the most significant first; a cell selects an entry and inverts it by its sign.
    """

    name = "lut-tc"
    typical: ClassVar[dict[str, Any]] = {"length": 4, "entries": 2}
    parameter_bytes = 8  # the zero point is the last

    def preparation(self, array: Array) -> str:
        """See `Engine.preparation`."""
        return "Adding up tables of activations"

    def check(self, array: Array) -> None:
        """See `Engine.check`."""
        if array.length not in (1, 2, 4):
            raise ValueError(f"length must be 1, 2 or 4, not {array.length}")
        if not 1 <= array.entries <= 8:
            raise ValueError(f"entries must be 1 to 8 planes, not {array.entries}")

    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """See `Engine.sizes`."""
        codings = [product.coding for product in products if isinstance(product.coding, BitPlanes)]
        lengths, quantised = ({coding.group for coding in codings}, {coding.quantised for coding in codings})
        if len(lengths) > 1:
            raise ValueError(f"layers must have one length of groups, not {' and '.join(map(str, sorted(lengths)))}")
        if len(quantised) > 1:
            raise ValueError("layers must have whole table entries or 8-bit ones, not both")
        return {"length": lengths.pop(), "entries": max(coding.bits for coding in codings),
                "quantised": quantised.pop()}

    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """See `Engine.example`."""
        taps = kernel[0] * kernel[1]
        codebooks = taps * -(-reduction // taps // array.length)
        table = draw.cells(codebooks, draw.integer(1, array.entries), columns) & ((1 << array.length) - 1)
        zero = draw.cells(columns)
        return Example(table, BitPlanes(zero, table.shape[1], array.length, array.quantised))

    def issue_cycles(self, entries: int) -> int:
        """One for each plane."""
        return entries

    def symbol_bits(self, array: Array) -> int:
        """The activations of a group: fewer bits than their table would be."""
        return 8 * array.length

    def cell_bits(self, array: Array) -> int:
        """A pattern: a bit of each scalar's weight."""
        return array.length

    def term_bits(self, array: Array) -> int:
        """A signed sum of a group's activations."""
        return 9 + log2(array.length)

    def spread(self, array: Array) -> int:
        """See `Engine.spread`: the zero point's term is the largest."""
        return 37 * array.length

    def encode_stages(self, array: Array) -> int:
        """One register."""
        return 1

    def tree_stages(self, array: Array) -> int:
        """Selection, one for two levels of adders, planes."""
        return 2 + -(-log2(array.rows) // 2)

    def _plane_bits(self, array: Array) -> int:
        """Bits of a column's sum of all planes."""
        return self.term_bits(array) + log2(array.rows) + array.entries - 1

    def accumulator_bits(self, array: Array) -> int:
        """See `Engine.accumulator_bits`."""
        return self.term_bits(array) + array.entries - 1 + log2(array.codebooks)

    def lane_bits(self, array: Array) -> int:
        """A sum of all activations of a row."""
        return self.term_bits(array) + log2(array.codebooks)

    def _table_bits(self, array: Array) -> int:
        """Register bits of one row's table; with 8-bit entries also their shift, and the sum that is not rounded."""
        entries = 1 << array.length - 1
        return entries * TABLE_BITS + 2 + self.term_bits(array) if array.quantised else entries * self.term_bits(array)

    def _entry_bits(self, array: Array) -> int:
        """Bits that are selected among entries."""
        return TABLE_BITS if array.quantised else self.term_bits(array)

    def _builder(self, array: Array) -> list[int]:
        """Widths of a table's adders: sums of halves, then of both; of 8-bit entries also the sizes' sum, roundings.

        >>> from ..params import Array
        >>> sum(Planes()._builder(Array(engine="lut-tc", length=4, entries=2)))  # 4 sums of two, 8 of four
        128
        """
        adders = {1: [9], 2: 2 * [10], 4: 4 * [10] + 8 * [11]}[array.length]
        return adders + (4 * [8] + 3 * [10] + (8 + 1) * [self.term_bits(array)] if array.quantised else [])

    def encode_registers(self, array: Array) -> int:
        """See `Engine.encode_registers`."""
        return 8 * array.length

    def issue_registers(self, array: Array) -> int:
        """Patterns, selected entries and their signs, tree, sum of planes: all that moves with every plane."""
        return array.columns * (array.rows * (array.length + 1) + self.tree_registers(array) + self._plane_bits(array))

    def _row_registers(self, array: Array) -> int:
        """Bits clocked once for all planes of a row: tables, the sum lane's tree."""
        return array.rows * (self._table_bits(array) - self.term_bits(array)) + self.tree_registers(array)

    def _lane_registers(self, array: Array) -> int:
        """Bits clocked once for all tiles of a row: the sum lane's total, products of zero points in two stages."""
        return self.lane_bits(array) + array.columns * 2 * (ZERO_BITS + self.lane_bits(array))

    def encoder_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """None: tables are built in the array."""
        return {}

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Tables and the sum lane once for each row and column tile, cells and sums of planes in every issue."""
        array, planes, outputs = structure.array, operation.entries, layer.rows * layer.columns
        built, tiles = layer.rows * layer.codebooks * operation.column_tiles, operation.row_tiles
        walked = operation.rows * tiles * operation.column_tiles
        used = [slots * array.encoders for slots in operation.tile_slots(array)]
        summed = sum(reduction_bits(rows, self.term_bits(array)) for rows in used)
        passed, lane = operation.rows * operation.column_tiles, self.lane_bits(array)
        sums = outputs * tiles * (planes - 1)  # of planes
        return {
            "table_reads": layer.lookups, "encoder_adds": built * len(self._builder(array)),
            "encoder_add_bits": built * sum(self._builder(array)),
            "cell_mux_bits": layer.lookups * self._mux_bits(array),
            "cell_adds": sums + 2 * outputs + layer.rows * operation.column_tiles * (layer.codebooks - 1),
            "cell_add_bits": sums * self._plane_bits(array) + layer.rows * operation.column_tiles * summed,
            "cell_register_bits": walked * self._row_registers(array),
            "beside_add_bits": outputs * (ZERO_BITS + lane) + passed * (tiles - 1) * lane,
            "beside_multiply_bits": outputs * ZERO_BITS * lane,
            "beside_register_bits": passed * self._lane_registers(array)}

    def _mux_bits(self, array: Array) -> int:
        """Of a cell: a plane's pattern in two banks, the entry (shifted back if it was rounded), its inversion."""
        term, shifted = self.term_bits(array), 2 * self.term_bits(array) if array.quantised else 0
        return ((self.cell_words(array) - 1) * array.length + ((1 << array.length - 1) - 1) * self._entry_bits(array)
                + shifted + term)

    def cell_words(self, array: Array) -> int:
        """Both banks' planes, a power of two."""
        return 2 << log2(array.entries)

    def encoder_parts(self, structure: Structure) -> Parts:
        """See `Engine.encoder_parts`."""
        return {"register": self.encode_registers(structure.array)}

    def cell_parts(self, structure: Structure) -> Parts:
        """Patterns and selection; shares of a row's table and builder, a column's plane adder, the lane's tree."""
        array = structure.array
        lane = reduction_bits(array.rows, self.term_bits(array))
        columns = self._plane_bits(array) if array.entries > 1 else 0
        return {
            "register": self.cell_words(array) * array.length + self._row_registers(array) / array.cells,
            "mux": self._mux_bits(array),
            "add": sum(self._builder(array)) / array.columns + columns / array.rows + lane / array.cells}

    def beside_parts(self, structure: Structure) -> Parts:
        """The sum lane behind its tree: total, zero points' products, and their adders in the finisher."""
        array, lane = structure.array, self.lane_bits(structure.array)
        return {"register": self._lane_registers(array), "add": lane + array.columns * (ZERO_BITS + lane),
                "multiply": array.columns * ZERO_BITS * lane / 64}

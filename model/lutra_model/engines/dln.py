"""Tables of an activation's and a weight's level (Deep Lookup Network), in two forms of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..codings.levels import Levels
from .base import Counts, Draw, Engine, Example, Parts, log2

if TYPE_CHECKING:
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["DlnColumn", "DlnRow"]

CODE = 6  # bits of a code, at most


def _table_beats(operation: Operation, array: Array) -> int:
    """Table beats of one image, parameters left out."""
    groups = sum(-(-slots * array.encoders // array.fill) for slots in operation.tile_slots(array))
    return operation.blocks * operation.column_tiles * groups


class _Dln(Engine):
    """What both forms share: levels of activations, codes of weights, the layer's table in codebook memory.

    Of an array ``entries`` are the levels of an activation without the zero level, and ``weight_levels`` those of a
    weight, both rounded up to a power of two.
    """

    typical: ClassVar[dict[str, Any]] = {"length": 1, "entries": 16, "weight_levels": 16}

    def runs(self, engine: str) -> bool:
        """Either form runs the layers of both."""
        return engine in (DlnRow.name, DlnColumn.name)

    def preparation(self, array: Array) -> str:
        """See `Engine.preparation`."""
        return "Finding levels and reading their table"

    def check(self, array: Array) -> None:
        """See `Engine.check`."""
        if array.length != 1:
            raise ValueError(f"a {self.name} array must have length 1, not {array.length}")
        for what in ("entries", "weight_levels"):
            if getattr(array, what) not in (2, 4, 8, 16, 32, 64):
                raise ValueError(f"{what} must be a power of two of 2 to 64, not {getattr(array, what)}")

    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """See `Engine.sizes`."""
        shapes = [product.coding.levels.shape for product in products if isinstance(product.coding, Levels)]
        sizes = {"entries": 0, "weight_levels": 1}
        return {"length": 1} | {what: max(2, *(1 << log2(shape[axis] - 1) for shape in shapes))
                                for what, axis in sizes.items()}

    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """See `Engine.example`."""
        count, weights = draw.integer(2, min(64, array.entries + 1)), draw.integer(2, min(64, array.weight_levels + 1))
        levels, zero = draw.cells(count, weights), draw.integer(0, count - 1)
        levels[zero] = levels[:, (weights - 1) // 2] = 0
        codes = draw.cells(reduction, 1, columns).view(np.uint8) % weights
        return Example(codes.astype(np.int8), Levels(levels, zero))

    def symbol_bits(self, array: Array) -> int:
        """A code: 0, or 1 to ``entries`` (to 63)."""
        return min(CODE, log2(array.entries) + 1)

    def cell_bits(self, array: Array) -> int:
        """A code, in whole bytes for each group of rows."""
        return 8 if (array.fill or array.rows) % 4 or array.rows % 4 else CODE

    def term_bits(self, array: Array) -> int:
        """A table entry."""
        return 8

    def encode_stages(self, array: Array) -> int:
        """Clamp, code."""
        return 2

    def tree_stages(self, array: Array) -> int:
        """One for two levels of adders."""
        return -(-log2(array.rows) // 2)

    def group_beats(self, entries: int) -> int:
        """The weights' codes, whatever the entries."""
        return 1

    def codebook_bytes(self, array: Array) -> int:
        """One level's row of the layer's table."""
        return array.weight_levels

    def codebook_words(self, operation: Operation, array: Array) -> int:
        """A word for each level but the zero one."""
        return operation.entries

    def codebook_bits(self, array: Array, layer: Layer) -> int:
        """The layer's table."""
        return layer.entries * array.weight_levels * 8

    def encode_registers(self, array: Array) -> int:
        """See `Engine.encode_registers`."""
        return CODE + 1 + self.symbol_bits(array)

    def encoder_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Two limits; what is below zero moves up by ``Nf``."""
        encodes = layer.rows * layer.codebooks
        return {"compares": 2 * encodes, "encoder_compare_bits": 16 * encodes, "encoder_mux_bits": 16 * encodes,
                "encoder_adds": encodes, "encoder_add_bits": 8 * encodes}

    def encoder_parts(self, structure: Structure) -> Parts:
        """See `Engine.encoder_parts`."""
        return {"compare": 16, "mux": 16, "add": 8, "register": self.encode_registers(structure.array)}


class DlnRow(_Dln):
    """A cell owns its weight's column of the table; an expander behind the loader makes it of the weight's code.

    The expander turns a beat of codes into a write of one entry of every cell for each level, while the loader waits.
    """

    name = "dln-row"

    def expansion(self, entries: int) -> int:
        """A write for each level."""
        return entries

    def cell_words(self, array: Array) -> int:
        """Both banks' tables."""
        return 2 * array.entries

    def offered_words(self, array: Array) -> int:
        """None: codes stay before the expander."""
        return 0

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Reads of cells; the expander's reads of the layer's table and its writes, each offered to both banks."""
        array, beats = structure.array, _table_beats(operation, structure.array)
        writes, row = beats * operation.entries * array.fill * array.columns, array.weight_levels * 8
        return {"table_reads": layer.lookups,
                "cell_mux_bits": layer.lookups * (array.entries - 1) * 8 + writes * (array.weight_levels - 1) * 8,
                "cell_register_bits": writes * 8, "cell_wire_bits": writes * 8 * self.cell_words(array),
                "codebook_read_bits": beats * operation.entries * row}

    def cell_parts(self, structure: Structure) -> Parts:
        """Two banks of entries; the cell's share of the expander."""
        array = structure.array
        return {"register": 2 * array.entries * 8,
                "mux": (array.entries - 1) * 8 + (array.weight_levels - 1) * 8 * array.fill / array.rows}


class DlnColumn(_Dln):
    """A cell owns its weight's code; a row has a copy of the table, of which it tells its cells one level's row.

    The copies are loaded before the first tile of an operation, once no tile of the one before is in use. They are
    written alike, and synthesis makes one of them, with a way out for each row.
    """

    name = "dln-column"

    def tree_stages(self, array: Array) -> int:
        """One more, between a row's level and its cells."""
        return 1 + super().tree_stages(array)

    def preload(self, entries: int) -> int:
        """A write of all copies for each level."""
        return entries

    def cell_words(self, array: Array) -> int:
        """Both banks' codes, and the copies' levels."""
        return 2 + array.entries

    def offered_words(self, array: Array) -> int:
        """Both banks' codes."""
        return 2

    def issue_registers(self, array: Array) -> int:
        """See `Engine.issue_registers`; every row's level is held for its cells."""
        return super().issue_registers(array) + array.rows * array.weight_levels * 8

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """A level's row for each row of the array, an entry of it for each cell; the writes of the one copy."""
        array, row = structure.array, structure.array.weight_levels * 8
        told = layer.rows * layer.codebooks * operation.column_tiles
        return {"table_reads": layer.lookups,
                "cell_mux_bits": told * (array.entries - 1) * row + layer.lookups * (array.weight_levels - 1) * 8,
                "cell_register_bits": operation.entries * row,
                "cell_wire_bits": operation.entries * row * array.entries,
                "codebook_read_bits": operation.entries * row}

    def cell_parts(self, structure: Structure) -> Parts:
        """Two banks of codes; the cell's share of the copy, and of its row's way out."""
        array, row = structure.array, structure.array.weight_levels * 8
        return {"register": 2 * structure.cell_bits + array.entries * row / array.cells,
                "mux": (array.weight_levels - 1) * 8 + (array.entries - 1) * row / array.columns}

"""Multipliers: the encoder passes the scalar on, a cell owns a weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..codings import Plain
from .base import Counts, Draw, Engine, Example, Parts, log2, over_tiles

if TYPE_CHECKING:
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["Mac"]


class Mac(Engine):
    """INT8 times weights of ``weight_bits``; the carry-save pair of all rows is summed once."""

    name = "mac"
    tables = False

    def check(self, array: Array) -> None:
        """See `Engine.check`."""
        if (array.length, array.entries) != (1, 1):
            raise ValueError(f"a mac array must have length 1 and entries 1, not {array.length} and {array.entries}")
        if not 1 <= array.weight_bits <= 8:
            raise ValueError(f"weight_bits must be 1 to 8, not {array.weight_bits}")

    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """See `Engine.sizes`."""
        widths = {product.coding.bits for product in products if isinstance(product.coding, Plain)}
        if len(widths) > 1 and 1 in widths:
            raise ValueError("layers must have weights of one bit, or of more")
        return {"length": 1, "entries": 1, "weight_bits": max(widths, default=8)}

    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """See `Engine.example`."""
        return Example(draw.cells(reduction, 1, columns) >> np.int8(8 - array.weight_bits), Plain(array.weight_bits))

    def symbol_bits(self, array: Array) -> int:
        """The scalar."""
        return 8

    def cell_bits(self, array: Array) -> int:
        """A weight."""
        return array.weight_bits

    def term_bits(self, array: Array) -> int:
        """An exact product; signs are multiplied as two bits."""
        return 8 + max(2, array.weight_bits)

    def encode_stages(self, array: Array) -> int:
        """One register."""
        return 1

    def tree_stages(self, array: Array) -> int:
        """One after the carry-save tree, one after the adder."""
        return 2

    def encode_registers(self, array: Array) -> int:
        """See `Engine.encode_registers`."""
        return 8

    def issue_registers(self, array: Array) -> int:
        """Activations; the carry-save pair and its sum, of every column."""
        tree = self.term_bits(array) + log2(array.rows)
        return array.rows * 8 + array.columns * 3 * tree

    def encoder_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """None."""
        return {}

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Products; a working bank takes its weights from the loading one.

        Bits of partial products are added in one carry-save tree of all rows: each is as deep as rows are doubled.
        """
        tiles = operation.blocks * operation.column_tiles * operation.row_tiles
        deep = over_tiles(operation, layer, structure.array, lambda rows: rows * 8 * structure.cell_bits * log2(rows))
        narrow = structure.cell_bits < 8
        return {"multiplies": 0 if narrow else layer.lookups,
                "multiply_bits": layer.lookups * 8 * structure.cell_bits if narrow else 0,
                "tree_deep_bits": layer.rows * layer.columns * deep,
                "turn_bits": tiles * structure.array.cells * structure.cell_bits}

    def encoder_parts(self, structure: Structure) -> Parts:
        """See `Engine.encoder_parts`."""
        return {"register": self.encode_registers(structure.array)}

    def cell_parts(self, structure: Structure) -> Parts:
        """See `Engine.cell_parts`."""
        return {"register": 2 * structure.cell_bits, "multiply": structure.cell_bits / 8}

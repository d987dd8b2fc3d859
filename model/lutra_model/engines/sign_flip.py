"""Ternary weights: activations are added, subtracted or left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..codings import SignFlip
from .base import Counts, Draw, Example, Parts, log2
from .mac import Mac

if TYPE_CHECKING:
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["SignFlips"]


class SignFlips(Mac):
    """A cell owns a weight of two bits and picks a, -a or 0; the negative is formed once for each row."""

    name = "sign-flip"

    def check(self, array: Array) -> None:
        """See `Engine.check`."""
        if (array.length, array.entries) != (1, 1):
            raise ValueError("a sign-flip array must have length 1 and entries 1, "
                             f"not {array.length} and {array.entries}")

    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """See `Engine.sizes`."""
        return {"length": 1, "entries": 1}

    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """See `Engine.example`."""
        return Example(np.sign(draw.cells(reduction, 1, columns) // np.int8(43)).astype(np.int8), SignFlip())

    def cell_bits(self, array: Array) -> int:
        """0, 1 or -1."""
        return 2

    def term_bits(self, array: Array) -> int:
        """An activation or its negative."""
        return 9

    def tree_stages(self, array: Array) -> int:
        """One for two levels of adders."""
        return -(-log2(array.rows) // 2)

    def issue_registers(self, array: Array) -> int:
        """Terms, adder tree."""
        return super(Mac, self).issue_registers(array)

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Two multiplexers of nine bits; a negation for all cells of a row."""
        negated = operation.rows * operation.row_tiles * operation.column_tiles * structure.array.rows
        return {"cell_mux_bits": layer.lookups * 2 * 9, "cell_adds": negated, "cell_add_bits": negated * 9}

    def tree_deep_bits(self, array: Array) -> int:
        """None: a register follows every second level."""
        return 0

    def cell_parts(self, structure: Structure) -> Parts:
        """See `Engine.cell_parts`."""
        return {"register": 2 * 2, "mux": 2 * 9 + 2, "add": 9 / structure.array.columns}

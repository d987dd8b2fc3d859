"""Weights of few bits as each coding has them: levels from a table, and back into one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import network as kinds
from lutra_model import ternary
from lutra_model.codings import BitPlanes, Plain, Trits
from lutra_model.schemes.lut_tc import patterns

from .weights import Real, Weights

__all__ = ["Multiplied", "Planes", "Ternary"]


class Multiplied(Weights):
    """Codings ``plain`` of 1 to 4 bits, and ``sign-flip``: the table is the levels; of one bit, -1 and 1."""

    node: kinds.Product

    @property
    def coding(self) -> Plain:
        """The layer's coding."""
        assert isinstance(self.node.coding, Plain)
        return self.node.coding

    def held(self) -> Real:
        """See :meth:`Weights.held`."""
        return self.coding.weights(self.node.table[:, 0]).astype(np.float64)

    def grid(self) -> tuple[int, int, int]:
        """See :meth:`Weights.grid`."""
        low, high = self.coding.limits
        return (-1, 2, 2) if self.coding.bits == 1 else (low, 1, high - low + 1)

    def shipped(self) -> dict[str, Any]:
        """See :meth:`Product.shipped`."""
        levels = self.integers()
        words = (levels - 1) // 2 if self.coding.bits == 1 else levels
        return {"table": words.astype(np.int8)[:, None]}


class Planes(Weights):
    """Coding ``bit-planes``: odd levels ``q'`` less the column's zero point ``z'``, which stays the converted layer's.

    Raises ``ValueError`` where tables of activations are rounded: their sums are no sums of products.
    """

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        assert isinstance(node.coding, BitPlanes)
        if node.coding.quantised:
            raise ValueError(f"layer {node.name} must have exact tables of activations to be trained, not ones "
                             "rounded to 8 bits")
        self.coding = node.coding
        super().__init__(node, in_scale, weight)

    def held(self) -> Real:
        """See :meth:`Weights.held`."""
        return self.by_channel(self.coding.weights(self.node.table, self.coding.zero))

    def grid(self) -> tuple[NDArray[np.int64], int, int]:
        """See :meth:`Weights.grid`."""
        count = 1 << self.coding.bits
        return 1 - count - self.coding.zero.astype(np.int64), 2, count

    def shipped(self) -> dict[str, Any]:
        """See :meth:`Product.shipped`."""
        q = (self.integers() - self.grid()[0]) // 2
        return {"table": patterns(q, self.coding.bits, self.coding.group, self.taps)}


class Ternary(Weights):
    """Coding ``trits``: -1, 0 and 1, packed."""

    def held(self) -> Real:
        """See :meth:`Weights.held`."""
        assert isinstance(self.node.coding, Trits)
        return self.by_channel(self.node.coding.weights(self.node.table))

    def grid(self) -> tuple[int, int, int]:
        """See :meth:`Weights.grid`."""
        return -1, 1, 3

    def shipped(self) -> dict[str, Any]:
        """See :meth:`Product.shipped`."""
        return {"table": ternary.pack_layer(self.integers().astype(np.int8), self.node.coding.length, self.taps)}

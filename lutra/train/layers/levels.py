"""Deep Lookup Network (arXiv 2509.13662): levels of activations and weights, and a learned table of both."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model import network as kinds
from lutra_model.codings import Levels
from lutra_model.rank_one import rank_one

from .level_tables import Factors, Monotone, looked_up
from .weights import Real, Weights
from .windows import convolved, windows

__all__ = ["LevelTable"]

LARGEST = 127    # table entry that ships
ROWS = 1 << 12   # activation vectors whose entries are gathered at a time


class LevelTable(Weights):
    """A product of levels; real weights, their scales and the layer's table learn.

    The scale of a column's weights is the exponential of `Weights`; that of the activations is part of the finisher of
    the layer before. ``table`` has entries in [-1, 1]: of rank one and monotone where the converted table is what
    rounding makes of a product of two vectors, otherwise free in its largest factors. In training the sums are those
    of the real table, a matrix product of what its factors make of both levels; in evaluation mode those of the INT8
    table that ships, entry by entry.
    """

    RATES = {"weight": 10.0, "table.left": 0.1, "table.right": 0.1}

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        assert isinstance(node.coding, Levels)
        self.coding = node.coding
        super().__init__(node, in_scale, weight)
        table = node.coding.levels.astype(np.float64)
        form = Monotone if rank_one(node.coding.levels).within_rounding else Factors
        self.table: Factors | Monotone = form(table, self.coding.zero, self.coding.middle)
        self.start *= self.table.largest / LARGEST

    def held(self) -> Real:
        """See :meth:`Weights.held`."""
        middle, count = self.coding.middle, self.coding.levels.shape[1]
        return ((self.node.table[:, 0].astype(np.float64) + middle) % count) - middle

    def grid(self) -> tuple[int, int, int]:
        """See :meth:`Weights.grid`."""
        return -self.coding.middle, 1, self.coding.levels.shape[1]

    def unit(self) -> Real:
        """See :meth:`Weights.unit`: by the plane through 0 that is nearest to the table."""
        count, levels = self.coding.levels.shape
        plane = np.multiply.outer(np.arange(count) - self.coding.zero, np.arange(levels) - self.coding.middle)
        slope = float((plane * self.coding.levels).sum() / (plane**2).sum())
        return self.node.table_scale * max(slope, 1e-9)

    @torch.no_grad()
    def entries(self) -> Tensor:
        """The table that ships, ``(activation levels, weight levels)``."""
        return torch.round(self.table.whole() * LARGEST)

    def rows(self, x: Tensor) -> Tensor:
        """See :meth:`Product.rows`: in training what the table's factors make of activations, factor after factor."""
        if not self.training:
            return windows(x, self.node.window)
        left, _ = self.table.factors()
        return looked_up(x + self.coding.zero, left.T, self.coding.zero).flatten(0, 1)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        places = self.levels() + self.coding.middle
        if not self.training:
            return self._gathered(rows, places)
        _, right = self.table.factors()
        return LARGEST * convolved(rows, looked_up(places, right, self.coding.middle).flatten(0, 1), self.node.window)

    @torch.no_grad()
    def _gathered(self, rows: Tensor, places: Tensor) -> Tensor:
        table = self.entries().double()
        by_scalar = table[:, places.long()].transpose(0, 1).flatten(0, 1)  # (reduction * activation levels, columns)
        first = torch.arange(len(rows), device=rows.device) * len(table)
        codes = (rows.T.long() + self.coding.zero).clamp(0, len(table) - 1) + first
        return torch.cat([nn.functional.embedding_bag(some, by_scalar, mode="sum") for some in codes.split(ROWS)]).T

    def shipped(self) -> dict[str, Any]:
        """See :meth:`Product.shipped`."""
        codes = self.integers() % self.coding.levels.shape[1]
        levels = self.entries().cpu().numpy().astype(np.int8)
        return {"table": codes.astype(np.int8)[:, None], "coding": Levels(levels, self.coding.zero)}

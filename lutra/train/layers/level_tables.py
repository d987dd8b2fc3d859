"""Tables of two levels that learn, as sums of products of a vector of each; entries are in [-1, 1]."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model.rank_one import rank_one

__all__ = ["Factors", "Monotone", "looked_up"]

Real = NDArray[np.float64]
FACTORS = 2          # of a free table that learn; of a network's fitted tables they leave at most 2 to 4 of 127
LEAST_STEP = 0.02    # of a first staircase, of its mean step


class _LookedUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, places: Tensor, vectors: Tensor, zero: int) -> Tensor:
        count = vectors.shape[1]
        index = places.clamp(0, count - 1).long()
        ctx.save_for_backward(index, (places >= 0) & (places < count), vectors)
        ctx.zero = zero
        return vectors[:, index]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None]:
        index, inside, vectors = ctx.saved_tensors
        flat, count = index.flatten(), vectors.shape[1]
        hits = torch.bincount(flat, minlength=count)
        scale = flat.numel() / count / hits.clamp(min=1).to(slope.dtype).sqrt()
        cells = torch.stack([torch.bincount(flat, one.flatten(), count) for one in slope]) * scale
        levels = torch.arange(count, device=vectors.device) - ctx.zero
        steep = (vectors * levels).sum(1) / levels.square().sum()
        return torch.tensordot(steep, slope, 1) * inside, cells.to(vectors.dtype), None


def looked_up(places: Tensor, vectors: Tensor, zero: int) -> Tensor:
    """Entries ``(vectors, *places)`` at whole ``places`` of ``vectors`` ``(vectors, levels)``; places are clamped.

    Straight through to ``places``: the slope of a vector is that of its nearest line through the level ``zero``, and
    outside of the vector 0. The gradient of a cell is divided by the square root of its hits and multiplied by the
    places for each cell, as LLT does, the table's predecessor.
    """
    found: Tensor = _LookedUp.apply(places, vectors, zero)
    return found


class _Table(nn.Module, ABC):
    """A table that starts from integers ``(activation levels, weight levels)``, with a row and a column of zeros.

    largest : first value in the units of those integers that an entry of 1 stands for.
    """

    largest: float

    @abstractmethod
    def factors(self) -> tuple[Tensor, Tensor]:
        """Vectors ``(activation levels, factors)`` and ``(factors, weight levels)`` whose product is the table."""

    def whole(self) -> Tensor:
        """The table."""
        left, right = self.factors()
        return left @ right


class Factors(_Table):
    """A free table: its ``FACTORS`` largest factors learn, and what they leave of the first table stays."""

    def __init__(self, table: Real, zero: int, middle: int) -> None:
        super().__init__()
        self.largest, self.zero, self.middle = float(np.abs(table).max()) or 1.0, zero, middle
        left, size, right = np.linalg.svd(table / self.largest)
        root = np.sqrt(size[:FACTORS])
        left, right = left[:, :FACTORS] * root, right[:FACTORS] * root[:, None]
        self.register_buffer("rest", torch.from_numpy(table / self.largest - left @ right).float())
        self.left, self.right = (nn.Parameter(torch.from_numpy(part).float()) for part in (left, right))

    def _kept(self) -> tuple[Tensor, Tensor, Tensor]:
        """Factors without row and column of zeros, and the largest entry of the table that they and the rest make."""
        rows = torch.arange(len(self.left), device=self.left.device) != self.zero
        columns = torch.arange(self.right.shape[1], device=self.right.device) != self.middle
        left, right = self.left * rows[:, None], self.right * columns
        return left, right, (left @ right + self.rest).abs().amax().clamp(min=1e-9)

    def factors(self) -> tuple[Tensor, Tensor]:
        """See :meth:`_Table.factors`: without the rest."""
        left, right, largest = self._kept()
        return left, right / largest

    def whole(self) -> Tensor:
        """See :meth:`_Table.whole`."""
        left, right, largest = self._kept()
        return (left @ right + self.rest) / largest


def _rises(values: Real, zero: int) -> list[nn.Parameter]:
    """Logarithms of the steps up from ``zero``, and of those down from it, of values that are to be a staircase."""
    found = []
    for side in (values[zero:], -values[zero::-1]):
        steps = np.diff(side)
        least = max(LEAST_STEP * float(np.abs(steps).mean()), 1e-9) if len(steps) else 1.0
        found.append(nn.Parameter(torch.from_numpy(np.log(np.maximum(steps, least))).float()))
    return found


class Monotone(_Table):
    """A product of two staircases, ``cumsum(softmax(steps))`` on either side of 0: -1 (or 0) up to 1."""

    def __init__(self, table: Real, zero: int, middle: int) -> None:
        super().__init__()
        near = rank_one(table.astype(np.int8))
        sign = 1.0 if near.weights[-1] >= 0 else -1.0
        self.up, self.down = _rises(sign * near.activations, zero)
        self.weights_up, self.weights_down = _rises(sign * near.weights, middle)
        self.largest = 1.0
        with torch.no_grad():
            one = self.whole().double().numpy()
        self.largest = float((one * table).sum() / (one**2).sum()) or 1.0

    @staticmethod
    def _stairs(up: Tensor, down: Tensor) -> Tensor:
        below, above = (torch.cumsum(torch.softmax(steps, 0), 0) for steps in (down, up))
        return torch.cat([-below.flip(0), up.new_zeros(1), above])

    def factors(self) -> tuple[Tensor, Tensor]:
        """See :meth:`_Table.factors`."""
        return self._stairs(self.up, self.down)[:, None], self._stairs(self.weights_up, self.weights_down)[None]

"""Products whose weights are trained: real ones, rounded in the forward pass to the few levels that ship."""

from abc import abstractmethod
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model import network as kinds

from .product import Product
from .rounding import rounded
from .windows import convolved, windows

__all__ = ["Real", "Weights"]

Real = NDArray[np.float64]
REACH = 0.49  # farthest start of a weight from the level that the converted layer gave it, in level spacings


class Weights(Product):
    """A product of weights ``step * level`` with a step for each column, both learned.

    ``weight`` are the real weights ``(reduction, columns)`` in the steps of the converted layer, so that one rate suits
    layers of any scale; the float layer's ones where known, each no farther from its level than rounds to it.
    ``log_step`` is the logarithm of what the steps ``(columns,)`` have grown by, so that none turns negative.

    Learned step size quantisation (Esser et al., ICLR 2020, equations 1 to 3): rounding passes gradients straight
    through, and a weight beyond the last level gets none. The gradient of a step is ``level - weight / step``, of a
    weight beyond the last level ``level``. The paper's factor of that gradient is left out, because Adam undoes it.
    """

    RATES = {"weight": 10.0}

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        super().__init__(node, in_scale, weight)
        held, (low, self.spacing, self.count) = self.held(), self.grid()
        self.register_buffer("low", torch.from_numpy(np.broadcast_to(low, (node.columns,)).astype(np.float32)))
        self.register_buffer("start", torch.from_numpy(node.table_scale).float())
        real = held if weight is None else weight * (in_scale / self.unit())
        reach = REACH * self.spacing
        self.weight = nn.Parameter(torch.from_numpy(held + np.clip(real - held, -reach, reach)).float())
        self.log_step = nn.Parameter(torch.zeros(node.columns))

    @abstractmethod
    def held(self) -> Real:
        """Levels ``(reduction, columns)`` that the converted layer's table stands for, channel, kernel row, column."""

    @abstractmethod
    def grid(self) -> tuple[Any, int, int]:
        """Lowest level, of all or of each column; spacing of levels; how many there are."""

    def unit(self) -> Real:
        """Real value ``(columns,)`` of an input step times a level of 1, in the converted layer."""
        return self.node.table_scale

    def steps(self) -> Tensor:
        """See :meth:`Product.steps`."""
        return (self.start * self.log_step.exp()).clamp(min=self.least_step)

    def levels(self) -> Tensor:
        """Levels as they are now, ``(reduction, columns)``."""
        place = (self.weight * torch.exp(-self.log_step) - self.low) / self.spacing
        return self.low + self.spacing * rounded(place.clamp(0, self.count - 1))

    def integers(self) -> NDArray[np.int64]:
        """The same as integers."""
        return self.levels().detach().cpu().numpy().astype(np.int64)

    def rows(self, x: Tensor) -> Tensor:
        """See :meth:`Product.rows`: in training the whole image, which is not cut into windows."""
        return x if self.training else windows(x, self.node.window)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        if self.training:
            return convolved(rows, self.levels(), self.node.window)
        return (self.levels().T.double() @ rows.double()).round()

    @property
    def taps(self) -> int:
        """Scalars of a channel."""
        return prod(self.node.window.kernel) if self.node.window else 1

    def by_channel(self, weights: NDArray[Any]) -> Real:
        """Weights by tap and then channel, each tap padded, as ``(reduction, columns)`` by channel and then tap."""
        by_tap = weights.reshape(self.taps, -1, self.node.columns)[:, :self.node.reduction // self.taps]
        return by_tap.swapaxes(0, 1).reshape(self.node.reduction, -1).astype(np.float64)

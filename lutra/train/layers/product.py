"""A product layer that can be trained: what all schemes share, which is the finisher."""

from abc import ABC, abstractmethod
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model import network as kinds
from lutra_model.products import LARGEST_BIAS
from lutra_model.requantise import fixed_point

from .reference import Reference
from .rounding import half_up, rounded, shifted
from .windows import windows

__all__ = ["Product", "Tables"]


class Product(nn.Module, ABC):
    """A product layer of any scheme; a subclass gives the sums before the finisher, and what ships.

    Values are integers held in float32, ``(channels, batch, height, width)`` or ``(features, batch)``. In training mode
    rounding passes gradients straight through and the rescale factor is real; in evaluation mode every value equals
    the golden model's.

    Parameters
    ----------
    node : the converted layer, where training starts.
    in_scale : real value of one step of its input.
    weight : the float layer's weights ``(reduction, columns)``, for schemes that train weights; None: what the table's
        words stand for.

    ``RATES`` are multiples of the learning rate, by a parameter's name. Raises ``ValueError`` for a layer in groups or
    with a function in its finisher. ``reference``, where there is one, sees what goes in and comes out in training.
    """

    RATES: ClassVar[dict[str, float]] = {}

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        super().__init__()
        if node.groups != 1 or node.function is not None:
            raise ValueError(f"layer {node.name} must have one group and no function in its finisher to be trained")
        self.node, self.in_scale = node, in_scale
        self.reference: Reference | None = None
        self.bias = nn.Parameter(torch.from_numpy(node.bias * node.table_scale).float())

    @abstractmethod
    def steps(self) -> Tensor:
        """Real value of one accumulator step of each column."""

    @abstractmethod
    def sums(self, rows: Tensor) -> Tensor:
        """Accumulators ``(columns, rows)`` of integers ``(reduction, rows)`` in the order channel, kernel row, column.

        In evaluation mode exactly the golden model's.
        """

    @abstractmethod
    def shipped(self) -> dict[str, Any]:
        """``table``, and ``coding`` where it is another one now, as the network file holds them."""

    def rows(self, x: Tensor) -> Tensor:
        """What :meth:`sums` takes of an input: its integers; a subclass may take something else in training."""
        return windows(x, self.node.window)

    def prepare(self, x: Tensor) -> None:
        """Set what must be known of the input's integers ``x`` before training."""

    @property
    def least_step(self) -> Tensor:
        """No accumulator step is smaller, so that the finisher's multiplier and bias stay within their bits."""
        return (self.bias.detach().abs() / LARGEST_BIAS).clamp(min=float(self.node.scale) * 2.0**-40)

    def forward(self, x: Tensor) -> Tensor:
        sums, window = self.sums(self.rows(x)), self.node.window
        if self.training:
            steps = self.steps()
            bias = rounded(self.bias / steps)
            made = (sums + bias[:, None]) * (steps / self.node.scale)[:, None]
            if self.reference is not None:
                self.reference.compare(windows(x, window), made)
            y = half_up(made, self.node)
        else:
            bias, multiplier, shift = (values.to(x.device)[:, None] for values in self.finisher())
            y = shifted((sums.to(torch.int64) + bias) * multiplier, shift, self.node)
        return y if window is None else y.view(-1, x.shape[1], *window.output(*x.shape[2:]))

    @torch.no_grad()
    def finisher(self) -> tuple[Tensor, Tensor, Tensor]:
        """Integer ``bias``, ``multiplier`` and ``shift`` of every column."""
        steps = self.steps().cpu()
        multiplier, shift = fixed_point(steps.double().numpy() / self.node.scale)
        bias = (self.bias.cpu() / steps).round().to(torch.int64)
        return bias, torch.from_numpy(multiplier), torch.from_numpy(shift)

    @torch.no_grad()
    def export(self) -> kinds.Product:
        """The layer as it is now, as a node of a network."""
        bias, multiplier, shift = (values.numpy() for values in self.finisher())
        return replace(self.node, bias=bias, multiplier=multiplier, shift=shift,
                       table_scale=self.steps().double().cpu().numpy(), **self.shipped())


class Tables(Product):
    """A layer whose INT8 table entries are trained themselves, ``(codebooks, entries, columns)`` in real units."""

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        super().__init__(node, in_scale, weight)
        self.table = nn.Parameter(torch.from_numpy(node.table * node.table_scale).float())
        self.taps = prod(node.window.kernel) if node.window and node.coding.runs else 0  # see `sub_vectors`

    def steps(self) -> Tensor:
        """The largest entry of a column becomes 127."""
        return self.table.detach().abs().amax((0, 1)).clamp(min=self.least_step) / 127

    def entries(self) -> Tensor:
        """Table entries as integers."""
        return rounded(self.table / self.steps())

    def shipped(self) -> dict[str, Any]:
        """See :meth:`Product.shipped`."""
        return {"table": self.entries().cpu().numpy().astype(np.int8)}

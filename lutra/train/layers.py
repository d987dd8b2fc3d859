"""Nodes of a network as PyTorch modules that can be trained: what they compute in evaluation mode is what ships.

Values are integers held in float32, ``(channels, batch, height, width)`` or ``(features, batch)``: the rows of a
product are then contiguous. In training mode rounding passes gradients straight through and a product's rescale
factor is real; in evaluation mode every value equals the golden model's.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lutra_model import network as kinds
from lutra_model.codings import Nearest
from lutra_model.params import Metric
from lutra_model.requantise import fixed_point

from .nearest import lookup, packed_distances

__all__ = ["Add", "Dense", "Flatten", "Lookup", "Pool", "Product", "module", "windows"]


def _rounded(x: Tensor) -> Tensor:
    """Half to even, with the gradient of the identity."""
    return x + (torch.round(x) - x).detach()


def _shifted(x: Tensor, shift: Tensor, node: kinds.Node) -> Tensor:
    """``clamp((x + 2^(shift-1)) >> shift, low, high)`` of integers."""
    return (x + (torch.ones_like(shift) << shift - 1) >> shift).clamp(node.low, node.high).float()


def _half_up(x: Tensor, node: kinds.Node) -> Tensor:
    """The same of a real number, with the gradient of the clamp."""
    return (x + (torch.floor(x + 0.5) - x).detach()).clamp(node.low, node.high)


class _Windows(torch.autograd.Function):
    """im2col; the backward pass adds every tap's slope in place, which autograd's own slices do not."""

    @staticmethod
    def _taps(padded: Tensor, window: kinds.Window, size: tuple[int, int]) -> list[Tensor]:
        (height, width), (down, across), (rows, columns) = size, window.stride, window.kernel
        return [padded[:, :, i:i + (height - 1) * down + 1:down, j:j + (width - 1) * across + 1:across]
                for i in range(rows) for j in range(columns)]

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: kinds.Window) -> Tensor:
        top, left, bottom, right = window.padding
        padded = nn.functional.pad(x, (left, right, top, bottom))
        ctx.window, ctx.inner, ctx.padded = window, x.shape, padded.shape
        return torch.stack(_Windows._taps(padded, window, window.output(*x.shape[2:])), 1)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        padded = torch.zeros(ctx.padded)
        taps = _Windows._taps(padded, ctx.window, slope.shape[3:])
        for number, tap in enumerate(taps):
            tap += slope[:, number]
        top, left = ctx.window.padding[:2]
        return padded[:, :, top:top + ctx.inner[2], left:left + ctx.inner[3]], None


def windows(x: Tensor, window: kinds.Window | None) -> Tensor:
    """Rows of a product, transposed: ``(reduction, rows)``, in the order channel, kernel row, kernel column."""
    if window is None:
        return x
    taps = _Windows.apply(x, window)
    return taps.reshape(taps.shape[0] * taps.shape[1], -1)


class Product(nn.Module, ABC):
    """A product layer; ``table`` and ``bias`` are in real units. A subclass gives the sums before the finisher."""

    def __init__(self, node: kinds.Product, in_scale: float) -> None:
        super().__init__()
        self.node, self.in_scale = node, in_scale
        self.table = nn.Parameter(torch.from_numpy(node.table * node.table_scale).float())
        self.bias = nn.Parameter(torch.from_numpy(node.bias * node.table_scale).float())

    def table_scale(self) -> Tensor:
        """Real value of one accumulator step of each column: the largest entry becomes 127."""
        return self.table.detach().abs().amax((0, 1)).clamp(min=self.node.scale * 2.0**-40) / 127

    def entries(self) -> Tensor:
        """Table entries as integers."""
        return _rounded(self.table / self.table_scale())

    @abstractmethod
    def sums(self, rows: Tensor) -> Tensor:
        """Accumulators ``(columns, rows)``."""

    def forward(self, x: Tensor) -> Tensor:
        sums = self.sums(windows(x, self.node.window))
        if self.training:
            scale = self.table_scale()
            bias = _rounded(self.bias / scale)
            y = _half_up((sums + bias[:, None]) * (scale / self.node.scale)[:, None], self.node)
        else:
            bias, multiplier, shift = (values[:, None] for values in self.finisher())
            y = _shifted((sums.to(torch.int64) + bias) * multiplier, shift, self.node)
        window = self.node.window
        return y if window is None else y.view(-1, x.shape[1], *window.output(*x.shape[2:]))

    def finisher(self) -> tuple[Tensor, Tensor, Tensor]:
        """Integer ``bias``, ``multiplier`` and ``shift`` of every column."""
        scale = self.table_scale()
        multiplier, shift = fixed_point(scale.double().numpy() / self.node.scale)
        return (self.bias.detach() / scale).round().to(torch.int64), *map(torch.from_numpy, (multiplier, shift))

    @torch.no_grad()
    def export(self) -> kinds.Product:
        """The layer as it is now, as a node of a network."""
        bias, multiplier, shift = (values.numpy() for values in self.finisher())
        return replace(self.node, bias=bias, multiplier=multiplier, shift=shift,
                       table=self.entries().numpy().astype(np.int8), table_scale=self.table_scale().double().numpy())


class Dense(Product):
    """A product by multiplication; the table holds the weights ``(reduction, 1, columns)``."""

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        weights = self.entries()[:, 0].T
        return weights @ rows if self.training else (weights.double() @ rows.double()).round()


class Lookup(Product):
    """A product by lookup; ``centroids`` are in real units, ``(codebooks, entries, length)``.

    ``log_sharpness`` is the logarithm of the inverse temperature of the soft assignment.
    """

    def __init__(self, node: kinds.Product, in_scale: float) -> None:
        super().__init__(node, in_scale)
        assert node.centroids is not None
        if node.metric is not Metric.L2:
            raise ValueError(f"layer {node.name} must use metric l2 to be trained, not {node.metric}")
        self.centroids = nn.Parameter(torch.from_numpy(node.centroids * np.float32(in_scale)))
        self.log_sharpness = nn.Parameter(torch.tensor(0.0))

    def points(self) -> Tensor:
        """Centroids as integers on the scale of the input."""
        return _rounded(self.centroids / self.in_scale).clamp(-128, 127)

    def sub_vectors(self, rows: Tensor) -> Tensor:
        """``(codebooks, length, rows)``; the last sub-vector is padded with zeros."""
        codebooks, _, length = self.centroids.shape
        return nn.functional.pad(rows, (0, 0, 0, codebooks * length - len(rows))).view(codebooks, length, -1)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        return lookup(self.sub_vectors(rows), self.points(), self.entries(), self.log_sharpness.exp())

    @torch.no_grad()
    def soften(self, x: Tensor, softness: float) -> None:
        """Set the sharpness to ``softness`` over the mean squared distance to the nearest centroid."""
        rows = self.sub_vectors(windows(x, self.node.window))
        nearest = packed_distances(rows, self.points()).amin(1) / self.centroids.shape[1]
        error = (nearest + rows.square().sum(1)).mean().clamp(min=1.0)
        self.log_sharpness.fill_(math.log(softness / float(error)))

    @torch.no_grad()
    def export(self) -> kinds.Product:
        """See :meth:`Product.export`."""
        return replace(super().export(), coding=Nearest(self.points().numpy().astype(np.int8)))


class _Glue(nn.Module):
    """A node without parameters."""

    def __init__(self, node: Any, *_: float) -> None:
        super().__init__()
        self.node = node

    def export(self) -> kinds.Node:
        """The node, as it was."""
        return self.node


class Add(_Glue):
    """Residual add."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        total = a * self.node.multipliers[0] + b * self.node.multipliers[1]  # below 2^24, exact in float32
        if self.training:
            return _half_up(total / 2**self.node.shift, self.node)
        return _shifted(total.to(torch.int64), torch.tensor(self.node.shift), self.node)


class Pool(_Glue):
    """Mean over the whole image."""

    def forward(self, x: Tensor) -> Tensor:
        total = x.sum((2, 3), keepdim=True)
        if self.training:
            return _half_up(total * (self.node.multiplier / 2**self.node.shift), self.node)
        return _shifted(total.to(torch.int64) * self.node.multiplier, torch.tensor(self.node.shift), self.node)


class Flatten(_Glue):
    """``(channels, batch, height, width)`` to ``(features, batch)``, channels fastest."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(2, 3, 0, 1).flatten(0, 2)


def module(node: kinds.Node, in_scale: float) -> nn.Module:
    """The module of a node; ``in_scale`` is the real value of one step of its (first) input."""
    match node:
        case kinds.Product():
            return (Dense if node.centroids is None else Lookup)(node, in_scale)
        case kinds.Add():
            return Add(node)
        case kinds.AvgPool(window=None):
            return Pool(node)
        case kinds.Flatten():
            return Flatten(node)
    raise ValueError(f"a network to train must hold products, adds, global average pools and flattens, "
                     f"not {node.name}, a {type(node).__name__}")

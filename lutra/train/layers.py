"""Steps of a network in integers that can be trained: what they compute in evaluation mode is what ships.

Values are integers held in float32, ``(channels, batch, height, width)`` or ``(features, batch)``: the rows of a
product are then contiguous. In training mode rounding passes gradients straight through and the rescale factor is
real; in evaluation mode it is the pair ``multiplier``, ``shift`` and every value equals the golden model's.
"""

import math

import numpy as np
import torch
from lutra_model import network as kinds
from torch import Tensor, nn

from .nearest import lookup

__all__ = ["Add", "Dense", "Lookup", "Pool", "Product", "fixed_point", "rounded", "windows"]


def rounded(x: Tensor) -> Tensor:
    """Half to even, with the gradient of the identity."""
    return x + (torch.round(x) - x).detach()


def fixed_point(factor: float, bits: int = 16) -> tuple[int, int]:
    """``multiplier`` of ``bits`` bits and ``shift`` with ``multiplier / 2^shift`` nearest to ``factor``."""
    shift = min(63, bits - math.frexp(factor)[1])
    multiplier = round(math.ldexp(factor, shift))
    return (multiplier, shift) if multiplier < 1 << bits else (multiplier // 2, shift - 1)


def _half_up(x: Tensor, low: int, high: int) -> Tensor:
    return (x + (torch.floor(x + 0.5) - x).detach()).clamp(low, high)


def _shifted(x: Tensor, shift: Tensor, low: int, high: int) -> Tensor:
    """``clamp((x + 2^(shift-1)) >> shift, low, high)`` of integers."""
    return (x + (torch.ones_like(shift) << shift - 1) >> shift).clamp(low, high).float()


def windows(x: Tensor, window: kinds.Window | None) -> Tensor:
    """Rows of a product, transposed: ``(reduction, rows)``, in the order channel, kernel row, kernel column."""
    if window is None:
        return x
    top, left, bottom, right = window.padding
    padded = nn.functional.pad(x, (left, right, top, bottom))
    height, width = window.output(*x.shape[2:])
    (down, across), (rows, columns) = window.stride, window.kernel
    taps = [padded[:, :, i:i + (height - 1) * down + 1:down, j:j + (width - 1) * across + 1:across]
            for i in range(rows) for j in range(columns)]
    return torch.stack(taps, 1).reshape(len(x) * len(taps), -1)


class Product(nn.Module):
    """A product layer; a subclass gives the sums before the finisher.

    ``table`` and ``bias`` are in real units, ``in_scale`` and ``out_scale`` the real values of one step.
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear, in_scale: float, out_scale: float, low: int) -> None:
        super().__init__()
        self.window = None
        if isinstance(layer, nn.Conv2d):
            padding = (*layer.padding, *layer.padding)
            self.window = kinds.Window(kernel=layer.kernel_size, stride=layer.stride, padding=padding)
        self.reduction = layer.weight[0].numel()
        self.in_scale, self.out_scale, self.low = in_scale, out_scale, low
        self.bias = nn.Parameter(layer.bias.detach().clone())

    def table_scale(self) -> Tensor:
        """Real value of one accumulator step, for each column."""
        return self.table.detach().abs().amax((0, 1)).clamp(min=1e-8) / 127

    def entries(self) -> Tensor:
        """Table entries as integers."""
        return rounded(self.table / self.table_scale())

    def sums(self, rows: Tensor) -> Tensor:
        """Accumulators ``(columns, rows)``."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        sums = self.sums(windows(x, self.window))
        scale = self.table_scale()
        if self.training:
            bias = rounded(self.bias / scale)
            y = _half_up((sums + bias[:, None]) * (scale / self.out_scale)[:, None], self.low, 127)
        else:
            bias, multiplier, shift = (values[:, None] for values in self.finisher())
            y = _shifted((sums.to(torch.int64) + bias) * multiplier, shift, self.low, 127)
        return y if self.window is None else y.view(-1, x.shape[1], *self.window.output(*x.shape[2:]))

    def finisher(self) -> tuple[Tensor, Tensor, Tensor]:
        """Integer ``bias``, ``multiplier`` and ``shift`` of every column."""
        scale = self.table_scale()
        pairs = [fixed_point(float(step) / self.out_scale) for step in scale]
        return torch.round(self.bias.detach() / scale).to(torch.int64), *torch.tensor(pairs).unbind(1)

    @torch.no_grad()
    def export(self, name: str, inputs: tuple[str, ...]) -> kinds.Product:
        """The layer as a node of a network."""
        bias, multiplier, shift = (values.numpy() for values in self.finisher())
        centroids = self.points().numpy().astype(np.int8) if isinstance(self, Lookup) else None
        return kinds.Product(name=name, inputs=inputs, scale=self.out_scale, low=self.low, bias=bias,
                             multiplier=multiplier, shift=shift, centroids=centroids, window=self.window,
                             table=self.entries().numpy().astype(np.int8), reduction=self.reduction,
                             table_scale=self.table_scale().numpy().astype(np.float64))


class Dense(Product):
    """A product by multiplication; the table holds the weights ``(reduction, 1, columns)``."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, in_scale: float, out_scale: float, low: int) -> None:
        super().__init__(layer, in_scale, out_scale, low)
        self.table = nn.Parameter(layer.weight.detach().flatten(1).T[:, None] * in_scale)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`; in float64, which holds every sum."""
        return self.entries()[:, 0].T.double() @ rows.double()


class Lookup(Product):
    """A product by lookup; ``centroids`` are in real units, ``(codebooks, entries, length)``."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, in_scale: float, out_scale: float, low: int,
                 centroids: Tensor, table: Tensor, sharpness: float) -> None:
        super().__init__(layer, in_scale, out_scale, low)
        self.centroids, self.table = nn.Parameter(centroids), nn.Parameter(table)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(sharpness)))

    def points(self) -> Tensor:
        """Centroids as integers on the scale of the input."""
        return rounded(self.centroids / self.in_scale).clamp(-128, 127)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        codebooks, _, length = self.centroids.shape
        return lookup(rows.reshape(codebooks, length, -1), self.points(), self.entries(),
                      self.log_sharpness.exp())


class Add(nn.Module):
    """Residual add of values with scales ``a`` and ``b``."""

    def __init__(self, a: float, b: float, out_scale: float, low: int) -> None:
        super().__init__()
        self.out_scale, self.low = out_scale, low
        larger, shift = fixed_point(max(a, b) / out_scale)
        self.shift = shift
        self.multipliers = tuple(larger if scale == max(a, b) else round(math.ldexp(scale / out_scale, shift))
                                 for scale in (a, b))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        total = a * self.multipliers[0] + b * self.multipliers[1]  # below 2^24, exact in float32
        if self.training:
            return _half_up(total / 2**self.shift, self.low, 127)
        return _shifted(total.to(torch.int64), torch.tensor(self.shift), self.low, 127)

    def export(self, name: str, inputs: tuple[str, ...]) -> kinds.Add:
        """The step as a node of a network."""
        return kinds.Add(name=name, inputs=inputs, scale=self.out_scale, low=self.low,
                         multipliers=self.multipliers, shift=self.shift)


class Pool(nn.Module):
    """Mean over images of ``pixels`` pixels, kept as ``(channels, batch)``."""

    def __init__(self, pixels: int, in_scale: float, out_scale: float) -> None:
        super().__init__()
        self.out_scale = out_scale
        self.multiplier, self.shift = fixed_point(in_scale / out_scale / pixels)

    def forward(self, x: Tensor) -> Tensor:
        total = x.sum((2, 3))
        if self.training:
            return _half_up(total * (self.multiplier / 2**self.shift), -128, 127)
        return _shifted(total.to(torch.int64) * self.multiplier, torch.tensor(self.shift), -128, 127)

    def export(self, name: str, inputs: tuple[str, ...]) -> kinds.AvgPool:
        """The step as a node of a network."""
        return kinds.AvgPool(name=name, inputs=inputs, scale=self.out_scale, multiplier=self.multiplier,
                             shift=self.shift)

"""Nodes without parameters."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lutra_model import network as kinds

from .rounding import half_up, shifted

__all__ = ["Add", "Channels", "Clamp", "Concat", "Flatten", "Glue", "Largest", "Pool"]


class Glue(nn.Module):
    """A node without parameters."""

    def __init__(self, node: Any, *_: float) -> None:
        super().__init__()
        self.node = node

    def export(self) -> kinds.Node:
        """The node, as it was."""
        return self.node


class Add(Glue):
    """Residual add."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        total = a * self.node.multipliers[0] + b * self.node.multipliers[1]  # below 2^24, exact in float32
        if self.training:
            return half_up(total / 2**self.node.shift, self.node)
        return shifted(total.to(torch.int64), torch.tensor(self.node.shift), self.node)


def _padded(x: Tensor, window: kinds.Window, value: float) -> Tensor:
    """The image with a border of ``value``."""
    top, left, bottom, right = window.padding
    return functional.pad(x, (left, right, top, bottom), value=value) if any(window.padding) else x


class Pool(Glue):
    """Mean of each window, or of the whole image."""

    def forward(self, x: Tensor) -> Tensor:
        window = self.node.window or kinds.Window(kernel=tuple(x.shape[2:]))
        total = functional.avg_pool2d(_padded(x, window, 0.0), window.kernel, window.stride, divisor_override=1)
        if self.training:
            return half_up(total * (self.node.multiplier / 2**self.node.shift), self.node)
        return shifted(total.to(torch.int64) * self.node.multiplier, torch.tensor(self.node.shift), self.node)


class Largest(Glue):
    """Largest value of each window."""

    def forward(self, x: Tensor) -> Tensor:
        window = self.node.window
        return functional.max_pool2d(_padded(x, window, -128.0), window.kernel, window.stride)


class Clamp(Glue):
    """A clamp that no product absorbed."""

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(self.node.low, self.node.high)


class Flatten(Glue):
    """``(channels, batch, height, width)`` to ``(features, batch)``, channels fastest."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(2, 3, 0, 1).flatten(0, 2) if x.ndim == 4 else x


class Concat(Glue):
    """Channels of several values, one after the other."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs)


class Channels(Glue):
    """Some of the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return x[self.node.first:self.node.first + self.node.count]

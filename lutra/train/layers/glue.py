"""Nodes without parameters."""

from typing import Any

import torch
from torch import Tensor, nn

from lutra_model import network as kinds

from .rounding import half_up, shifted

__all__ = ["Add", "Flatten", "Glue", "Pool"]


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


class Pool(Glue):
    """Mean over the whole image."""

    def forward(self, x: Tensor) -> Tensor:
        total = x.sum((2, 3), keepdim=True)
        if self.training:
            return half_up(total * (self.node.multiplier / 2**self.node.shift), self.node)
        return shifted(total.to(torch.int64) * self.node.multiplier, torch.tensor(self.node.shift), self.node)


class Flatten(Glue):
    """``(channels, batch, height, width)`` to ``(features, batch)``, channels fastest."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(2, 3, 0, 1).flatten(0, 2)

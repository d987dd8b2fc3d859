"""The golden model's roundings; in training they pass gradients straight through."""

import torch
from torch import Tensor

from lutra_model.network import Node

__all__ = ["half_up", "rounded", "shifted"]


def rounded(x: Tensor) -> Tensor:
    """Half to even, with the gradient of the identity."""
    return x + (torch.round(x) - x).detach()


def shifted(x: Tensor, shift: Tensor, node: Node) -> Tensor:
    """``clamp((x + 2^(shift-1)) >> shift, low, high)`` of integers."""
    return (x + (torch.ones_like(shift) << shift - 1) >> shift).clamp(node.low, node.high).float()


def half_up(x: Tensor, node: Node) -> Tensor:
    """The same of a real number, with the gradient of the clamp."""
    return (x + (torch.floor(x + 0.5) - x).detach()).clamp(node.low, node.high)

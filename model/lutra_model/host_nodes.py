"""Nodes that the machine does not run: the host computes them by the golden model's integer rules."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from .nodes import Node, Shape

__all__ = ["Elementwise", "Multiply", "Permute", "Softmax"]


def _checked(node: Node, what: str, values: NDArray[np.integer], low: int, high: int) -> None:
    if values.size and not low <= values.min() <= values.max() <= high:
        raise ValueError(f"{what} of {node.name} must be {low} to {high}, not {values.min()} to {values.max()}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Elementwise(Node):
    """Any function of one value: ``table[x + 128, channel]``.

    ``table`` is int8 ``(256, channels)``, or ``(256, 1)`` where all channels share one function.
    """

    table: NDArray[np.int8]

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        if self.table.shape not in ((256, 1), (256, inputs[0][-1])):
            raise ValueError(f"table of {self.name} must have shape (256, 1) or (256, {inputs[0][-1]}), "
                             f"not {self.table.shape}")
        return inputs[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Multiply(Node):
    """``clamp((a * b * multiplier + 2^(shift-1)) >> shift, low, high)``; ``b`` may be one pixel for all of ``a``."""

    multiplier: int
    shift: int

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        a, b = inputs
        if a != b and b != (1,) * (len(a) - 1) + a[-1:]:
            raise ValueError(f"multiply {self.name} needs two inputs of one shape, or one pixel as the second, "
                             f"not {a} and {b}")
        return a


@dataclass(frozen=True, kw_only=True, eq=False)
class Permute(Node):
    """Values at other places: ``y.flat[i] = x.flat[order[i]]``, as an array of shape ``to`` (without the batch)."""

    order: NDArray[np.int64]
    to: Shape

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        if self.order.shape != (prod(self.to),):
            raise ValueError(f"order of {self.name} must have shape ({prod(self.to)},), not {self.order.shape}")
        _checked(self, "order", self.order, 0, prod(inputs[0]) - 1)
        return self.to


@dataclass(frozen=True, kw_only=True, eq=False)
class Softmax(Node):
    """``(2 * peak * e + total) // (2 * total)`` with ``e = exponentials[max - x]``, over the channels of a pixel.

    ``exponentials`` is int64 ``(256,)``, ``round(2^16 exp(-d * input scale))``; ``peak`` stands for 1.
    """

    exponentials: NDArray[np.int64]
    peak: int

    def __post_init__(self) -> None:
        if self.exponentials.shape != (256,):
            raise ValueError(f"exponentials of {self.name} must have shape (256,), not {self.exponentials.shape}")
        _checked(self, "exponentials", self.exponentials, 0, 2**16)
        if self.exponentials[0] < 1:
            raise ValueError(f"the first exponential of {self.name} must be at least 1, not {self.exponentials[0]}")

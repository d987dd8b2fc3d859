"""Nodes whose functions are piecewise linear tables: functions of one value, row softmax, row norm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .nodes import Node, Shape
from .piecewise import Piecewise

__all__ = ["MOST_CHANNELS", "Function", "LayerNorm", "RowSoftmax"]

MOST_CHANNELS = 1 << 11  # of a row: sums have that many addends


def _check(node: Node, what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} of {node.name} must be {low} to {high}, not {value}")


def _row(node: Node, shape: Shape) -> Shape:
    if not 1 <= shape[-1] <= MOST_CHANNELS:
        raise ValueError(f"rows of {node.name} must have 1 to {MOST_CHANNELS} channels, not {shape[-1]}")
    return shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Function(Node):
    """``clamp(P(x16), low, high)`` with ``x16 = clamp((x * multiplier + half) >> shift, -32768, 32767)``.

    The default factor is 256: all values of int8 spread over 16 bits.
    """

    function: Piecewise
    multiplier: int = 1 << 15
    shift: int = 7

    def __post_init__(self) -> None:
        _check(self, "multiplier", self.multiplier, 0, 2**16 - 1)
        _check(self, "shift", self.shift, 1, 63)

    @property
    def functions(self) -> tuple[Piecewise, ...]:
        """What it has in function memory."""
        return (self.function,)


@dataclass(frozen=True, kw_only=True, eq=False)
class RowSoftmax(Node):
    """Softmax over the channels of each pixel, with two tables and no division.

    ``e = clamp(exponential(x - max x), 0, 32767)``, ``S = sum e``, ``z = floor(log2 S)``,
    ``u = floor(S * 2^(14 - z))``, ``r = clamp(reciprocal(u), 0, 32767)``, ``v = (e * r) >> z``,
    ``y = clamp((v * multiplier + half) >> shift, low, high)``.

    Parameters
    ----------
    exponential : about ``2^15 exp(d * input scale)`` for ``d`` in -255..0.
    reciprocal : about ``2^29 / u`` for ``u`` in 2^14..2^15 - 1.
    """

    exponential: Piecewise
    reciprocal: Piecewise
    multiplier: int
    shift: int

    def __post_init__(self) -> None:
        _check(self, "multiplier", self.multiplier, 0, 2**16 - 1)
        _check(self, "shift", self.shift, 1, 63)

    @property
    def functions(self) -> tuple[Piecewise, ...]:
        """What it has in function memory."""
        return (self.exponential, self.reciprocal)

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        return _row(self, inputs[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerNorm(Node):
    """Each pixel's channels less their mean, by their deviation, scaled and moved; one table and no division.

    With ``n`` channels: ``D = n * sum x^2 - (sum x)^2 + epsilon``, ``e = floor(log2 D)`` without its last bit,
    ``u = floor(D * 2^(12 - e))``, ``r = clamp(root(u), 0, 32767)``, ``v = ((n * x - sum x) * r) >> (e / 2 + 3)``,
    ``y = clamp(((v + bias) * multiplier + half) >> shift)``.

    Parameters
    ----------
    root : about ``2^21 / sqrt(u)`` for ``u`` in 2^12..2^14 - 1.
    epsilon : 1 to 2^32 - 1.
    bias, multiplier, shift : int64 ``(channels,)``: 32, 17 and 6 bits, the first two signed; ``v`` is ``2^12`` times
        the normalised value.
    """

    root: Piecewise
    epsilon: int
    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]

    def __post_init__(self) -> None:
        _check(self, "epsilon", self.epsilon, 1, 2**32 - 1)
        for what, low, high in [("bias", -(2**31), 2**31 - 1), ("multiplier", 1 - 2**16, 2**16 - 1), ("shift", 1, 63)]:
            values = getattr(self, what)
            if values.shape != self.bias.shape or values.ndim != 1 or not len(values):
                raise ValueError(f"{what} of {self.name} must have shape ({len(self.bias)},), not {values.shape}")
            _check(self, what, int(values.min()), low, high)
            _check(self, what, int(values.max()), low, high)

    @property
    def functions(self) -> tuple[Piecewise, ...]:
        """What it has in function memory."""
        return (self.root,)

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        if inputs[0][-1] != len(self.bias):
            raise ValueError(f"norm {self.name} needs {len(self.bias)} channels, its input is {inputs[0]}")
        return _row(self, inputs[0])

"""Random piecewise functions, and nodes that hold them."""

import numpy as np

from lutra_model.function_nodes import Function, LayerNorm, RowSoftmax
from lutra_model.piecewise import SEGMENTS, Piecewise

__all__ = ["function", "layer_norm", "piecewise", "row_softmax"]


def piecewise(rng: np.random.Generator, low: int = -(2**15), high: int = 2**15 - 1, most: int = 127) -> Piecewise:
    """Any table that reaches about ``most`` between ``low`` and ``high``; it jumps, and may have empty segments."""
    segments = int(rng.choice([SEGMENTS, SEGMENTS, SEGMENTS, 1, 2, 5, 9]))
    breakpoints = np.sort(rng.integers(low, high + 1, segments - 1))
    if segments > 3:
        breakpoints[1] = breakpoints[0]
    steep = 2 * most / (high - low + 1)
    shift = int(np.clip(14 - np.ceil(np.log2(steep)), 0, 22))
    slopes = np.clip(np.rint(rng.normal(0, steep, segments) * 2**shift), -(2**15), 2**15 - 1).astype(np.int64)
    levels = rng.integers(-most, most + 1, segments) << shift
    starts = np.concatenate([[low], breakpoints])
    intercepts = np.clip(levels - slopes * starts, -(2**31), 2**31 - 1)
    return Piecewise(breakpoints=breakpoints, slopes=slopes, intercepts=intercepts, shift=shift)


def function(rng: np.random.Generator, name: str, source: str) -> Function:
    """A function of each value."""
    return Function(name=name, inputs=(source,), scale=1.0, low=int(rng.choice([-128, -100, 0])),
                    function=piecewise(rng), multiplier=int(rng.integers(2**13, 2**16)), shift=7)


def row_softmax(rng: np.random.Generator, name: str, source: str) -> RowSoftmax:
    """Tables that are no exponential and no reciprocal, but stay in the range of such."""
    return RowSoftmax(name=name, inputs=(source,), scale=1.0, high=int(rng.choice([127, 90])),
                      exponential=piecewise(rng, -255, 0, 2**14), reciprocal=piecewise(rng, 2**14, 2**15, 2**15),
                      multiplier=int(rng.integers(2**13, 2**16)), shift=int(rng.integers(20, 24)))


def layer_norm(rng: np.random.Generator, name: str, source: str, channels: int) -> LayerNorm:
    """Any table and any parameters, with multipliers of both signs."""
    return LayerNorm(name=name, inputs=(source,), scale=1.0, low=int(rng.choice([-128, -100])),
                     root=piecewise(rng, 2**12, 2**14, 2**15), epsilon=int(rng.choice([1, 1000, 2**32 - 1])),
                     bias=rng.integers(-(2**13), 2**13, channels), shift=rng.integers(20, 23, channels),
                     multiplier=rng.integers(-(2**16) + 1, 2**16, channels))

"""The steps between products as integer nodes: one rule of rounding for each kind."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import function_makers
from .attention import MatMul
from .graph import (
    AveragePool,
    Flattening,
    Function,
    Gate,
    Joining,
    MaximumPool,
    Moving,
    Normaliser,
    Pointwise,
    Rectifier,
    Residual,
    Step,
)
from .graph_tokens import Attending, RowNormaliser
from .host_nodes import Elementwise, Multiply, Permute, Softmax
from .nodes import Add, AvgPool, Clamp, Concat, Flatten, MaxPool, Node, Shape
from .requantise import fixed_point, shared_shift

__all__ = ["limits", "node"]

Seen = NDArray[np.floating[Any]] | None


def limits(step: Step, scale: float) -> tuple[int, int]:
    """A step's clamp on its output scale."""
    low, high = (int(np.clip(np.rint(limit / scale), -128, 127)) if np.isfinite(limit) else full
                 for limit, full in ((step.low, -128), (step.high, 127)))
    return low, high


def _elementwise(step: Pointwise, given: float, scale: float, low: int, high: int, common: dict[str, Any]) -> Node:
    """The function at every int8 value; where it is not defined, 0."""
    real = np.nan_to_num(step.function(np.arange(-128, 128)[:, None] * np.float64(given)))
    return Elementwise(**common, table=np.clip(np.rint(real / scale), low, high).astype(np.int8))


def _tabled(step: Step, given: float, scale: float, low: int, high: int, seen: Seen) -> Node | None:
    """A step whose functions are piecewise linear tables, or None where it has none."""
    name, (source, *_) = step.name, step.inputs
    common: dict[str, Any] = {"input_scale": given, "scale": scale, "low": low, "high": high}
    match step:
        case RowNormaliser():
            return function_makers.layer_norm(name, source, step.gain, step.offset, epsilon=step.epsilon, **common)
        case Normaliser():
            return function_makers.row_softmax(name, source, **common)
        case Pointwise() if step.function(np.zeros((1, 1))).shape[1] == 1:
            return function_makers.function(name, source, _column(step.function), seen=seen, **common)
    return None


def _column(function: Function) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """A function of ``(n, 1)`` values as one of ``(n,)``."""
    return lambda x: function(x[:, None])[:, 0]


def node(step: Step, scales: Sequence[float], shape: Shape, functions: bool = False, seen: Seen = None) -> Node:
    """A step as integers; ``scales`` are those of its inputs and its own, ``shape`` is its first input's.

    ``functions``: softmax and functions of one value are piecewise linear tables, which the machine runs; else the
    host does. Row norms always are. ``seen`` are real inputs that a table of one value is fitted to.
    """
    *given, scale = scales
    low, high = limits(step, scale)
    common: dict[str, Any] = {"name": step.name, "inputs": step.inputs, "scale": scale, "low": low, "high": high}
    if (functions or isinstance(step, RowNormaliser)) and (found := _tabled(step, given[0], scale, low, high, seen)):
        return found
    match step:
        case Residual():
            (one, other), shift = shared_shift(given[0] / scale, given[1] / scale)
            return Add(**common, multipliers=(one, other), shift=shift)
        case AveragePool():
            size = prod(step.window.kernel if step.window else shape[:2])
            factor, places = fixed_point(given[0] / (scale * size))
            return AvgPool(**common, multiplier=int(factor), shift=int(places), window=step.window)
        case Gate():
            factor, places = fixed_point(given[0] * given[1] / scale)
            return Multiply(**common, multiplier=int(factor), shift=int(places))
        case Attending():
            factor, places = fixed_point(step.factor * given[0] * given[1] / scale)
            return MatMul(**common, heads=step.heads, transposed=step.transposed, merged=step.merged,
                          multiplier=int(factor), shift=int(places), factor=step.factor)
        case Pointwise():
            return _elementwise(step, given[0], scale, low, high, common)
        case Normaliser():
            parts = np.rint(2**16 * np.exp(-np.arange(256) * np.float64(given[0]))).astype(np.int64)
            return Softmax(**common, exponentials=parts, peak=max(1, round(1 / scale)))
        case MaximumPool():
            return MaxPool(**common, window=step.window)
        case Rectifier():
            return Clamp(**common)
        case Flattening():
            return Flatten(**common)
        case Joining():
            return Concat(**common)
        case Moving():
            return Permute(**common, order=step.order, to=step.places.shape)
    raise TypeError(f"step {step.name} must be of a known kind, not {type(step).__name__}")

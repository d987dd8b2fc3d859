"""Scale and bias of each column of integer weights, which every scheme that has such weights may fit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .base import Layer, Options

__all__ = ["step_and_bias"]

Real = NDArray[np.float64]


def _sums(layer: Layer, weights: NDArray[np.signedinteger[Any]]) -> Real:
    """The golden sums of the calibration data, ``(rows, groups * columns)``."""
    groups = layer.step.groups
    parts = zip(np.split(layer.columns(), groups), np.split(weights, groups, axis=1), strict=True)
    return np.concatenate([kernels.multiply(rows, part) for rows, part in parts], axis=1).astype(np.float64)


def step_and_bias(layer: Layer, weights: NDArray[np.signedinteger[Any]], size: Real,
                  options: Options) -> tuple[Real, Real]:
    """The real value of one in a column's sum, and the column's bias, ``(groups * columns,)`` each.

    ``weights`` are the integers ``(reduction, groups * columns)`` by which activations are multiplied, ``size`` what
    they are in steps of the real weights. With ``options.refine`` both are those that bring the sums of the calibration
    data nearest to the float layer's outputs, in squares; a column whose sums do not go with them keeps its step.
    """
    step = size * layer.input_scale
    if not options.refine:
        return step, layer.step.bias
    sums, target = _sums(layer, weights), layer.target()
    mean, wanted = sums.mean(axis=0), target.mean(axis=0, dtype=np.float64)
    sums -= mean
    spread = (sums * sums).sum(axis=0)
    slope = np.divide((sums * (target - wanted)).sum(axis=0), spread, out=np.zeros_like(step), where=spread > 0)
    step = np.where(slope > 0, slope, step)
    return step, wanted - step * mean

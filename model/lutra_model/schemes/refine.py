"""What may be fitted to the float layer's outputs: weights, and scale and bias of each column of integer sums."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .base import Layer, Options

__all__ = ["followed", "nearest_line", "step_and_bias"]

Real = NDArray[np.float64]
STIFF = 0.01  # how firmly weights stay where they are, of the mean square of the activations


def _sums(layer: Layer, weights: NDArray[np.signedinteger[Any]]) -> Real:
    """The golden sums of the calibration data, ``(rows, groups * columns)``."""
    groups = layer.step.groups
    parts = zip(np.split(layer.columns(), groups), np.split(weights, groups, axis=1), strict=True)
    return np.concatenate([kernels.multiply(rows, part) for rows, part in parts], axis=1).astype(np.float64)


def followed(weight: Real, activations: Real, target: NDArray[Any]) -> Real:
    """Weights ``(reduction, columns)`` that make ``target`` from the rounded ``activations``, by ridge regression.

    ``activations`` are ``(reduction, rows)``, ``target`` is ``(rows, columns)``; an offset of either counts nowhere.
    The fewer rows there are, the firmer weights stay where they are.
    """
    x = activations - activations.mean(axis=1, keepdims=True)
    gram = x @ x.T
    ridge = (STIFF + len(x) / x.shape[1]) * gram.trace() / len(x)
    if ridge == 0:
        return weight
    gram[np.diag_indices(len(gram))] += ridge
    found: Real = weight + np.linalg.solve(gram, x @ (target - target.mean(axis=0) - x.T @ weight))
    return found


def nearest_line(sums: Real, target: NDArray[Any], step: Real) -> tuple[Real, Real]:
    """Step and bias of each column, ``(columns,)``: ``step * sums + bias`` is nearest to the target, in squares.

    ``sums`` and ``target`` are ``(rows, columns)``. A column whose sums do not go with the target keeps its ``step``.
    """
    mean, wanted = sums.mean(axis=0), target.mean(axis=0, dtype=np.float64)
    away = sums - mean
    spread = (away * away).sum(axis=0)
    slope = np.divide((away * (target - wanted)).sum(axis=0), spread, out=np.zeros_like(step), where=spread > 0)
    step = np.where(slope > 0, slope, step)
    return step, wanted - step * mean


def step_and_bias(layer: Layer, weights: NDArray[np.signedinteger[Any]], size: Real,
                  options: Options) -> tuple[Real, Real]:
    """The real value of one in a column's sum, and the column's bias, ``(groups * columns,)`` each.

    ``weights`` are the integers ``(reduction, groups * columns)`` by which activations are multiplied, ``size`` what
    they are in steps of the real weights. With ``options.refine`` both are those that bring the sums of the calibration
    data nearest to the float layer's outputs, see `nearest_line`.
    """
    step = size * layer.input_scale
    return nearest_line(_sums(layer, weights), layer.target(), step) if options.refine else (step, layer.step.bias)

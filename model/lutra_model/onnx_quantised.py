"""Quantised models: pairs of QuantizeLinear and DequantizeLinear are clamps, and tell the range of a value.

Weights in QDQ form are constants, which were dequantised when the file was opened. Lutra's own int8 scales are
symmetric: a pair's zero point shows in its range of real values only.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .onnx_functions import CLAMPING
from .onnx_walk import Value, Walk, refused

__all__ = ["dequantise", "quantise"]


def _scalars(walk: Walk, node: onnx.NodeProto) -> tuple[float, int, np.iinfo]:
    """Scale, zero point and type of a quantised activation."""
    scale = walk.constant(node, 1, "scale")
    if scale.size != 1:
        raise refused(node, f"must have one scale for the whole activation, not {scale.size}")
    if len(node.input) < 3 or not node.input[2]:
        return float(scale.ravel()[0]), 0, np.iinfo(np.uint8)
    zero: NDArray[Any] = walk.model.constants[node.input[2]]
    if not np.issubdtype(zero.dtype, np.integer):
        raise refused(node, f"must quantise to integers, not to {zero.dtype}")
    return float(scale.ravel()[0]), int(zero.ravel()[0]), np.iinfo(zero.dtype)


def quantise(walk: Walk, node: onnx.NodeProto) -> None:
    """A clamp to what the integers hold, by the step before if nothing else reads it."""
    value: Value = walk.value(node)
    scale, zero, limits = _scalars(walk, node)
    low, high = (limits.min - zero) * scale, (limits.max - zero) * scale
    walk.ranges[value.step] = (low, high)
    step = walk.steps.get(value.step)
    if isinstance(step, CLAMPING) and not value.shared:
        walk.absorb(node, value, low=min(max(step.low, low), high), high=min(max(step.high, low), high))
    else:
        walk.alias(node, value)


def dequantise(walk: Walk, node: onnx.NodeProto) -> None:
    """Nothing: values stay real numbers."""
    _scalars(walk, node)
    walk.alias(node, walk.value(node))

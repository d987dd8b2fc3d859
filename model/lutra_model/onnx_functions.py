"""ONNX operators on one activation: clamps and functions of single values."""

import numpy as np
import onnx
from numpy.typing import NDArray

from .graph import Affine, AveragePool, Gate, Normaliser, Pointwise, Rectifier, Residual
from .graph_tokens import Attending, RowNormaliser
from .onnx_file import computed
from .onnx_products import per_channel
from .onnx_walk import Value, Walk, attributes

__all__ = ["CLAMPING", "clamp", "clip", "function", "relu"]

CLAMPING = (Affine, Residual, Gate, AveragePool, Pointwise, Rectifier, Normaliser, Attending, RowNormaliser)


def clamp(walk: Walk, node: onnx.NodeProto, value: Value, low: float, high: float) -> None:
    """``min(max(x, low), high)``, by the step that makes ``value`` if nothing else reads it."""
    step = walk.steps.get(value.step)
    if step is not None and step.low >= low and step.high <= high:
        walk.alias(node, value)
    elif isinstance(step, CLAMPING) and not value.shared:
        walk.absorb(node, value, low=min(max(step.low, low), high), high=min(max(step.high, low), high))
    else:
        walk.add(node, Rectifier, value.places, value, low=low, high=high)


def relu(walk: Walk, node: onnx.NodeProto) -> None:
    """Nothing negative."""
    clamp(walk, node, walk.whole(node), 0.0, np.inf)


def clip(walk: Walk, node: onnx.NodeProto) -> None:
    """Limits that are attributes or constants."""
    given = attributes(node)
    limits = [given.get("min", -np.inf), given.get("max", np.inf)]
    for place in (1, 2):
        if len(node.input) > place and node.input[place]:
            limits[place - 1] = float(walk.constant(node, place, "limit").ravel()[0])
    clamp(walk, node, walk.whole(node), *limits)


def function(walk: Walk, node: onnx.NodeProto) -> None:
    """Any function of one value, as ONNX's reference computes it; channels may have constants of their own (PRelu)."""
    value = walk.whole(node)
    constants = {name: per_channel(node, value, walk.constant(node, place, "parameter")).astype(np.float32)
                 for place, name in enumerate(node.input) if place}
    root, inner = walk.rooted(value)
    opsets = walk.model.proto.opset_import

    def outer(x: NDArray[np.float64]) -> NDArray[np.float64]:
        given = inner(x)
        if constants:
            given = np.broadcast_to(given, (len(x), value.places.shape[-1]))
        with np.errstate(all="ignore"):  # a logarithm of what never comes is nothing to warn of
            found = computed(node, opsets, constants | {node.input[0]: given.astype(np.float32)})[0]
        return found.astype(np.float64)

    walk.add(node, Pointwise, value.places, Value(step=root, places=value.places, shared=False), function=outer)

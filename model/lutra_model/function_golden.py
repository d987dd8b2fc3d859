"""Golden values of the nodes with piecewise linear tables (docs/arithmetic.md)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .function_nodes import Function, LayerNorm, RowSoftmax
from .piecewise import INPUT

__all__ = ["function", "layer_norm", "leading_one", "norm_values", "row_softmax", "softmax_shares"]

Int8 = NDArray[np.int8]
Wide = NDArray[np.int64]
TOP = 2**15 - 1  # of an exponential, a reciprocal, a root


def _rescaled(values: Wide, multiplier: Any, shift: Any, low: int, high: int) -> Wide:
    half = np.int64(1) << np.asarray(shift, np.int64) - 1
    return np.clip((values * multiplier + half) >> shift, low, high)


def leading_one(values: Wide) -> Wide:
    """Place of the highest bit that is set, ``floor(log2(value))``; values are 1 to 2^53 - 1."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64) - 1


def _shifted(values: Wide, left: Wide) -> Wide:
    """``floor(value * 2^left)``."""
    return np.where(left > 0, values << np.maximum(left, 0), values >> np.maximum(-left, 0))


def function(node: Function, x: Int8) -> Int8:
    """Each value, spread over 16 bits, through the table."""
    wide = _rescaled(x.astype(np.int64), node.multiplier, node.shift, *INPUT)
    return np.clip(node.function.evaluate(wide), node.low, node.high).astype(np.int8)


def softmax_shares(node: RowSoftmax, x: Int8) -> Wide:
    """``v``, about ``2^15`` times each value's share of its row, before the finisher."""
    below = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    parts = np.clip(node.exponential.evaluate(below), 0, TOP)
    total = np.maximum(parts.sum(axis=-1, keepdims=True), 1)
    place = leading_one(total)
    inverse = np.clip(node.reciprocal.evaluate(_shifted(total, 14 - place)), 0, TOP)
    return (parts * inverse) >> place


def row_softmax(node: RowSoftmax, x: Int8) -> Int8:
    """Shares of the exponentials in their sum over the channels."""
    return _rescaled(softmax_shares(node, x), node.multiplier, node.shift, node.low, node.high).astype(np.int8)


def norm_values(node: LayerNorm, x: Int8) -> Wide:
    """``v``, about ``2^12`` times the normalised values, before the finisher."""
    wide, count = x.astype(np.int64), x.shape[-1]
    total, squares = wide.sum(axis=-1, keepdims=True), (wide * wide).sum(axis=-1, keepdims=True)
    spread = count * squares - total * total + node.epsilon
    even = leading_one(spread) & ~1
    inverse = np.clip(node.root.evaluate(_shifted(spread, 12 - even)), 0, TOP)
    return ((count * wide - total) * inverse) >> (even // 2 + 3)


def layer_norm(node: LayerNorm, x: Int8) -> Int8:
    """Rows with mean 0 and deviation 1, scaled and moved channel by channel."""
    moved = norm_values(node, x) + node.bias
    return _rescaled(moved, node.multiplier, node.shift, node.low, node.high).astype(np.int8)

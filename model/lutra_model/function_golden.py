"""Golden values of the nodes with piecewise linear tables (docs/arithmetic.md)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .function_nodes import Function, LayerNorm, RowSoftmax
from .piecewise import INPUT, Piecewise

__all__ = ["function", "layer_norm", "leading_one", "norm_values", "normalised", "row_softmax", "softmax_shares"]

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


def normalised(values: Wide, table: Piecewise, place: int, step: int) -> tuple[Wide, Wide]:
    """The table's 15-bit value of numbers shifted so that their leading one comes to ``place``, and where it was.

    With ``step`` 2 numbers are shifted by even counts only: the leading one comes to ``place`` or the place above.
    """
    found = leading_one(values) // step * step
    return np.clip(table.evaluate(_shifted(values, place - found)), 0, TOP), found


def function(node: Function, x: Int8) -> Int8:
    """Each value, spread over 16 bits, through the table."""
    wide = _rescaled(x.astype(np.int64), node.multiplier, node.shift, *INPUT)
    return np.clip(node.function.evaluate(wide), node.low, node.high).astype(np.int8)


def softmax_shares(node: RowSoftmax, x: Int8) -> Wide:
    """``v``, about ``2^15`` times each value's share of its row, before the finisher."""
    below = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    parts = np.clip(node.exponential.evaluate(below), 0, TOP)
    total = np.maximum(parts.sum(axis=-1, keepdims=True), 1)
    inverse, place = normalised(total, node.reciprocal, 14, 1)
    return (parts * inverse) >> place


def row_softmax(node: RowSoftmax, x: Int8) -> Int8:
    """Shares of the exponentials in their sum over the channels."""
    return _rescaled(softmax_shares(node, x), node.multiplier, node.shift, node.low, node.high).astype(np.int8)


def norm_values(node: LayerNorm, x: Int8) -> Wide:
    """``v``, about ``2^12`` times the normalised values, before the finisher."""
    wide, count = x.astype(np.int64), x.shape[-1]
    total, squares = wide.sum(axis=-1, keepdims=True), (wide * wide).sum(axis=-1, keepdims=True)
    spread = count * squares - total * total + node.epsilon
    inverse, even = normalised(spread, node.root, 12, 2)
    return ((count * wide - total) * inverse) >> (even // 2 + 3)


def layer_norm(node: LayerNorm, x: Int8) -> Int8:
    """Rows with mean 0 and deviation 1, scaled and moved channel by channel."""
    moved = norm_values(node, x) + node.bias
    return _rescaled(moved, node.multiplier, node.shift, node.low, node.high).astype(np.int8)

"""Piecewise linear tables, row softmax and row norm as standard integer ONNX operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from .function_nodes import Function, LayerNorm, RowSoftmax
from .piecewise import INPUT, Piecewise

if TYPE_CHECKING:
    from .onnx_write import Writer

__all__ = ["function", "layer_norm", "row_softmax", "table"]

TOP = 2**15 - 1
LONGEST = 40  # bits of a sum whose leading one is looked for


def table(writer: Writer, given: Piecewise, x: str) -> str:
    """``P(x)`` of an int64 tensor: the breakpoints that are at most ``x`` are counted, line and shift follow."""
    outer = writer.op("Unsqueeze", x, writer.constant([-1], np.int64))
    starts = np.append(given.breakpoints, INPUT[1] + 1)  # one that is never reached: a list is never empty
    reached = writer.op("GreaterOrEqual", outer, writer.constant(starts, np.int64))
    place = writer.sum(writer.cast(reached, TensorProto.INT64), -1)
    slope = writer.op("Gather", writer.constant(given.slopes, np.int64), place, axis=0)
    intercept = writer.op("Gather", writer.constant(given.intercepts, np.int64), place, axis=0)
    line = writer.op("Add", writer.op("Mul", slope, x), intercept)
    return writer.floor(line, writer.constant(1 << given.shift, np.int64))


def function(writer: Writer, node: Function, x: str) -> None:
    """See `function_golden.function`."""
    scaled = writer.op("Mul", writer.cast(x, TensorProto.INT64), writer.constant(node.multiplier, np.int64))
    wide = writer.limit(writer.half_up(scaled, node.shift), *INPUT)
    writer.clamp(table(writer, node.function, wide), node.low, node.high, node.name)


def _powers(writer: Writer, x: str, step: int) -> tuple[str, str]:
    """The number of the largest power ``1, 2^step, 2^(2 step), ...`` that a positive int64 tensor reaches, and it."""
    powers = [1 << place for place in range(0, LONGEST, step)]
    outer = writer.op("Unsqueeze", x, writer.constant([-1], np.int64))
    reached = writer.op("GreaterOrEqual", outer, writer.constant(powers[1:], np.int64))
    place = writer.sum(writer.cast(reached, TensorProto.INT64), -1)
    return place, writer.op("Gather", writer.constant(powers, np.int64), place, axis=0)


def row_softmax(writer: Writer, node: RowSoftmax, x: str) -> None:
    """See `function_golden.row_softmax`; nothing that is divided is negative, so ``Div`` floors."""
    largest = writer.op("ReduceMax", writer.cast(x, TensorProto.INT32), axes=[-1], keepdims=1)
    below = writer.op("Sub", writer.cast(x, TensorProto.INT64), writer.cast(largest, TensorProto.INT64))
    parts = writer.limit(table(writer, node.exponential, below), 0, TOP)
    total = writer.op("Max", writer.sum(parts, -1, keepdims=1), writer.constant(1, np.int64))
    _, power = _powers(writer, total, 1)
    mantissa = writer.op("Div", writer.op("Mul", total, writer.constant(1 << 14, np.int64)), power)
    inverse = writer.limit(table(writer, node.reciprocal, mantissa), 0, TOP)
    shares = writer.op("Div", writer.op("Mul", parts, inverse), power)
    factor = writer.op("Mul", shares, writer.constant(node.multiplier, np.int64))
    writer.rescale(factor, node.shift, node)


def layer_norm(writer: Writer, node: LayerNorm, x: str) -> None:
    """See `function_golden.layer_norm`; ``D * 2^12`` stays below 2^50."""
    wide, count = writer.cast(x, TensorProto.INT64), writer.constant(len(node.bias), np.int64)
    total = writer.sum(wide, -1, keepdims=1)
    squares = writer.op("Mul", writer.sum(writer.op("Mul", wide, wide), -1, keepdims=1), count)
    spread = writer.op("Sub", squares, writer.op("Mul", total, total))
    spread = writer.op("Add", spread, writer.constant(node.epsilon, np.int64))
    place, power = _powers(writer, spread, 2)
    mantissa = writer.op("Div", writer.op("Mul", spread, writer.constant(1 << 12, np.int64)), power)
    inverse = writer.limit(table(writer, node.root, mantissa), 0, TOP)
    centred = writer.op("Sub", writer.op("Mul", wide, count), total)
    halves = writer.constant([1 << place + 3 for place in range(LONGEST // 2)], np.int64)
    scaled = writer.floor(writer.op("Mul", centred, inverse), writer.op("Gather", halves, place, axis=0))
    moved = writer.op("Add", scaled, writer.constant(node.bias, np.int64))
    writer.rescale(writer.op("Mul", moved, writer.constant(node.multiplier, np.int64)), node.shift, node)

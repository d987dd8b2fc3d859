"""An integer network as an ONNX model of standard integer operators, which ONNX Runtime computes to the bit.

Sums and distances are int32, the finisher int64. ``MatMulInteger`` is avoided: with signed activations its kernels
on older x86 processors may saturate, an int32 ``MatMul`` never does.
"""

import json
import os
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from . import onnx_tables
from .attention import MatMul
from .files import write_whole
from .function_nodes import Function, LayerNorm, RowSoftmax
from .host_nodes import Elementwise, Multiply, Permute, Softmax
from .network import Network
from .nodes import Add, AvgPool, Channels, Clamp, Concat, Flatten, MaxPool, Node, Product, Shape, Window
from .piecewise import INPUT

__all__ = ["OPSET", "Writer", "export"]

OPSET = 17
IR_VERSION = 8
FAR = 50  # |(sum + bias) * multiplier| stays below 2^49, so any shift from here on leaves 0


class Writer:
    """Collects nodes and constants; every method returns the name of the tensor that it makes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.prefix = ""

    def constant(self, values: Any, dtype: Any) -> str:
        name = f"{self.prefix}:constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        out = out or f"{self.prefix}:{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, **attributes))
        return out

    def cast(self, x: str, dtype: int) -> str:
        return self.op("Cast", x, to=dtype)

    def reshape(self, x: str, *shape: int, out: str | None = None) -> str:
        return self.op("Reshape", x, self.constant(shape, np.int64), out=out)

    def sum(self, x: str, *axes: int, keepdims: int = 0) -> str:
        return self.op("ReduceSum", x, self.constant(axes, np.int64), keepdims=keepdims)

    def limit(self, x: str, low: int, high: int) -> str:
        """An int64 tensor within limits. By comparisons: ONNX Runtime's ``Clip`` of int64 fails beyond 32 bits."""
        for limit, outside in ((low, "Less"), (high, "Greater")):
            edge = self.constant(limit, np.int64)
            x = self.op("Where", self.op(outside, x, edge), edge, x)
        return x

    def clamp(self, x: str, low: int, high: int, out: str) -> str:
        """An int64 tensor as int8."""
        return self.op("Cast", self.limit(x, low, high), to=TensorProto.INT8, out=out)

    def floor(self, x: str, power: str) -> str:
        """``floor(x / power)`` of int64 tensors: ``power`` is a power of two, ``x`` is below 2^49 in magnitude.

        ``Div`` truncates: a multiple of ``power`` makes the dividend positive, its quotient is subtracted after.
        """
        far = self.constant(1 << FAR, np.int64)
        quotient = self.op("Div", self.op("Add", x, far), power)
        return self.op("Sub", quotient, self.op("Div", far, power))

    def half_up(self, x: str, shifts: ArrayLike) -> str:
        """``(x + 2^(shift-1)) >> shift`` of an int64 tensor below 2^49 in magnitude, see `floor`."""
        shift = np.minimum(np.asarray(shifts, np.int64), FAR)
        lifted = self.op("Add", x, self.constant((1 << shift - 1) + (1 << FAR), np.int64))
        quotient = self.op("Div", lifted, self.constant(np.int64(1) << shift, np.int64))
        return self.op("Sub", quotient, self.constant(np.int64(1) << FAR - shift, np.int64))

    def rescale(self, x: str, shifts: ArrayLike, node: Node) -> str:
        """``clamp((x + 2^(shift-1)) >> shift, low, high)`` of an int64 tensor below 2^49 in magnitude."""
        return self.clamp(self.half_up(x, shifts), node.low, node.high, node.name)

    def windows(self, x: str, shape: Shape, window: Window, fill: int) -> str:
        """``(batch, height, width, channels, taps)`` of an image ``(batch, *shape)``."""
        top, left, bottom, right = window.padding
        if any(window.padding):
            pads = self.constant([0, top, left, 0, 0, bottom, right, 0], np.int64)
            x = self.op("Pad", x, pads, self.constant(fill, np.int8), mode="constant")
        height, width = window.output(*shape[:2])
        axes, steps = self.constant([1, 2], np.int64), self.constant(window.stride, np.int64)
        taps = []
        for row in range(window.kernel[0]):
            for column in range(window.kernel[1]):
                start = self.constant([row, column], np.int64)
                end = self.constant([row + (height - 1) * window.stride[0] + 1,
                                     column + (width - 1) * window.stride[1] + 1], np.int64)
                tap = self.op("Slice", x, start, end, axes, steps)
                taps.append(self.op("Unsqueeze", tap, self.constant([4], np.int64)))
        return self.op("Concat", *taps, axis=4)


def _runs(writer: Writer, node: Product, rows: str) -> str:
    """Rows in the order tap, channel, each tap padded to whole sub-vectors; see `Coding.sums`."""
    taps, length = prod(node.window.kernel) if node.window else 1, node.coding.length
    channels = node.reduction // taps
    by_tap = writer.op("Transpose", writer.reshape(rows, -1, node.groups, channels, taps), perm=[0, 1, 3, 2])
    missing = -channels % length
    if missing:
        by_tap = writer.op("Pad", by_tap, writer.constant([0] * 7 + [missing], np.int64),
                           writer.constant(0, np.int32), mode="constant")
    return writer.reshape(by_tap, -1, node.groups * taps * (channels + missing))


def _product(writer: Writer, node: Product, x: str, shape: Shape) -> None:
    if node.window is not None:
        x = writer.reshape(writer.windows(x, shape, node.window, 0), -1, node.groups * node.reduction)
    rows = writer.cast(x, TensorProto.INT32)
    sums = node.coding.onnx_sums(writer, node, _runs(writer, node, rows) if node.coding.runs else rows)
    wide = writer.reshape(writer.cast(sums, TensorProto.INT64), -1, *node.shape(shape))
    biased = writer.op("Add", wide, writer.constant(node.bias, np.int64))
    scaled = writer.op("Mul", biased, writer.constant(node.multiplier, np.int64))
    if node.function is None:
        writer.rescale(scaled, node.shift, node)
    else:
        given = writer.limit(writer.half_up(scaled, node.shift), *INPUT)
        writer.clamp(onnx_tables.table(writer, node.function, given), node.low, node.high, node.name)


def _scaled(writer: Writer, x: str, multiplier: int) -> str:
    return writer.op("Mul", writer.cast(x, TensorProto.INT64), writer.constant(multiplier, np.int64))


def _average(writer: Writer, node: AvgPool, x: str, shape: Shape) -> None:
    if node.window is None:
        total = writer.sum(writer.cast(x, TensorProto.INT64), 1, 2, keepdims=1)
    else:
        total = writer.sum(writer.cast(writer.windows(x, shape, node.window, 0), TensorProto.INT64), 4)
    writer.rescale(_scaled(writer, total, node.multiplier), node.shift, node)


def _elementwise(writer: Writer, node: Elementwise, x: str, channels: int) -> None:
    """Entry ``(x + 128) * columns + channel`` of the flattened table."""
    columns = node.table.shape[1]
    first = np.arange(channels) if columns > 1 else np.zeros(1)
    wide = writer.op("Mul", writer.cast(x, TensorProto.INT64), writer.constant(columns, np.int64))
    places = writer.op("Add", wide, writer.constant(128 * columns + first, np.int64))
    writer.op("Gather", writer.constant(node.table.ravel(), np.int8), places, axis=0, out=node.name)


def _softmax(writer: Writer, node: Softmax, x: str) -> None:
    wide = writer.cast(x, TensorProto.INT64)
    largest = writer.op("ReduceMax", writer.cast(x, TensorProto.INT32), axes=[-1], keepdims=1)
    below = writer.op("Sub", writer.cast(largest, TensorProto.INT64), wide)
    parts = writer.op("Gather", writer.constant(node.exponentials, np.int64), below, axis=0)
    total = writer.sum(parts, -1, keepdims=1)
    lifted = writer.op("Add", writer.op("Mul", parts, writer.constant(2 * node.peak, np.int64)), total)
    twice = writer.op("Mul", total, writer.constant(2, np.int64))
    writer.clamp(writer.op("Div", lifted, twice), node.low, node.high, node.name)  # nothing is negative: Div floors


def _heads(writer: Writer, node: MatMul, x: str, shape: Shape) -> str:
    """An operand as int32 ``(batch, heads, tokens, channels)``."""
    wide = writer.cast(x, TensorProto.INT32)
    if shape[0] == node.heads:
        return wide
    return writer.op("Transpose", writer.reshape(wide, -1, *node.each(shape)[:1], node.heads, node.each(shape)[1]),
                     perm=[0, 2, 1, 3])


def _matmul(writer: Writer, node: MatMul, shapes: Sequence[Shape]) -> None:
    one, other = (_heads(writer, node, x, shape) for x, shape in zip(node.inputs, shapes, strict=True))
    if node.transposed:
        other = writer.op("Transpose", other, perm=[0, 1, 3, 2])
    sums = writer.op("MatMul", one, other)
    if node.merged:
        sums = writer.reshape(writer.op("Transpose", sums, perm=[0, 2, 1, 3]), -1, *node.shape(*shapes))
    writer.rescale(_scaled(writer, sums, node.multiplier), node.shift, node)


def _other_node(writer: Writer, node: Node, x: str, shapes: Sequence[Shape]) -> None:
    shape = shapes[0]
    match node:
        case Function():
            onnx_tables.function(writer, node, x)
        case RowSoftmax():
            onnx_tables.row_softmax(writer, node, x)
        case LayerNorm():
            onnx_tables.layer_norm(writer, node, x)
        case Elementwise():
            _elementwise(writer, node, x, shape[-1])
        case Multiply():
            both = writer.op("Mul", *(writer.cast(name, TensorProto.INT64) for name in node.inputs))
            writer.rescale(_scaled(writer, both, node.multiplier), node.shift, node)
        case Permute():
            flat = writer.reshape(x, -1, prod(shape))
            picked = writer.op("Gather", flat, writer.constant(node.order, np.int64), axis=1)
            writer.reshape(picked, -1, *node.to, out=node.name)
        case Softmax():
            _softmax(writer, node, x)
        case MatMul():
            _matmul(writer, node, shapes)
        case _:
            raise TypeError(f"node {node.name} must be of a known kind, not {type(node).__name__}")


def _node(writer: Writer, node: Node, shapes: Sequence[Shape]) -> None:
    """Everything that makes the tensor named like the node; ``shapes`` are those of its inputs."""
    writer.prefix = node.name
    x, shape = node.inputs[0], shapes[0]
    match node:
        case Product():
            _product(writer, node, x, shape)
        case Add():
            parts = (_scaled(writer, name, factor) for name, factor in zip(node.inputs, node.multipliers, strict=True))
            writer.rescale(writer.op("Add", *parts), node.shift, node)
        case MaxPool():
            taps = writer.cast(writer.windows(x, shape, node.window, -128), TensorProto.INT32)
            largest = writer.op("ReduceMax", taps, axes=[4], keepdims=0)
            writer.op("Cast", largest, to=TensorProto.INT8, out=node.name)
        case AvgPool():
            _average(writer, node, x, shape)
        case Clamp():
            writer.clamp(writer.cast(x, TensorProto.INT64), node.low, node.high, node.name)
        case Flatten():
            writer.reshape(x, -1, prod(shape), out=node.name)
        case Concat():
            writer.op("Concat", *node.inputs, axis=len(shape), out=node.name)
        case Channels():
            limits = (writer.constant([limit], np.int64) for limit in (node.first, node.first + node.count, len(shape)))
            writer.op("Slice", x, *limits, out=node.name)
        case _:
            _other_node(writer, node, x, shapes)


def _metadata(network: Network) -> dict[str, str]:
    return {"input_scale": repr(network.input_scale), "pixel_scale": json.dumps(network.pixel_scale),
            "output_scale": repr(network.nodes[-1].scale), "classes": json.dumps(network.classes),
            "provenance": json.dumps(network.provenance, sort_keys=True)}


def export(network: Network, path: str | os.PathLike[str] | None = None) -> onnx.ModelProto:
    """The network as a checked ONNX model, also written to ``path`` if one is given.

    Its input ``input`` is int8 ``(batch, *input_shape)``, its output has the name of the last node; every other
    node's value is a tensor with the node's name. An existing file is replaced only once the new one is whole.
    """
    writer = Writer()
    for node in network.nodes:
        _node(writer, node, [network.shapes[name] for name in node.inputs])
    last = network.nodes[-1].name
    values = [helper.make_tensor_value_info(name, TensorProto.INT8, ["batch", *network.shapes[name]])
              for name in ("input", last)]
    graph = helper.make_graph(writer.nodes, network.name, values[:1], values[1:], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lutra",
                              ir_version=IR_VERSION)
    helper.set_model_props(model, _metadata(network))
    onnx.checker.check_model(model, full_check=True)
    if path is not None:
        write_whole(path, lambda part: part.write_bytes(model.SerializeToString()))
    return model

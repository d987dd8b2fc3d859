"""A user's trained ONNX model as a :class:`FloatGraph`: one function for each operator."""

import os
from collections.abc import Callable
from math import prod

import numpy as np
import onnx
from numpy.typing import NDArray

from .graph import Affine, AveragePool, Flattening, FloatGraph, Layout, MaximumPool, Rectifier, Residual
from .onnx_file import open_model, unsupported
from .onnx_walk import Value, Walk, attributes, refused

__all__ = ["SUPPORTED", "read"]


def _per_column(node: onnx.NodeProto, values: NDArray[np.float64], columns: int, spread: int) -> NDArray[np.float64]:
    """A constant that broadcasts over columns, each of which has ``spread`` axes behind it in the file."""
    try:
        return np.broadcast_to(values, (1, columns) + (1,) * spread).ravel()
    except ValueError:
        raise refused(node, f"must have one constant for each of {columns} columns, "
                            f"not constants of shape {values.shape}") from None


def _affine(walk: Walk, node: onnx.NodeProto, value: Value, weight: NDArray[np.float64],
            bias: NDArray[np.float64] | None, **fields: object) -> None:
    order = value.layout.order
    columns = weight.shape[1]
    offset = np.zeros(columns) if bias is None else _per_column(node, bias, columns, 0)
    walk.add(node, Affine, Layout(), value, weight=weight if order is None else weight[order], bias=offset, **fields)


def _conv(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.image(node)
    weight = walk.constant(node, 1, "weight")
    bias = walk.constant(node, 2, "bias") if len(node.input) > 2 and node.input[2] else None
    groups = attributes(node).get("group", 1)
    if groups != 1:
        raise refused(node, f"has {groups} groups, only 1 is supported")
    channels = walk.shape(node.input[0])[0]
    if weight.shape[1] != channels:
        raise refused(node, f"must have a weight for each of {channels} channels, not for {weight.shape[1]}")
    _affine(walk, node, value, weight.reshape(len(weight), -1).T, bias, window=walk.window(node, weight.shape[2:]))


def _vector(walk: Walk, node: onnx.NodeProto) -> Value:
    if len(walk.shape(node.input[0])) != 1:
        raise refused(node, "must read a batch of vectors")
    return walk.value(node)


def _gemm(walk: Walk, node: onnx.NodeProto) -> None:
    given = attributes(node)
    value = _vector(walk, node)
    if given.get("transA", 0):
        raise refused(node, "has its input transposed, which is not supported")
    weight = given.get("alpha", 1.0) * walk.constant(node, 1, "weight")
    bias = walk.constant(node, 2, "bias") if len(node.input) > 2 and node.input[2] else None
    _affine(walk, node, value, weight.T if given.get("transB", 0) else weight,
            None if bias is None else given.get("beta", 1.0) * bias)


def _matmul(walk: Walk, node: onnx.NodeProto) -> None:
    _affine(walk, node, _vector(walk, node), walk.constant(node, 1, "weight"), None)


def _batch_norm(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.value(node)
    step = walk.open_product(node, value)
    given = attributes(node)
    if given.get("training_mode", 0):
        raise refused(node, "is in training mode, only inference is supported")
    gain, offset, mean, variance = (walk.constant(node, place, "parameter") for place in range(1, 5))
    factor = gain / np.sqrt(variance + given.get("epsilon", 1e-5))
    walk.absorb(node, value, tensor=node.output[0], layout=value.layout, weight=step.weight * factor,
                bias=(step.bias - mean) * factor + offset)


def _relu(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.value(node)
    done = walk.steps.get(value.step)
    if done is not None and done.relu:
        walk.alias(node, value)
    elif isinstance(walk.open_step(value), Affine | Residual | AveragePool):
        walk.absorb(node, value, relu=True)
    else:
        walk.add(node, Rectifier, value.layout, value, relu=True)


def _add(walk: Walk, node: onnx.NodeProto) -> None:
    constant = [place for place in (0, 1) if node.input[place] in walk.model.constants]
    if constant:
        value = walk.value(node, 1 - constant[0])
        step = walk.open_product(node, value)
        offset = _per_column(node, walk.constant(node, constant[0], "bias"), len(step.bias),
                             len(walk.shape(node.output[0])) - 1 if value.layout.channels_first else 0)
        walk.absorb(node, value, tensor=node.output[0], layout=value.layout, bias=step.bias + offset)
        return
    one, other = walk.value(node, 0), walk.value(node, 1)
    if walk.shape(node.input[0]) != walk.shape(node.input[1]) or not one.layout.agrees(other.layout):
        raise refused(node, "must add two activations of one shape and layout")
    walk.add(node, Residual, one.layout, one, other)


def _max_pool(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.image(node)
    walk.add(node, MaximumPool, value.layout, value,
             window=walk.window(node, tuple(attributes(node)["kernel_shape"])))


def _average_pool(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.image(node)
    given = attributes(node)
    window = walk.window(node, tuple(given["kernel_shape"]))
    if any(window.padding) and (given.get("ceil_mode", 0) or not given.get("count_include_pad", 0)):
        raise refused(node, "must count its padding as zeros (count_include_pad), or have none")
    walk.add(node, AveragePool, value.layout, value, window=window)


def _global_average(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.image(node)
    walk.add(node, AveragePool, value.layout, value)


def _reduce_mean(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.value(node)
    given = attributes(node)
    axes = walk.constant(node, 1, "list of axes") if len(node.input) > 1 else given.get("axes", ())
    rank = len(walk.shape(node.input[0])) + 1
    wanted = {2, 3} if value.layout.channels_first else {1, 2}
    if rank != 4 or {int(axis) % rank for axis in axes} != wanted:
        raise refused(node, "must reduce the height and width of an image")
    walk.add(node, AveragePool, value.layout, value)
    if not given.get("keepdims", 1):
        walk.add(node, Flattening, Layout(), walk.values[node.output[0]])


def _flatten(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.value(node)
    before, after = walk.shape(node.input[0]), walk.shape(node.output[0])
    if before == after:
        walk.alias(node, value)
    elif len(before) == 3 and after == (prod(before),):
        walk.add(node, Flattening, value.layout.flattened(*before), value)
    else:
        raise refused(node, f"must flatten an image to a vector, not {before} to {after}")


def _transpose(walk: Walk, node: onnx.NodeProto) -> None:
    value = walk.value(node)
    known = {(0, 2, 3, 1): False, (0, 3, 1, 2): True}  # to channels first?
    order = tuple(attributes(node).get("perm", ()))
    if known.get(order) is None or known[order] == value.layout.channels_first:
        raise refused(node, f"permutes axes by {order}, only changes between channels first and last are supported")
    walk.alias(node, value, Layout(channels_first=known[order]))


def _same(walk: Walk, node: onnx.NodeProto) -> None:
    walk.alias(node, walk.value(node))


def _softmax(walk: Walk, node: onnx.NodeProto) -> None:
    value = _vector(walk, node)
    if node.output[0] != walk.model.output:
        raise refused(node, "must be the model's last operator")
    walk.dropped.append(f"{node.op_type} at the end was left out: it keeps the order of the outputs")
    walk.alias(node, value)


OPERATORS: dict[str, Callable[[Walk, onnx.NodeProto], None]] = {
    "Add": _add, "AveragePool": _average_pool, "BatchNormalization": _batch_norm, "Conv": _conv, "Dropout": _same,
    "Flatten": _flatten, "Gemm": _gemm, "GlobalAveragePool": _global_average, "Identity": _same,
    "LogSoftmax": _softmax, "MatMul": _matmul, "MaxPool": _max_pool, "ReduceMean": _reduce_mean, "Relu": _relu,
    "Reshape": _flatten, "Softmax": _softmax, "Squeeze": _flatten, "Transpose": _transpose}
SUPPORTED = frozenset(OPERATORS) | {"Constant"}


def read(path: str | os.PathLike[str]) -> FloatGraph:
    """A trained convolutional network, as far as Lutra can convert it.

    Weights are permuted to channels last, batch norms and bias additions are folded into the product before them,
    ReLUs are fused, a softmax at the end is left out.

    Raises ``ValueError`` for a file that is no valid ONNX model and for whatever is not supported, by name.
    """
    model = open_model(path, SUPPORTED)
    walk = Walk(model)
    for node in model.nodes:
        if node.op_type not in OPERATORS:
            raise unsupported(node, SUPPORTED)
        OPERATORS[node.op_type](walk, node)
    return walk.graph()

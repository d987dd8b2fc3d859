"""ONNX operators that become matrix products, or that are folded into one: one function for each."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from . import onnx_tokens
from .graph import Affine, Flattening, Moving, Pointwise
from .graph_tokens import Attending, RowNormaliser
from .nodes import Window
from .onnx_walk import Value, Walk, attributes, refused
from .places import Places

__all__ = ["batch_norm", "conv", "gemm", "linear", "matmul", "per_channel", "scaled"]

Real = NDArray[np.float64]


def per_channel(node: onnx.NodeProto, value: Value, constant: Real) -> Real:
    """A constant that broadcasts to the file's tensor, as one number for each of Lutra's channels.

    ``constant`` has no axis for the batch, or one of size 1.
    """
    shape, index = value.places.index.shape, value.places.index
    channels = value.places.shape[-1]
    lying = np.zeros(prod(value.places.shape))
    try:
        lying[index.ravel()] = np.broadcast_to(constant, (1, *shape)).ravel()
        fits = True
    except ValueError:
        fits = False
    pixels = lying.reshape(-1, channels)
    if not fits or (pixels != pixels[0]).any():
        raise refused(node, f"must have one constant for each of {channels} columns, "
                            f"not constants of shape {constant.shape}")
    return pixels[0]


def _padded_image(walk: Walk, node: onnx.NodeProto) -> tuple[Value, tuple[int, ...]]:
    """An image and the zeros around it that the file padded: top, left, bottom, right."""
    value = walk.value(node)
    index = value.places.index
    if index.min() >= 0:
        return walk.image(node), (0, 0, 0, 0)
    inside = index[0] >= 0 if index.ndim == 3 else index[:1] >= 0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    image = index.reshape(len(index), *inside.shape)
    image = image[:, rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    places = Places.channels_first(image.shape)
    if not np.array_equal(image, places.index):
        raise refused(node, "must read an image with channels first if zeros are padded around it")
    pads = (rows[0], columns[0], len(inside) - 1 - rows[-1], inside.shape[1] - 1 - columns[-1])
    return Value(step=value.step, places=places, shared=value.shared), tuple(map(int, pads))


def conv(walk: Walk, node: onnx.NodeProto) -> None:
    """A convolution of an image, or of a sequence as an image of one row."""
    value, pads = _padded_image(walk, node)
    weight = walk.constant(node, 1, "weight")
    groups = attributes(node).get("group", 1)
    channels = value.places.shape[-1]
    if weight.shape[1] * groups != channels or len(weight) % groups:
        raise refused(node, f"must have a weight for each of {channels} channels in {groups} groups, "
                            f"not {len(weight)} columns of {weight.shape[1]} weights")
    bias = walk.constant(node, 2, "bias") if len(node.input) > 2 and node.input[2] else np.zeros(len(weight))
    walk.add(node, Affine, Places.channels_first(walk.shape(node.output[0])), value, bias=bias, groups=groups,
             weight=weight.reshape(len(weight), -1).T, window=walk.window(node, weight.shape[2:], pads))


def _vector(walk: Walk, node: onnx.NodeProto) -> tuple[Value, NDArray[np.intp]]:
    """A vector as Lutra has it, and the place in it of each of the file's features."""
    value = walk.value(node)
    shape = value.places.index.shape
    if len(shape) != 1 or value.places.index.min() < 0:
        raise refused(node, "must read a batch of vectors")
    if len(value.places.shape) == 1:
        return value, value.places.index
    size = prod(value.places.shape)
    name = walk.name(node, "flat")
    whole = Places(np.arange(size), (size,))
    kind = Flattening if value.is_whole else Moving
    if kind is Moving:
        value = walk.moved(value, node.input[0], name, Places.channels_first(shape))
        return value, value.places.index
    walk.steps[name] = Flattening(name=name, inputs=(value.step,), tensor=node.input[0],
                                  places=replace(whole, index=value.places.index))
    return Value(step=name, places=whole, shared=False), value.places.index


def linear(walk: Walk, node: onnx.NodeProto, weight: Real, bias: Real | None) -> None:
    """A product of a batch of vectors and ``weight`` ``(features, columns)``, whose rows follow the features."""
    value, index = _vector(walk, node)
    if weight.ndim != 2 or len(weight) != len(index):
        raise refused(node, f"must have a weight for each of {len(index)} features, not weights of {weight.shape}")
    lying = np.zeros((prod(value.places.shape), weight.shape[1]))
    np.add.at(lying, index, weight)
    columns = Places.channels_first((weight.shape[1],))
    offset = np.zeros(weight.shape[1]) if bias is None else _bias(node, bias, weight.shape[1])
    walk.add(node, Affine, columns, value, weight=lying, bias=offset)


def _bias(node: onnx.NodeProto, bias: Real, columns: int) -> Real:
    try:
        return np.broadcast_to(bias, (1, columns))[0]
    except ValueError:
        raise refused(node, f"must have one constant for each of {columns} columns, "
                            f"not constants of shape {bias.shape}") from None


def gemm(walk: Walk, node: onnx.NodeProto) -> None:
    """A linear layer with its bias."""
    given = attributes(node)
    if given.get("transA", 0):
        raise refused(node, "has its input transposed, which is not supported")
    walk.value(node)
    weight = given.get("alpha", 1.0) * walk.constant(node, 1, "weight")
    bias = given.get("beta", 1.0) * walk.constant(node, 2, "bias") if len(node.input) > 2 and node.input[2] else None
    linear(walk, node, weight.T if given.get("transB", 0) else weight, bias)


def matmul(walk: Walk, node: onnx.NodeProto) -> None:
    """A linear layer, of every token (or pixel) where there are several: a convolution of 1 x 1."""
    shape = walk.value(node).places.index.shape
    if node.input[1] in walk.values:
        onnx_tokens.matmul(walk, node)
        return
    weight = walk.constant(node, 1, "weight")
    if len(shape) == 1:
        linear(walk, node, weight, None)
        return
    if len(shape) > 3 or weight.ndim != 2:
        raise refused(node, f"must multiply vectors or their sequences by a matrix, not {shape} by {weight.shape}")
    value = walk.arranged(node, 0, Places.channels_last(shape))
    walk.add(node, Affine, Places.channels_last((*shape[:-1], weight.shape[1])), value, weight=weight,
             bias=np.zeros(weight.shape[1]), window=Window(kernel=(1, 1)))


def _absorbed(walk: Walk, node: onnx.NodeProto, value: Value, gain: Real, shift: Real) -> bool:
    """Whether nothing is to be done, or the normalisation or product of two activations before does it."""
    step = walk.steps.get(value.step)
    if not shift.any() and (gain == 1).all():
        walk.alias(node, value)
    elif isinstance(step, RowNormaliser) and step.is_open and not value.shared:
        walk.absorb(node, value, tensor=node.output[0], places=value.places, gain=step.gain * gain,
                    offset=step.offset * gain + shift)
    elif isinstance(step, Attending) and step.is_open and not value.shared and not shift.any() and \
            len(set(gain)) == 1 and gain[0] > 0:
        walk.absorb(node, value, tensor=node.output[0], places=value.places, factor=step.factor * float(gain[0]))
    else:
        return False
    return True


def scaled(walk: Walk, node: onnx.NodeProto, position: int, factor: Real, offset: Real) -> None:
    """``x * factor + offset`` for each channel: folded into the product before, or a function, or a product of its own.

    ``factor`` and ``offset`` broadcast to the file's tensor.
    """
    value = walk.whole(node, position)
    gain, shift = per_channel(node, value, factor), per_channel(node, value, offset)
    step = walk.open_product(value)
    if step is not None:
        walk.absorb(node, value, tensor=node.output[0], places=value.places, weight=step.weight * gain,
                    bias=step.bias * gain + shift)
        return
    if _absorbed(walk, node, value, gain, shift):
        return
    root, function = walk.rooted(value)
    if root != value.step or (len(set(gain)) == 1 and len(set(shift)) == 1):
        same = len(set(gain)) == 1 and len(set(shift)) == 1
        gain, shift = (gain[:1], shift[:1]) if same else (gain, shift)
        walk.add(node, Pointwise, value.places, Value(step=root, places=value.places, shared=False),
                 function=lambda x: function(x) * gain + shift)
        return
    window = Window(kernel=(1, 1)) if len(value.places.shape) == 3 else None
    walk.add(node, Affine, value.places, value, weight=gain[None], bias=shift, groups=len(gain), window=window)


def batch_norm(walk: Walk, node: onnx.NodeProto) -> None:
    """The constants of inference; channels are the axis behind the batch."""
    given: dict[str, Any] = attributes(node)
    if given.get("training_mode", 0):
        raise refused(node, "is in training mode, only inference is supported")
    gain, offset, mean, variance = (walk.constant(node, place, "parameter") for place in range(1, 5))
    factor = gain / np.sqrt(variance + given.get("epsilon", 1e-5))
    behind = (-1,) + (1,) * (walk.value(node).places.index.ndim - 1)
    scaled(walk, node, 0, factor.reshape(behind), (offset - mean * factor).reshape(behind))

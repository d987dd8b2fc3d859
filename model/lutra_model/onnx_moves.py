"""ONNX operators that change places, join values, or normalise them."""

import numpy as np
import onnx

from .graph import Flattening, Joining, Normaliser
from .onnx_file import computed
from .onnx_walk import Value, Walk, attributes, refused
from .places import Places

__all__ = ["concat", "move", "pad", "same", "softmax"]


def concat(walk: Walk, node: onnx.NodeProto) -> None:
    """Channels (or features) one after the other; another axis is made the channels first."""
    rank = walk.value(node).places.index.ndim
    axis = attributes(node)["axis"] % (rank + 1) - 1
    if axis < 0 or rank > 3:
        raise refused(node, f"joins axis {axis + 1} of {rank + 1}, only those of images and vectors but the batch are "
                            "supported")
    parts = []
    for place in range(len(node.input)):
        shape = walk.value(node, place).places.index.shape
        fronted = Places.channels_first((shape[axis], *shape[:axis], *shape[axis + 1:]))
        parts.append(walk.arranged(node, place, Places(np.moveaxis(fronted.index, 0, axis), fronted.shape)))
    total = sum(part.places.index.shape[axis] for part in parts)
    rest = [size for place, size in enumerate(parts[0].places.index.shape) if place != axis]
    whole = Places.channels_first((total, *rest))
    walk.add(node, Joining, Places(np.moveaxis(whole.index, 0, axis), whole.shape), *parts)


def move(walk: Walk, node: onnx.NodeProto) -> None:
    """A change of shape or places only: the same operator applied to the places."""
    value = walk.value(node)
    constants = {name: walk.model.constants[name] for name in node.input[1:] if name in walk.model.constants}
    if len(constants) != sum(bool(name) for name in node.input[1:]):
        raise refused(node, "must have constants beside its first input")
    found = computed(node, walk.model.proto.opset_import, constants | {node.input[0]: value.places.index[None]})
    for name, index in zip(node.output, found, strict=True):
        if index.ndim < 2 or len(index) != 1:
            raise refused(node, "must leave the batch as it is")
        _known(walk, node, value, name, Places(index[0], value.places.shape))


def _known(walk: Walk, node: onnx.NodeProto, value: Value, tensor: str, places: Places) -> None:
    """A moved tensor; a whole image that became a vector is flattened."""
    moved = Value(step=value.step, places=places, shared=False)
    if places.index.ndim > 1 or len(places.shape) == 1 or not moved.is_whole:
        walk.know(tensor, value.step, places, value.shared)
        return
    name = walk.name(node)
    flat = Places(places.index, (places.index.size,))
    walk.steps[name] = Flattening(name=name, inputs=(value.step,), tensor=tensor, places=flat)
    walk.know(tensor, name, flat)


def pad(walk: Walk, node: onnx.NodeProto) -> None:
    """Zeros around an image, for the convolution behind."""
    value, given = walk.value(node), attributes(node)
    pads = walk.constant(node, 1, "padding") if len(node.input) > 1 else np.array(given["pads"])
    filled = given.get("value", 0)
    if len(node.input) > 2 and node.input[2]:
        filled = walk.constant(node, 2, "value").ravel()[0]
    rank = value.places.index.ndim + 1
    before, after = pads.astype(int)[:rank], pads.astype(int)[rank:]
    if len(pads) != 2 * rank or given.get("mode", b"constant") != b"constant" or filled or min(pads) < 0 or (
            before[0] or after[0]):
        raise refused(node, "must pad constant zeros around an image")
    index = np.pad(value.places.index, list(zip(before[1:], after[1:], strict=True)), constant_values=-1)
    walk.alias(node, value, Places(index, value.places.shape))


def same(walk: Walk, node: onnx.NodeProto) -> None:
    """Nothing."""
    walk.alias(node, walk.value(node))


def _is_the_end(walk: Walk, tensor: str) -> bool:
    """Whether nothing but changes of shape stands between a tensor and the model's output."""
    while tensor != walk.model.output:
        readers = [node for node in walk.model.nodes if tensor in node.input]
        if len(readers) != 1 or readers[0].op_type not in ("Identity", "Reshape", "Flatten", "Squeeze", "Dropout"):
            return False
        tensor = readers[0].output[0]
    return True


def softmax(walk: Walk, node: onnx.NodeProto) -> None:
    """Left out at the end, where it keeps the order; elsewhere over the channels, which its axis must be."""
    if _is_the_end(walk, node.output[0]):
        walk.dropped.append(f"{node.op_type} at the end was left out: it keeps the order of the outputs")
        walk.alias(node, walk.value(node))
        return
    if node.op_type == "LogSoftmax":
        raise refused(node, "must be the model's last operator")
    shape = walk.value(node).places.index.shape
    axis = attributes(node).get("axis", -1) % (len(shape) + 1) - 1
    if axis < 0 or len(shape) > 3:
        raise refused(node, "must normalise the channels of an image or of a vector")
    fronted = Places.channels_first((shape[axis], *shape[:axis], *shape[axis + 1:]))
    places = Places(np.moveaxis(fronted.index, 0, axis), fronted.shape)
    walk.add(node, Normaliser, places, walk.arranged(node, 0, places))

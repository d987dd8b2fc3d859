"""ONNX operators that pool an image."""

import numpy as np
import onnx

from .graph import AveragePool, Flattening, MaximumPool
from .nodes import Window
from .onnx_walk import Value, Walk, attributes, refused
from .places import Places

__all__ = ["average_pool", "global_average", "global_maximum", "max_pool", "reduce_max", "reduce_mean"]


def max_pool(walk: Walk, node: onnx.NodeProto) -> None:
    """The largest of each window."""
    value = walk.image(node)
    walk.add(node, MaximumPool, Places.channels_first(walk.shape(node.output[0])), value,
             window=walk.window(node, tuple(attributes(node)["kernel_shape"])))


def average_pool(walk: Walk, node: onnx.NodeProto) -> None:
    """The mean of each window."""
    value = walk.image(node)
    given = attributes(node)
    window = walk.window(node, tuple(given["kernel_shape"]))
    if any(window.padding) and (given.get("ceil_mode", 0) or not given.get("count_include_pad", 0)):
        raise refused(node, "must count its padding as zeros (count_include_pad), or have none")
    walk.add(node, AveragePool, Places.channels_first(walk.shape(node.output[0])), value, window=window)


def _whole_pool(walk: Walk, node: onnx.NodeProto, value: Value, largest: bool) -> None:
    height, width, channels = value.places.shape
    places = Places(np.arange(channels).reshape(walk.shape(node.output[0])), (1, 1, channels))
    if largest:
        made = walk.add(node, MaximumPool, places, value, window=Window(kernel=(height, width)))
    else:
        made = walk.add(node, AveragePool, places, value)
    if places.index.ndim == 1:
        walk.add(node, Flattening, Places.channels_first((channels,)), made)


def global_average(walk: Walk, node: onnx.NodeProto) -> None:
    """The mean of the whole image."""
    _whole_pool(walk, node, walk.image(node), False)


def global_maximum(walk: Walk, node: onnx.NodeProto) -> None:
    """The largest of the whole image."""
    _whole_pool(walk, node, walk.image(node), True)


def _reduced(walk: Walk, node: onnx.NodeProto, largest: bool) -> None:
    shape = walk.value(node).places.index.shape
    given = attributes(node)
    axes = walk.constant(node, 1, "list of axes") if len(node.input) > 1 else given.get("axes", ())
    reduced = {int(axis) % (len(shape) + 1) for axis in axes}
    behind, before = set(range(2, len(shape) + 1)), set(range(1, len(shape)))
    if len(shape) not in (2, 3) or reduced not in (behind, before):
        raise refused(node, "must reduce the height and width of an image")
    make = Places.channels_first if reduced == behind else Places.channels_last
    _whole_pool(walk, node, walk.arranged(node, 0, make(shape)), largest)


def reduce_mean(walk: Walk, node: onnx.NodeProto) -> None:
    """The mean of the whole image."""
    _reduced(walk, node, False)


def reduce_max(walk: Walk, node: onnx.NodeProto) -> None:
    """The largest of the whole image."""
    _reduced(walk, node, True)

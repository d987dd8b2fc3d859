"""Golden model: integer inference in NumPy, the definition of every bit (docs/arithmetic.md)."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from . import attention, function_golden, kernels
from .attention import MatMul
from .function_nodes import Function, LayerNorm, RowSoftmax
from .host_nodes import Elementwise, Multiply, Permute, Softmax
from .network import Network
from .nodes import Add, AvgPool, Channels, Clamp, Concat, Flatten, MaxPool, Node, Product, Window
from .piecewise import INPUT

__all__ = ["accumulate", "add", "average", "classify", "evaluate", "finish", "multiply", "ordered", "outputs",
           "quantise", "run", "softmax", "windows"]

Int8 = NDArray[np.int8]
MOST = 64         # inputs that run together
PART = 1 << 24    # bytes of the largest value of inputs that run together
BLOCK = 1 << 22   # bytes of the windows (and four for each sum) that are formed at a time


def quantise(network: Network, x: NDArray[Any]) -> Int8:
    """The network's int8 input: ``clamp(round_half_even(x / input_scale))``; int8 arrays pass as they are.

    Raises ``ValueError`` for a wrong shape, dtype, or values that are not finite.
    """
    if x.ndim != len(network.input_shape) + 1 or x.shape[1:] != network.input_shape:
        raise ValueError(f"input of network {network.name} must have shape (batch, "
                         f"{', '.join(map(str, network.input_shape))}), not {x.shape}")
    if x.dtype == np.int8:
        return x
    if x.dtype == np.uint8 and network.pixel_scale is not None:
        return quantise(network, x * np.float64(network.pixel_scale))
    if not np.issubdtype(x.dtype, np.floating):
        kinds = "int8 or floating point" if network.pixel_scale is None else "int8, a uint8 image or floating point"
        raise ValueError(f"input of network {network.name} must be {kinds}, not {x.dtype}")
    if not np.isfinite(x).all():
        raise ValueError(f"input of network {network.name} must be finite, but it holds NaN or infinity")
    return np.clip(np.rint(x.astype(np.float64) / network.input_scale), -128, 127).astype(np.int8)


def _padded(x: Int8, window: Window | None) -> Int8:
    """``(channels, height, width, batch)``: the batch lies innermost, so that long runs of bytes are moved.

    A linear layer's features are the channels of one pixel.
    """
    if window is None:
        return np.ascontiguousarray(x.T)[:, None, None]
    (batch, height, width, channels), (top, left, bottom, right) = x.shape, window.padding
    image = np.zeros((channels, height + top + bottom, width + left + right, batch), np.int8)
    image[:, top:top + height, left:left + width] = x.transpose(3, 1, 2, 0)
    return image


def _columns(image: Int8, window: Window | None) -> Int8:
    """Windows of a padded image, ``(reduction, positions, batch)``."""
    window = window or Window(kernel=(1, 1))
    taps = kernels.taps(image.transpose(0, 3, 1, 2), replace(window, padding=(0, 0, 0, 0)))
    columns = np.empty((len(image), len(taps), *taps[0].shape[2:], image.shape[3]), np.int8)
    for number, tap in enumerate(taps):
        columns[:, number] = tap.transpose(0, 2, 3, 1)
    return columns.reshape(len(image) * len(taps), -1, image.shape[3])


def windows(x: Int8, window: Window | None) -> Int8:
    """Rows of a product, transposed: ``(reduction, rows)``, in the order channel, kernel row, kernel column.

    The rows are numbered batch, output row, output column.
    """
    columns = _columns(_padded(x, window), window)
    return np.ascontiguousarray(columns.transpose(0, 2, 1)).reshape(len(columns), -1)


def ordered(node: Product, columns: Int8) -> Int8:
    """Rows ``(groups, reduction, rows)`` in the order that the coding's sums take, see `Coding.sums`."""
    grouped = columns.reshape(node.groups, node.reduction, -1)
    if not node.coding.runs:
        return grouped
    taps, length = prod(node.window.kernel) if node.window else 1, node.coding.length
    by_tap = grouped.reshape(node.groups, -1, taps, grouped.shape[2]).swapaxes(1, 2)
    missing = -by_tap.shape[2] % length
    if missing:
        by_tap = np.pad(by_tap, ((0, 0), (0, 0), (0, missing), (0, 0)))
    return by_tap.reshape(node.groups, -1, grouped.shape[2])


def accumulate(node: Product, columns: Int8) -> NDArray[np.signedinteger[Any]]:
    """The sums of a product layer before its finisher, ``(rows, columns)``."""
    table = node.table.reshape(node.groups, -1, *node.table.shape[1:])
    return node.coding.all_sums(table, ordered(node, columns))


def finish(node: Product, sums: NDArray[np.integer[Any]]) -> Int8:
    """``clamp(((sums + bias) * multiplier + 2^(shift-1)) >> shift, low, high)`` for each column.

    With a function: ``clamp(P(x), low, high)`` of those numbers ``x``, clamped to 16 bits.
    """
    if node.function is None:
        return kernels.rescale(sums, node.bias, node.multiplier, node.shift, node.low, node.high)
    wide = kernels.rescale(sums, node.bias, node.multiplier, node.shift, *INPUT, dtype=np.int16)
    return np.clip(node.function.evaluate(wide), node.low, node.high).astype(np.int8)


def add(node: Add, a: Int8, b: Int8) -> Int8:
    """Residual add: both inputs brought to one scale, summed, rounded half up, clamped."""
    total = a * np.int32(node.multipliers[0]) + b * np.int32(node.multipliers[1])
    return np.clip((total + (1 << node.shift - 1)) >> node.shift, node.low, node.high).astype(np.int8)


def _pooled(x: Int8, window: Window, combine: np.ufunc, fill: int, dtype: Any) -> NDArray[Any]:
    """Rows of each window combined, then its columns."""
    top, left, bottom, right = window.padding
    if any(window.padding):
        x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    height, width = replace(window, padding=(0, 0, 0, 0)).output(*x.shape[1:3])
    (tall, wide), (down, across) = window.kernel, window.stride
    rows = x[:, :(height - 1) * down + 1:down].astype(dtype)
    for i in range(1, tall):
        combine(rows, x[:, i:i + (height - 1) * down + 1:down], out=rows)
    found = rows[:, :, :(width - 1) * across + 1:across].copy()
    for j in range(1, wide):
        combine(found, rows[:, :, j:j + (width - 1) * across + 1:across], out=found)
    return found


def average(node: AvgPool, x: Int8) -> Int8:
    """Average pool: sum of the window, rescaled; padding counts as zeros."""
    window = node.window or Window(kernel=(x.shape[1], x.shape[2]))
    total = _pooled(x, window, np.add, 0, np.int32).astype(np.int64)
    scaled = (total * node.multiplier + (1 << node.shift - 1)) >> node.shift
    return np.clip(scaled, node.low, node.high).astype(np.int8)


def _product(node: Product, x: Int8) -> Int8:
    """Some rows of the output at a time: as many as keep windows and sums within ``BLOCK`` bytes, at least one."""
    window, shape = node.window or Window(kernel=(1, 1)), node.shape(x.shape[1:])
    height, width = shape[:2] if node.window else (1, 1)
    image = _padded(x, node.window)
    found = np.empty((len(x), height, width, shape[-1]), np.int8)
    tall, down = window.kernel[0], window.stride[0]
    step = max(1, BLOCK // ((len(image) * prod(window.kernel) + 4 * shape[-1]) * width * len(x)))
    for first in range(0, height, step):
        last = min(first + step, height)
        columns = _columns(image[:, first * down:(last - 1) * down + tall], node.window)
        rows = finish(node, accumulate(node, columns.reshape(len(columns), -1)))
        found[:, first:last] = rows.reshape(last - first, width, len(x), -1).transpose(2, 0, 1, 3)
    return found.reshape(len(x), *shape)


def multiply(node: Multiply, a: Int8, b: Int8) -> Int8:
    """Product of two activations, rescaled."""
    total = a.astype(np.int64) * b * node.multiplier
    return np.clip((total + (1 << node.shift - 1)) >> node.shift, node.low, node.high).astype(np.int8)


def softmax(node: Softmax, x: Int8) -> Int8:
    """Shares of the exponentials in their sum over the channels, rounded half up."""
    parts = node.exponentials[x.max(axis=-1, keepdims=True).astype(np.int64) - x]
    total = parts.sum(axis=-1, keepdims=True)
    return np.clip((2 * node.peak * parts + total) // (2 * total), node.low, node.high).astype(np.int8)


def evaluate(node: Node, *inputs: Int8) -> Int8:
    """Output of one node."""
    x = inputs[0]
    match node:
        case Product():
            return _product(node, x)
        case Add():
            return add(node, *inputs)
        case MaxPool():
            return _pooled(x, node.window, np.maximum, -128, np.int8)
        case AvgPool():
            return average(node, x)
        case Clamp():
            return np.clip(x, node.low, node.high)
        case Flatten():
            return x.reshape(len(x), -1)
        case Concat():
            return np.concatenate(inputs, axis=-1)
        case Channels():
            return x[..., node.first:node.first + node.count]
        case Elementwise():
            channels = 0 if node.table.shape[1] == 1 else np.arange(x.shape[-1])
            return node.table[x.astype(np.int16) + 128, channels]
        case Multiply():
            return multiply(node, *inputs)
        case Permute():
            return x.reshape(len(x), -1)[:, node.order].reshape(len(x), *node.to)
        case Softmax():
            return softmax(node, x)
        case MatMul():
            return attention.evaluate(node, *inputs)
        case Function():
            return function_golden.function(node, x)
        case RowSoftmax():
            return function_golden.row_softmax(node, x)
        case LayerNorm():
            return function_golden.layer_norm(node, x)
    raise TypeError(f"node {node.name} must be of a known kind, not {type(node).__name__}")


def _last_readers(network: Network) -> dict[str, str]:
    """The node after which each value is of no more use."""
    return {name: node.name for node in network.nodes for name in node.inputs}


def _run(network: Network, x: Int8, keep: Callable[[str], bool]) -> dict[str, Int8]:
    values, last = {"input": x}, _last_readers(network)
    for node in network.nodes:
        values[node.name] = evaluate(node, *(values[name] for name in node.inputs))
        for name in {*node.inputs, node.name}:
            if last.get(name, name) == node.name and not keep(name):
                del values[name]
    return values


def _parts(network: Network, count: int) -> list[slice]:
    """Inputs that run together: as many as keep the largest value within ``PART`` bytes, at least one."""
    largest = max(prod(shape) for shape in network.shapes.values())
    size = max(1, min(MOST, PART // largest, -(-count // (os.cpu_count() or 1))))
    return [slice(start, start + size) for start in range(0, max(1, count), size)]


def _parallel(network: Network, x: NDArray[Any], keep: Callable[[str], bool]) -> dict[str, Int8]:
    inputs = quantise(network, x)
    parts = _parts(network, len(inputs))
    if len(parts) == 1:
        return _run(network, inputs, keep)
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:  # each part on one core
        found = list(pool.map(lambda part: _run(network, inputs[part], keep), parts))
    return {name: np.concatenate([values[name] for values in found]) for name in found[0]}


def run(network: Network, x: NDArray[Any]) -> dict[str, Int8]:
    """Every value of the network for a batch of inputs, by node name (and ``input``).

    ``x`` is ``(batch, *input_shape)``: int8, uint8 image, or floating point. Parts of the batch run side by side, one
    on each core. :func:`outputs` needs less memory.
    """
    return _parallel(network, x, lambda name: True)


def outputs(network: Network, x: NDArray[Any]) -> Int8:
    """The output alone: every other value is forgotten after its last reader.

    Beside inputs and outputs each core holds the values that are still to be read, of at most ``PART`` bytes each
    (or of one input), and windows and sums of at most five times ``BLOCK`` bytes (a multiplying layer has them in
    float32 as well), or those of one row of output pixels.
    """
    last = network.nodes[-1].name
    return _parallel(network, x, lambda name: name == last)[last]


def classify(network: Network, x: NDArray[Any], batch: int = 256) -> NDArray[np.int64]:
    """Lowest index of the largest output, for each input; ``batch`` inputs at a time."""
    return np.concatenate([outputs(network, x[i:i + batch]).reshape(len(x[i:i + batch]), -1).argmax(axis=1)
                           for i in range(0, len(x), batch)])

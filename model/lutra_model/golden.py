"""Golden model: integer inference in NumPy, the definition of every bit (docs/arithmetic.md)."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import kernels
from .network import Add, AvgPool, Clamp, Flatten, MaxPool, Network, Node, Product, Window

__all__ = ["accumulate", "add", "average", "classify", "encode", "evaluate", "finish", "quantise", "run", "windows"]

Int8 = NDArray[np.int8]


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


def _columns(x: Int8, window: Window | None) -> Int8:
    """``(reduction, positions, batch)``: the batch lies innermost, so that long runs of bytes are moved."""
    if window is None:
        return np.ascontiguousarray(x.T)[:, None]
    (batch, height, width, channels), (top, left, bottom, right) = x.shape, window.padding
    image = np.zeros((channels, height + top + bottom, width + left + right, batch), np.int8)
    image[:, top:top + height, left:left + width] = x.transpose(3, 1, 2, 0)
    taps = kernels.taps(image.transpose(0, 3, 1, 2), window)
    columns = np.empty((channels, len(taps), *window.output(height, width), batch), np.int8)
    for number, tap in enumerate(taps):
        columns[:, number] = tap.transpose(0, 2, 3, 1)
    return columns.reshape(channels * len(taps), -1, batch)


def windows(x: Int8, window: Window | None) -> Int8:
    """Rows of a product, transposed: ``(reduction, rows)``, in the order channel, kernel row, kernel column.

    The rows are numbered batch, output row, output column.
    """
    columns = _columns(x, window)
    return np.ascontiguousarray(columns.transpose(0, 2, 1)).reshape(len(columns), -1)


def encode(node: Product, columns: Int8) -> NDArray[np.uint8]:
    """Index of the nearest centroid of every sub-vector, ``(codebooks, rows)``; the lowest index wins a tie."""
    assert node.centroids is not None
    codebooks, _, length = node.centroids.shape
    missing = codebooks * length - len(columns)
    padded = np.concatenate([columns, np.zeros((missing, columns.shape[1]), np.int8)]) if missing else columns
    return kernels.nearest(padded.reshape(codebooks, length, -1), node.centroids, node.metric)


def accumulate(node: Product, columns: Int8) -> NDArray[np.signedinteger[Any]]:
    """The sums of a product layer before its finisher, ``(rows, columns)``."""
    if node.centroids is None:
        return kernels.multiply(columns, node.table[:, 0])
    return kernels.lookup(node.table, encode(node, columns))


def finish(node: Product, sums: NDArray[np.integer[Any]]) -> Int8:
    """``clamp(((sums + bias) * multiplier + 2^(shift-1)) >> shift, low, high)`` for each column."""
    return kernels.rescale(sums, node.bias, node.multiplier, node.shift, node.low, node.high)


def add(node: Add, a: Int8, b: Int8) -> Int8:
    """Residual add: both inputs brought to one scale, summed, rounded half up, clamped."""
    total = a * np.int32(node.multipliers[0]) + b * np.int32(node.multipliers[1])
    return np.clip((total + (1 << node.shift - 1)) >> node.shift, node.low, node.high).astype(np.int8)


def average(node: AvgPool, x: Int8) -> Int8:
    """Average pool: sum of the window, rescaled; padding counts as zeros."""
    if node.window is None:
        total = x.sum(axis=(1, 2), keepdims=True, dtype=np.int64)
    else:
        top, left, bottom, right = node.window.padding
        padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
        taps = np.stack(kernels.taps(padded.transpose(3, 0, 1, 2), node.window))
        total = taps.sum(axis=0, dtype=np.int64).transpose(1, 2, 3, 0)
    scaled = (total * node.multiplier + (1 << node.shift - 1)) >> node.shift
    return np.clip(scaled, node.low, node.high).astype(np.int8)


def _maximum(node: MaxPool, x: Int8) -> Int8:
    top, left, bottom, right = node.window.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=-128)
    largest = partial(np.maximum.reduce, axis=0)(kernels.taps(padded.transpose(3, 0, 1, 2), node.window))
    return largest.transpose(1, 2, 3, 0)


def _product(node: Product, x: Int8) -> Int8:
    columns = _columns(x, node.window)
    y = finish(node, accumulate(node, columns.reshape(len(columns), -1)))
    return y.reshape(columns.shape[1], len(x), -1).swapaxes(0, 1).reshape(len(x), *node.shape(x.shape[1:]))


def evaluate(node: Node, *inputs: Int8) -> Int8:
    """Output of one node."""
    match node:
        case Product():
            return _product(node, *inputs)
        case Add():
            return add(node, *inputs)
        case MaxPool():
            return _maximum(node, *inputs)
        case AvgPool():
            return average(node, *inputs)
        case Clamp():
            return np.clip(inputs[0], node.low, node.high)
        case Flatten():
            return inputs[0].reshape(len(inputs[0]), -1)
    raise TypeError(f"node {node.name} must be of a known kind, not {type(node).__name__}")


def _run(network: Network, x: Int8) -> dict[str, Int8]:
    values = {"input": x}
    for node in network.nodes:
        values[node.name] = evaluate(node, *(values[name] for name in node.inputs))
    return values


def run(network: Network, x: NDArray[Any], part: int = 64) -> dict[str, Int8]:
    """Every value of the network for a batch of inputs, by node name (and ``input``).

    ``x`` is ``(batch, *input_shape)``: int8, uint8 image, or floating point. Parts of ``part`` inputs run side by
    side, one on each core.
    """
    inputs = quantise(network, x)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(partial(_run, network),
                              [inputs[i:i + part] for i in range(0, max(1, len(inputs)), part)]))
    return {name: np.concatenate([values[name] for values in parts]) for name in parts[0]}


def classify(network: Network, x: NDArray[Any], batch: int = 256) -> NDArray[np.int64]:
    """Lowest index of the largest output, for each input; ``batch`` inputs at a time."""
    last = network.nodes[-1].name
    return np.concatenate([run(network, x[i:i + batch])[last].reshape(len(x[i:i + batch]), -1).argmax(axis=1)
                           for i in range(0, len(x), batch)])

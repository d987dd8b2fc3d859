"""Float algorithm model: the papers' equations in real arithmetic, without rounding or clamping to 8 bits.

LUT-NN (Tang et al., MobiCom 2023, section 3): ``y = sum over k of h_k[argmin_c |a_k - P_k[c]|] + b``, with the
tables that the network file carries, dequantised. Bound to the golden model: given the same indices, one layer
differs by at most half an output step, plus the relative rounding 2^-16 of the multiplier, before clamping.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import attention, kernels
from .attention import MatMul
from .function_nodes import Function, LayerNorm, RowSoftmax
from .host_nodes import Elementwise, Multiply, Permute, Softmax
from .network import Network
from .nodes import Add, AvgPool, Channels, Concat, Flatten, MaxPool, Node, Product, Window
from .piecewise import INPUT

__all__ = ["classify", "evaluate", "run"]

Real = NDArray[np.float64]


def _windows(x: Real, window: Window | None, fill: float = 0.0) -> Real:
    """``(batch, height, width, channels, taps)``."""
    if window is None:
        return x[..., None]
    top, left, bottom, right = window.padding
    image = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    return np.stack(kernels.taps(image.transpose(3, 0, 1, 2), window), axis=-1).transpose(1, 2, 3, 0, 4)


def _ordered(node: Product, rows: Real) -> Real:
    """Rows ``(rows, groups * reduction)`` in the order of the coding, see `Coding.sums`."""
    if not node.coding.runs:
        return rows
    taps, length = prod(node.window.kernel) if node.window else 1, node.coding.length
    by_tap = rows.reshape(len(rows), node.groups, -1, taps).swapaxes(2, 3)
    missing = -by_tap.shape[3] % length
    return np.pad(by_tap, ((0, 0), (0, 0), (0, 0), (0, missing))).reshape(len(rows), -1)


def _interpolated(node: Elementwise, steps: Real) -> Real:
    """The function between the points that its table holds."""
    table = np.broadcast_to(node.table * node.scale, (256, steps.shape[-1]))
    columns = [np.interp(steps[..., c], np.arange(-128, 128), table[:, c]) for c in range(steps.shape[-1])]
    return np.stack(columns, axis=-1)


def evaluate(node: Node, input_scale: float, *inputs: Real) -> Real:
    """Output of one node; a node whose integer clamp starts at 0 is rectified."""
    x = inputs[0]
    match node:
        case Product():
            rows = _windows(x, node.window)
            vectors = rows.reshape(-1, node.groups * node.reduction)
            total = node.coding.float_sums(node, _ordered(node, vectors), input_scale)
            total = total + node.bias * node.table_scale
            if node.function is not None:
                steps = np.clip(total / node.table_scale * np.ldexp(node.multiplier, -node.shift), *INPUT)
                total = node.function.real(steps) * node.scale
            y = total.reshape(len(x), *node.shape(x.shape[1:]))
        case Add():
            y = inputs[0] + inputs[1]
        case MaxPool():
            y = _windows(x, node.window, -np.inf).max(axis=-1)
        case AvgPool():
            y = x.mean(axis=(1, 2), keepdims=True) if node.window is None else _windows(x, node.window).mean(axis=-1)
        case Flatten():
            y = x.reshape(len(x), -1)
        case Concat():
            y = np.concatenate(inputs, axis=-1)
        case Channels():
            y = x[..., node.first:node.first + node.count]
        case MatMul():
            y = attention.products(node, *inputs) * node.factor
        case Elementwise():
            y = _interpolated(node, x / input_scale)
        case Multiply():
            y = inputs[0] * inputs[1]
        case Permute():
            y = x.reshape(len(x), -1)[:, node.order].reshape(len(x), *node.to)
        case Function():
            steps = np.clip(x / input_scale * np.ldexp(node.multiplier, -node.shift), *INPUT)
            y = node.function.real(steps) * node.scale
        case LayerNorm():
            spread = x.var(axis=-1, keepdims=True) + node.epsilon * (input_scale / x.shape[-1]) ** 2
            steps = 2.0**12 * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(spread) + node.bias
            y = steps * np.ldexp(node.multiplier, -node.shift) * node.scale
        case Softmax() | RowSoftmax():
            parts = np.exp(x - x.max(axis=-1, keepdims=True))
            y = parts / parts.sum(axis=-1, keepdims=True)
        case _:
            y = x
    return np.maximum(y, 0.0) if node.low == 0 else y


def run(network: Network, x: NDArray[Any]) -> dict[str, Real]:
    """Every value of the network in real numbers, by node name; ``x`` is a uint8 image or floating point."""
    scale = network.pixel_scale if x.dtype == np.uint8 and network.pixel_scale else 1.0
    values: dict[str, Real] = {"input": x.astype(np.float64) * scale}
    for node in network.nodes:
        values[node.name] = evaluate(node, network.scale(node.inputs[0]), *(values[n] for n in node.inputs))
    return values


def classify(network: Network, x: NDArray[Any], batch: int = 8) -> NDArray[np.int64]:
    """Lowest index of the largest output, for each input."""
    last = network.nodes[-1].name
    return np.concatenate([run(network, x[i:i + batch])[last].reshape(len(x[i:i + batch]), -1).argmax(axis=1)
                           for i in range(0, len(x), batch)])

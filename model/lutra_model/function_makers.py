"""Nodes with piecewise linear tables from real functions and parameters."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .function_nodes import Function, LayerNorm, RowSoftmax
from .network import Network, Node, Product
from .nnlut import integers
from .piecewise import Piecewise
from .requantise import fixed_point

__all__ = ["exponential", "function", "fused", "layer_norm", "reciprocal", "root", "row_softmax"]

Real = NDArray[np.float64]
TOP = 2**15 - 1
LARGEST = 2**31 - 1  # bias; a larger one is far beyond the clamp
RARE = 1e-5  # share of the inputs that those never seen count as, each
STEPS = 256  # of the 16-bit input in one int8 step


@lru_cache(maxsize=256)
def exponential(scale: float) -> Piecewise:
    """``2^15 exp(d * scale)`` for ``d`` in -255..0.

    Rows are summed, so it is the mean error that is made small, and an error counts more where the exponential is
    small (by the root of it): a long row has many small parts.
    """
    if not 0 < scale < np.inf:
        raise ValueError(f"the input scale of a softmax must be above 0, not {scale}")

    def real(d: Real) -> Real:
        return np.minimum(2**15 * np.exp(d * scale), TOP)

    return integers.fitted(real, -255, 0, power=2, weight=lambda d: 1 / np.sqrt(np.maximum(real(d), 0.1)), rising=True)


@lru_cache(maxsize=1)
def reciprocal() -> Piecewise:
    """``2^29 / u`` for ``u`` in 2^14..2^15 - 1."""
    return integers.fitted(lambda u: 2.0**29 / u, 2**14, 2**15 - 1, rising=False)


@lru_cache(maxsize=1)
def root() -> Piecewise:
    """``2^21 / sqrt(u)`` for ``u`` in 2^12..2^14 - 1."""
    return integers.fitted(lambda u: 2.0**21 / np.sqrt(u), 2**12, 2**14 - 1, rising=False)


def _seen(values: NDArray[np.floating[Any]], step: float) -> Callable[[Real], Real]:
    """What an error counts at each 16-bit input: the root of how often values around it came, and a little.

    ``step`` is the real value of an int8 step, in which the values are counted.
    """
    codes = np.clip(np.rint(values.ravel() / np.float64(step)), -128, 127).astype(np.int64)
    often = np.bincount(codes + 128, minlength=256) / max(1, values.size)
    return lambda x: np.sqrt(np.interp(x / STEPS, np.arange(-128, 128), often) + RARE)


def function(name: str, source: str, real: Callable[[Real], Real], *, input_scale: float, scale: float,
             low: int = -128, high: int = 127, seen: NDArray[np.floating[Any]] | None = None) -> Function:
    """A function of real values on the scales of its input and output.

    The table is fitted to the function after its clamp, over the whole range of int8 at ``input_scale``: for the
    smallest largest error, or, with real inputs that a small run has ``seen`` (the paper's calibration), for the mean
    over these.
    """
    def target(x: Real) -> Real:
        return np.clip(np.nan_to_num(real(x * (input_scale / STEPS))) / scale, low, high)

    table = (integers.fitted(target) if seen is None
             else integers.fitted(target, power=2, weight=_seen(seen, input_scale)))
    return Function(name=name, inputs=(source,), scale=scale, low=low, high=high, function=table)


def row_softmax(name: str, source: str, *, input_scale: float, scale: float = 1 / 127, low: int = -128,
                high: int = 127) -> RowSoftmax:
    """Softmax over channels; a share of 1 is ``1 / scale`` output steps."""
    factor, shift = fixed_point(2.0**-15 / scale)
    return RowSoftmax(name=name, inputs=(source,), scale=scale, low=low, high=high, multiplier=int(factor),
                      shift=int(shift), exponential=exponential(float(input_scale)), reciprocal=reciprocal())


def layer_norm(name: str, source: str, gamma: ArrayLike, beta: ArrayLike, *, input_scale: float, scale: float,
               epsilon: float = 1e-5, low: int = -128, high: int = 127) -> LayerNorm:
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta`` over channels.

    A channel whose ``gamma`` is too small for its ``beta`` has a larger factor, with which the normalised value (at
    most the root of the channels, 45) still moves the output by less than 1/5 of a step. Raises ``ValueError`` where
    the scale of the input is so small that epsilon does not fit its 32 bits.
    """
    gamma, beta = (np.asarray(values, np.float64) for values in (gamma, beta))
    if gamma.ndim != 1 or gamma.shape != beta.shape or not (np.isfinite(gamma).all() and np.isfinite(beta).all()):
        raise ValueError(f"gamma and beta of {name} must be finite and have one shape (channels,), "
                         f"not {gamma.shape} and {beta.shape}")
    steps = beta / scale
    real = np.maximum(np.abs(gamma) * 2.0**-12 / scale, np.clip(np.abs(steps), 1, 1024) * 2.0**-30)
    factor, shift = fixed_point(real)
    exact = factor / 2.0**shift
    sign = np.where(gamma < 0, -1, 1)
    constant = max(1, round(epsilon / input_scale**2 * len(gamma)**2))
    bias = np.clip(np.rint(sign * steps / exact), -LARGEST, LARGEST).astype(np.int64)
    return LayerNorm(name=name, inputs=(source,), scale=scale, low=low, high=high, root=root(), epsilon=constant,
                     bias=bias, multiplier=sign * factor, shift=shift)



def _joined(product: Product, node: Function) -> Product | None:
    """The product with the function in its finisher: 8 more bits of its sums reach the function. None: not possible."""
    gain = node.multiplier / 2**node.shift
    if product.function or (product.low, product.high) != (-128, 127) or gain != STEPS or product.shift.min() <= 8:
        return None
    return replace(product, name=node.name, shift=product.shift - 8, function=node.function, scale=node.scale,
                   low=node.low, high=node.high)


def fused(network: Network) -> Network:
    """The same network with every function that follows a product, as its only reader, in the product's finisher.

    Results may differ by the rounding to 8 bits that is left out. A product that clamps, or whose sums are not scaled
    down by 2^8 or more, keeps its function apart. The fused product has the name of the function.
    """
    reads = [name for node in network.nodes for name in node.inputs]
    nodes: dict[str, Node] = {}
    for node in network.nodes:
        before = nodes.get(node.inputs[0])
        joined = _joined(before, node) if isinstance(node, Function) and isinstance(before, Product) else None
        if joined and reads.count(node.inputs[0]) == 1:
            del nodes[node.inputs[0]]
        nodes[node.name] = joined if joined and reads.count(node.inputs[0]) == 1 else node
    return replace(network, nodes=tuple(nodes.values()))

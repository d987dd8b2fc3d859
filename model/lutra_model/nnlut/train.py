"""Training of a ReLU network for one function, as NN-LUT does it: ordinary regression in one variable.

L1 loss, Adam, a learning rate that falls by a cosine (Yu et al., DAC 2022, section 3; steps and batch of the public
port). Breakpoints are wherever the units end up, so tables may have empty segments or run against the function:
`integers.problems` names them.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .net import ReluNet

__all__ = ["Start", "train"]

Real = NDArray[np.float64]
Start = Literal["normal", "rising", "falling"]
HIDDEN, STEPS, BATCH = 15, 15000, 2048
RATE, LAST_RATE = 1e-3, 5e-6
BETAS, TINY = (0.9, 0.999), 1e-8


def _first(start: Start, low: float, high: float, hidden: int, rng: np.random.Generator) -> list[Real]:
    """``n``, ``b`` and ``m``: normal ones, or slopes of one sign and breakpoints all over the range."""
    if start == "normal":
        n, b = rng.normal(size=hidden), rng.normal(size=hidden)
    else:
        n = rng.uniform(0.01, 1, hidden) * (1 if start == "rising" else -1)
        b = -n * rng.uniform(low, high, hidden)
    return [n, b, rng.normal(size=hidden) / hidden]


def _samples(low: float, high: float, dense: bool, seen: Real | None, rng: np.random.Generator) -> Real:
    """A batch: of inputs that were seen, uniform, or as dense at every power of two as 16-bit floating point is."""
    if seen is not None:
        return rng.choice(seen, BATCH)
    if dense:
        return np.exp(rng.uniform(np.log(low), np.log(high), BATCH))
    return rng.uniform(low, high, BATCH)


def train(function: Callable[[Real], Real], low: float, high: float, *, start: Start = "normal", seed: int = 0,
          seen: Real | None = None, steps: int = STEPS, hidden: int = HIDDEN) -> ReluNet:
    """A network that comes near to ``function`` on ``low..high``; the same seed gives the same one.

    ``start`` ``falling`` is for functions such as 1/x: ``n`` negative, and inputs drawn evenly over their logarithm.
    ``seen`` are inputs that a small run of a network brought to the function (the paper's calibration): batches are
    drawn from those in the range, instead of from all of it.
    """
    if not low < high or (start == "falling" and low <= 0):
        raise ValueError(f"a function must be trained on a range that rises (and, falling, is above 0), "
                         f"not {low} to {high}")
    seen = None if seen is None else np.ravel(seen)[(np.ravel(seen) >= low) & (np.ravel(seen) <= high)]
    if seen is not None and not len(seen):
        raise ValueError(f"inputs that were seen must lie in {low} to {high}, none does")
    rng = np.random.default_rng(seed)
    weights = _first(start, low, high, hidden, rng)
    means, squares = [np.zeros(hidden) for _ in weights], [np.zeros(hidden) for _ in weights]
    for step in range(1, steps + 1):
        x = _samples(low, high, start == "falling", seen, rng)
        n, b, m = weights
        active = np.maximum(x[:, None] * n + b, 0)
        sign = np.sign(active @ m - function(x)) / len(x)
        back = sign[:, None] * (active > 0) * m
        rate = LAST_RATE + (RATE - LAST_RATE) * (1 + np.cos(np.pi * step / steps)) / 2
        for weight, mean, square, slope in zip(weights, means, squares, (x @ back, back.sum(0), sign @ active),
                                               strict=True):
            mean += (1 - BETAS[0]) * (slope - mean)
            square += (1 - BETAS[1]) * (slope**2 - square)
            weight -= rate * mean / (1 - BETAS[0] ** step) / (np.sqrt(square / (1 - BETAS[1] ** step)) + TINY)
    return ReluNet(n=weights[0], b=weights[1], m=weights[2])

"""A ReLU network of one hidden layer as straight lines between breakpoints, without loss (NN-LUT, equations 2 to 5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "ReluNet", "lines", "net"]

Numbers = NDArray[Any]  # float64, or objects such as fractions: the transform is exact in exact numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class ReluNet:
    """``sum over j of m[j] * max(n[j] * x + b[j], 0)``; three arrays ``(hidden,)``."""

    n: Numbers
    b: Numbers
    m: Numbers

    def __post_init__(self) -> None:
        for name in "nbm":
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name))))
        if not self.n.shape == self.b.shape == self.m.shape or self.n.ndim != 1:
            raise ValueError(f"n, b and m of a ReLU network must be three lists of one length, "
                             f"not {self.n.shape}, {self.b.shape} and {self.m.shape}")

    def __call__(self, x: Any) -> Numbers:
        """The network's output for every ``x``."""
        hidden = np.asarray(x)[..., None] * self.n + self.b
        return (np.where(hidden > 0, hidden, 0 * hidden) * self.m).sum(axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """``slopes[k] * x + intercepts[k]`` with ``k = #{j : breakpoints[j] <= x}``; breakpoints rise, none twice."""

    breakpoints: Numbers
    slopes: Numbers
    intercepts: Numbers

    def __call__(self, x: Any) -> Numbers:
        """The value of every ``x``."""
        place = np.searchsorted(self.breakpoints, x, side="right")
        return self.slopes[place] * x + self.intercepts[place]


def lines(given: ReluNet) -> Lines:
    """The same function as lines: breakpoints ``-b / n`` in rising order, sums of ``m n`` and of ``m b``.

    Right of its breakpoint a unit with ``n > 0`` is on, left of it one with ``n < 0``. A unit with ``n = 0`` has no
    breakpoint: it adds ``m * max(b, 0)`` everywhere. Units that share a breakpoint make one.
    """
    bent = given.n != 0
    n, b, m = given.n[bent], given.b[bent], given.m[bent]
    flat, level = given.b[~bent], given.m[~bent]
    constant = (np.where(flat > 0, flat, 0 * flat) * level).sum()
    order = np.argsort(-b / n, kind="stable")
    n, b, m = n[order], b[order], m[order]
    places, rising = -b / n, n > 0

    def sums(values: Numbers) -> Numbers:
        """Of the units that are on in every segment."""
        zero = 0 * values[:1]
        on, off = np.where(rising, values, 0 * values), np.where(rising, 0 * values, values)
        return (np.concatenate([zero, np.cumsum(on)])
                + np.concatenate([np.cumsum(off[::-1])[::-1], zero])) if len(values) else np.zeros(1)

    kept = np.append(places[1:] != places[:-1], True)[:len(places)]  # of equal ones the last: what is between is empty
    segments = np.concatenate([[True], kept])
    return Lines(breakpoints=places[kept], slopes=sums(m * n)[segments], intercepts=sums(m * b)[segments] + constant)


def net(places: Numbers, values: Numbers) -> ReluNet:
    """The network whose lines join the points ``(places, values)`` and go on beyond them; ``places`` rise.

    One unit for each bend; the first slope is a pair of units whose own bends cancel, at the first bend; the level a
    unit with ``n = 0``. :func:`lines` makes of it one segment more than there are inner places.
    """
    slopes = np.diff(values) / np.diff(places)
    inner, bends = places[1:-1], np.diff(slopes)
    at = inner[0] if len(inner) else places[0]
    level = values[1] if len(inner) else values[0]
    one = 0 * at + 1
    return ReluNet(n=np.concatenate([0 * inner + 1, [one, -one, 0 * at]]),
                   b=np.concatenate([-inner, [-at, at, one]]),
                   m=np.concatenate([bends, [slopes[0], -slopes[0], level]]))

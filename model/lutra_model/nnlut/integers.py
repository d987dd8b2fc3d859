"""Lines as integers that meet at every breakpoint to the bit; what is wrong with a table, and its repair."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..piecewise import INPUT, SEGMENTS, Piecewise
from . import knots
from .net import Lines

__all__ = ["connect", "fitted", "of_lines", "placed", "problems", "repaired", "rounded"]

Real = NDArray[np.float64]
STEEPEST, FARTHEST, FINEST = 2**15 - 1, 2**31 - 1, 31
COARSEST, HALVINGS = 8, 10  # steps by which values are moved: the range by so many powers of two, and halvings of it


def _joined(places: NDArray[np.int64], values: Real, shift: int, rising: bool | None) -> tuple[list[int], list[int]]:
    """Slopes and intercepts of the lines from place to place: each slope aims at the next value from where it is.

    So the rounding of a slope is made good by the next one and never adds up. Where that would turn a line against
    the function it is level; where it would be too steep by that alone it is as steep as can be.
    """
    most = STEEPEST if shift == 0 and np.abs(np.diff(values) / np.diff(places)).max() < STEEPEST + 0.5 else FARTHEST
    low, high = (-most if rising is not True else 0), (most if rising is not False else 0)
    wanted = [float(value) * 2.0**shift for value in values]
    at, slopes, intercepts = round(wanted[0]), list[int](), list[int]()
    for left, right, aim in zip(places[:-1].tolist(), places[1:].tolist(), wanted[1:], strict=True):
        slopes.append(min(max(round((aim - at) / (right - left)), low), high))
        intercepts.append(at - slopes[-1] * left)
        at += slopes[-1] * (right - left)
    return slopes, intercepts


def connect(places: NDArray[np.int64], values: Real, rising: bool | None = None) -> Piecewise:
    """The function through the points ``(places, values)``, rounded half up, with the largest shift that fits.

    ``rising`` True or False: no line falls, or none rises.

    ``places`` rise; the first and last are the ends of what is of interest, the others become breakpoints. The lines
    go on beyond the ends. ``t_k = t_(k-1) + (s_(k-1) - s_k) * d_k`` holds exactly. Raises ``ValueError`` where no
    shift fits.
    """
    if len(places) - 1 > SEGMENTS:
        raise ValueError(f"a piecewise function must have at most {SEGMENTS} segments, not {len(places) - 1}")
    steepest = float(np.abs(np.diff(values) / np.diff(places)).max())
    most = int(np.log2((STEEPEST + 1) / steepest)) + 1 if steepest > 0 else FINEST
    for shift in range(min(FINEST, most), -1, -1):
        slopes, intercepts = _joined(places, values, shift, rising)
        half = 1 << shift >> 1
        if max(map(abs, slopes)) <= STEEPEST and max(map(abs, intercepts)) + half <= FARTHEST:
            return Piecewise(breakpoints=places[1:-1], slopes=np.array(slopes), shift=shift,
                             intercepts=np.array(intercepts) + half)
    raise ValueError(f"a piecewise function must have slopes of at most {STEEPEST}, not {steepest:.4g}")


def fitted(function: Callable[[Real], Real], low: int = INPUT[0], high: int = INPUT[1], *, power: int = 8,
           segments: int = SEGMENTS, weight: Callable[[Real], Real] = np.ones_like,
           rising: bool | None = None) -> Piecewise:
    """The best lines found for ``function`` (from whole numbers to output steps) on ``low..high``.

    ``power`` 2 makes the mean error small, 8 the largest one; ``weight`` is what an error counts at every ``x``;
    ``rising`` as in :func:`connect`.
    """
    x, target = _sampled(function, low, high)
    at = knots.places(x, target, weight(x), segments, power=power)
    return placed(function, at, power=power, weight=weight, rising=rising)


def _sampled(function: Callable[[Real], Real], low: int, high: int) -> tuple[Real, Real]:
    """Every whole number of a range, and the function there."""
    x = np.arange(low, high + 1, dtype=np.float64)
    target = function(x)
    if not np.isfinite(target).all():
        raise ValueError(f"a function must be finite from {low} to {high} to become a table")
    return x, target


def placed(function: Callable[[Real], Real], at: NDArray[np.int64], *, power: int = 8,
           weight: Callable[[Real], Real] = np.ones_like, rising: bool | None = None) -> Piecewise:
    """The best slopes and intercepts found for whole breakpoints ``at``, both ends of the range among them.

    Values at the breakpoints are fitted first in real numbers, then to the error of the integers, that of the rounded
    slopes included. The other parameters are those of :func:`fitted`.
    """
    x, target = _sampled(function, int(at[0]), int(at[-1]))
    counts, few = weight(x), knots.some(x, target)
    each = counts[few] * knots.standing(x[few], power)

    def errors(values: Real) -> Real:
        """Of the integers; no number is large enough for values that are too steep for them."""
        try:
            table = connect(at, values, rising)
        except ValueError:
            return np.array([np.inf])
        return each * np.abs(table.evaluate(x[few].astype(np.int64)) - target[few])

    def summed(values: Real) -> float:
        return float((errors(values) ** power).sum())

    def largest(values: Real) -> float:
        return float(errors(values).max())

    if power == 2:
        return connect(at, _polished(knots.values(x, target, counts, at, rounds=0), summed), rising)
    even = knots.values(x, target, counts, at)
    tried = [_polished(values, largest) for values in (even, _polished(even, summed))]
    return connect(at, min(tried, key=largest), rising)


def _polished(values: Real, cost: Callable[[Real], float]) -> Real:
    """Values moved one by one, by ever smaller steps, while the cost falls."""
    least, step = cost(values), float(np.ptp(values)) / 2**COARSEST
    for _ in range(HALVINGS):
        for number in range(len(values)):
            for move in (-step, step):
                tried = values.copy()
                tried[number] += move
                if (found := cost(tried)) < least:
                    values, least = tried, found
        step /= 2
    return values


def rounded(given: Lines, x_step: float, low: int = INPUT[0], high: int = INPUT[1]) -> NDArray[np.int64]:
    """Breakpoints on the machine's grid, between the ends of the range; none is there twice."""
    inner = np.rint(np.asarray(given.breakpoints, np.float64) / x_step)
    inner = np.unique(inner[(inner > low) & (inner < high)]).astype(np.int64)
    return np.concatenate([[low], inner, [high]])


def of_lines(given: Lines, x_step: float, y_step: float, low: int = INPUT[0], high: int = INPUT[1]) -> Piecewise:
    """Lines of real numbers on the scales of a machine: breakpoints are rounded, the lines still meet there.

    Breakpoints that fall together, or outside ``low..high``, are left out: what lies between them is empty.
    """
    places = rounded(given, x_step, low, high)
    return connect(places, given(places * x_step) / y_step)


def problems(given: Piecewise, rising: bool | None = None) -> list[str]:
    """What is wrong with a table, segment by segment: empty ones, jumps, pieces that run against the function.

    ``rising`` True or False: the function only rises, or only falls; None: it does both.
    """
    found = [f"segment {number} is degenerate: breakpoints {number} and {number + 1} are both {place}"
             for number, (place, after) in enumerate(zip(given.breakpoints, given.breakpoints[1:], strict=False), 1)
             if place == after]
    found += [f"segments {number} and {number + 1} do not meet at {place}: {jump} / 2^{given.shift} apart"
              for number, (place, jump) in enumerate(zip(given.breakpoints, given.jumps(), strict=True)) if jump]
    if rising is not None:
        found += [f"segment {number} {'falls' if rising else 'rises'} in a function that only "
                  f"{'rises' if rising else 'falls'}: its slope is {slope}"
                  for number, slope in enumerate(given.slopes) if (slope < 0 if rising else slope > 0)]
    return found


def repaired(given: Piecewise, rising: bool | None = None, low: int = INPUT[0], high: int = INPUT[1]) -> Piecewise:
    """The same table without its :func:`problems`: breakpoints that are twice become one, segments meet, and the
    values at the breakpoints are brought into order by pooling those that violate it (isotonic regression).
    """
    inner = np.unique(given.breakpoints[(given.breakpoints > low) & (given.breakpoints < high)])
    places = np.concatenate([[low], inner, [high]])
    at = given.segment(places)
    half = 1 << given.shift >> 1
    values = (given.slopes[at] * places + given.intercepts[at] - half) / 2.0**given.shift
    if rising is not None:
        values = _ordered(values) if rising else _ordered(values[::-1])[::-1]
    return connect(places, values, rising)


def _ordered(values: Real) -> Real:
    """The nearest values that never fall."""
    groups: list[tuple[float, int]] = []
    for value in values.tolist():
        mean, count = value, 1
        while groups and groups[-1][0] > mean:
            before, size = groups.pop()
            mean, count = (mean * count + before * size) / (count + size), count + size
        groups.append((mean, count))
    return np.repeat([mean for mean, _ in groups], [count for _, count in groups])

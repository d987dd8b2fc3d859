"""Where the lines of a function meet: 16 segments on a grid of whole numbers, without chance.

The places start where each segment has the same share of ``sqrt(abs(f''))``, which is best for many segments, and are
moved one by one while the largest error falls. The values at the places are least squares, or nearly the smallest
largest error (Lawson's weights).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Points", "places", "some", "standing", "values"]

Points = NDArray[np.float64]
LAWSON = 40  # rounds of weights
MOST = 2048  # points of the grid that the search looks at
FLOOR = 1e-3  # of the mean density, everywhere


def values(x: Points, target: Points, weight: Points, at: NDArray[np.int64], *, rounds: int = LAWSON) -> Points:
    """Values at the places ``at`` whose lines come nearest to ``target`` at ``x``; ``rounds`` 0: least squares.

    ``weight`` is what an error counts at each ``x``.
    """
    place = np.clip(np.searchsorted(at, x, side="right") - 1, 0, len(at) - 2)
    right = (x - at[place]) / (at[place + 1] - at[place])
    weights, best = np.full(len(x), 1 / len(x)), (np.inf, np.zeros(len(at)))
    for _ in range(max(1, rounds)):
        found = _least_squares(place, right, target, weights * weight**2, len(at))
        error = weight * np.abs(found[place] * (1 - right) + found[place + 1] * right - target)
        best = min(best, (float(error.max()), found), key=lambda pair: pair[0])
        if rounds == 0 or error.max() == 0:
            return found
        weights = weights * (error + 1e-3 * error.max())
        weights /= weights.sum()
    return best[1]


def _least_squares(place: NDArray[np.int64], right: Points, target: Points, weights: Points, count: int) -> Points:
    """The normal equations of tents on the places; a place that no point sees keeps 0."""
    left, size = 1 - right, count
    matrix = np.zeros((size, size))
    for (one, first), (other, second) in [((0, left), (0, left)), ((0, left), (1, right)), ((1, right), (0, left)),
                                          ((1, right), (1, right))]:
        flat = np.bincount((place + one) * size + place + other, weights * first * second, size * size)
        matrix += flat.reshape(size, size)
    wanted = (np.bincount(place, weights * left * target, size)
              + np.bincount(place + 1, weights * right * target, size))
    matrix[np.diag_indices(size)] += 1e-13 * matrix.trace() / size
    return np.linalg.solve(matrix, wanted)


def _errors(x: Points, target: Points, weight: Points, at: NDArray[np.int64]) -> Points:
    return weight * np.abs(np.interp(x, at, values(x, target, weight, at, rounds=0)) - target)


def _spread(x: Points, density: Points, count: int) -> NDArray[np.int64]:
    """``count + 1`` whole places with equal shares of the density between them, or fewer where they fall together."""
    sums = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) * np.diff(x))])
    found = np.rint(np.interp(np.linspace(0, sums[-1], count + 1), sums, x)).astype(np.int64)
    return np.unique(found)


def _filled(x: Points, target: Points, weight: Points, at: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """More places, one by one where the error is largest, while there is room for one."""
    while len(at) <= count:
        error = _errors(x, target, weight, at)
        error[np.isin(x, at)] = 0
        if not error.any():
            break
        at = np.sort(np.append(at, int(x[error.argmax()])))
    return at


def _moved(x: Points, target: Points, weight: Points, at: NDArray[np.int64], power: int) -> NDArray[np.int64]:
    """Places moved one by one, by ever smaller steps, while the error falls."""
    def cost(at: NDArray[np.int64]) -> float:
        error = _errors(x, target, weight, at)
        return float((error**power).sum())

    least, reach = cost(at), 4
    while reach <= 1 << 10:
        better = False
        for number in range(1, len(at) - 1):
            for way in (-1, 1):
                gap = at[number + way] - at[number]
                tried = at.copy()
                tried[number] += np.sign(gap) * max(1, abs(gap) // reach)
                if (np.diff(tried) > 0).all() and (found := cost(tried)) < least * (1 - 1e-6):
                    at, least, better = tried, found, True
        reach = reach if better else reach * 4
    return at


def _bend(x: Points, target: Points) -> Points:
    return np.abs(np.gradient(np.gradient(target, x), x)) if len(x) > 2 else np.zeros(len(x))


def some(x: Points, target: Points) -> NDArray[np.int64]:
    """Numbers of the points that the search looks at: all, or ``MOST``, half of them where the function bends."""
    if len(x) <= MOST:
        return np.arange(len(x))
    even = np.linspace(0, len(x) - 1, MOST // 2).astype(np.int64)
    shares = np.cumsum(np.sqrt(_bend(x, target)))
    bent = np.searchsorted(shares, np.linspace(0, shares[-1], MOST // 2))
    return np.unique(np.concatenate([even, bent.clip(0, len(x) - 1)]))


def standing(x: Points, power: int) -> Points:
    """What an error counts at each of some points so that a sum over them stands for a mean over the whole grid.

    Only where the mean is what counts (``power`` 2): the root of the number of grid points nearest to each.
    """
    if power != 2:
        return np.ones(len(x))
    return np.sqrt(np.diff(np.concatenate([[x[0] - 0.5], (x[1:] + x[:-1]) / 2, [x[-1] + 0.5]])))


def places(x: Points, target: Points, weight: Points, segments: int, *, power: int = 8) -> NDArray[np.int64]:
    """At most ``segments + 1`` places, the ends of the grid among them, where the lines should meet.

    Parameters
    ----------
    x : whole numbers that rise, at least two.
    target, weight : the function there; what an error counts.
    power : of the error whose sum is made small: 2 for the mean, 8 for nearly the largest.
    """
    looked = some(x, target)
    few, wanted, counts = x[looked], target[looked], weight[looked] * standing(x[looked], power)
    density = np.sqrt(_bend(few, wanted) * counts)
    ends = np.array([x[0], x[-1]], np.int64)
    if not density.any():
        return ends
    spread = np.union1d(_spread(few, density + FLOOR * density.mean(), segments), ends)
    return _moved(few, wanted, counts, _filled(few, wanted, counts, spread, segments), power)


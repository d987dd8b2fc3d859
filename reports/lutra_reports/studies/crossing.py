"""Where two costs are equal: on a curve over sizes, and over the number of cells that share something."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log

__all__ = ["crossings", "enough"]


def crossings(x: Sequence[float], ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Places where ours becomes dearer or cheaper than theirs: straight lines between points on logarithmic axes.

    >>> crossings([4, 16], [1, 4], [2, 2])
    [8.0]
    """
    gaps = [log(a / b) for a, b in zip(ours, theirs, strict=True)]
    found = []
    for (x0, y0), (x1, y1) in pairwise(zip(x, gaps, strict=True)):
        if y0 == 0:
            found.append(float(x0))
        elif y0 * y1 < 0:
            found.append(round(exp(log(x0) + (log(x1) - log(x0)) * y0 / (y0 - y1)), 9))
    return found + [float(x[-1])] * (gaps[-1] == 0)


def enough(few: tuple[int, float], many: tuple[int, float], rival: float) -> tuple[float, float, float | None]:
    """Cost that all share, cost of each, and how many must share so that one costs as much as the rival.

    ``few`` and ``many``: how many share, and what all of them cost together. None: however many share, it is dearer.

    >>> enough((4, 14.0), (16, 26.0), 2.0)
    (10.0, 1.0, 10.0)
    """
    each = (many[1] - few[1]) / (many[0] - few[0])
    shared = few[1] - few[0] * each
    return shared, each, max(1.0, shared / (rival - each)) if rival > each else None

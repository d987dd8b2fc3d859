"""Tables of a library (NLDM), looked up for many cells at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .tables import Table

__all__ = ["Tables"]

Floats = NDArray[np.float64]


class Tables:
    """Tables of any sizes, stacked; each is interpolated in both directions and continued beyond its ends.

    The number of a table is its place; -1 gives zero.
    """

    def __init__(self) -> None:
        self._tables: list[Table] = []
        self._numbers: dict[int, int] = {}
        self._stack: tuple[Floats, Floats, Floats] | None = None

    def add(self, table: Table | None) -> int:
        """The number under which the table is looked up."""
        if table is None:
            return -1
        if id(table) not in self._numbers:
            self._numbers[id(table)] = len(self._tables)
            self._tables.append(table)
            self._stack = None
        return self._numbers[id(table)]

    def look_up(self, numbers: NDArray[np.int64], slews: Floats, loads: Floats) -> Floats:
        """Values at transition times in ns and loads in fF; all three arguments of one shape."""
        if not self._tables:
            return np.zeros(len(numbers))
        if self._stack is None:
            self._stack = _stacked(self._tables)
        slew_axes, load_axes, values = self._stack
        numbers = np.asarray(numbers)
        safe = np.maximum(numbers, 0)
        row, row_part = _place(slew_axes[safe], slews)
        column, column_part = _place(load_axes[safe], loads)
        low = values[safe, row, column] * (1 - column_part) + values[safe, row, column + 1] * column_part
        high = values[safe, row + 1, column] * (1 - column_part) + values[safe, row + 1, column + 1] * column_part
        return np.where(numbers < 0, 0.0, low * (1 - row_part) + high * row_part)


def _stacked(tables: Sequence[Table]) -> tuple[Floats, Floats, Floats]:
    """Axes ``(tables, slews)`` and ``(tables, loads)``, values ``(tables, slews, loads)``, padded."""
    rows = max(2, *(len(table.slews) for table in tables))
    columns = max(2, *(len(table.loads) for table in tables))
    slews, loads = (np.full((len(tables), size), np.inf) for size in (rows, columns))
    values = np.zeros((len(tables), rows, columns))
    for number, table in enumerate(tables):
        slews[number, :len(table.slews)], loads[number, :len(table.loads)] = table.slews, table.loads
        values[number] = np.pad(table.values, ((0, rows - len(table.slews)), (0, columns - len(table.loads))), "edge")
    return slews, loads, values


def _place(axes: Floats, points: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The interval of each point on its axis, the last one for what is beyond, and how far in it the point is."""
    sizes = np.isfinite(axes).sum(axis=1)
    place = np.clip((axes <= np.asarray(points)[:, None]).sum(axis=1) - 1, 0, np.maximum(sizes - 2, 0))
    at = np.arange(len(axes))
    low, high = axes[at, place], axes[at, np.minimum(place + 1, axes.shape[1] - 1)]
    width = np.where(sizes > 1, high - low, 1.0)
    with np.errstate(invalid="ignore"):
        return place, np.where(sizes > 1, (points - low) / width, 0.0)

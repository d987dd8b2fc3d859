"""Random piecewise functions for a machine's slots: what a converter makes, and what none would."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lutra_model.nnlut.integers import connect
from lutra_model.piecewise import SEGMENTS, Piecewise

__all__ = ["Tables"]

Integer = Callable[[int, int], int]  # draws a number between two, both included
Real = NDArray[np.float64]

RANGES = {"value": (-(2**15), 2**15), "exponential": (-256, 0), "reciprocal": (2**14, 2**15), "root": (2**12, 2**14)}


class Tables:
    """Functions by what they are for; no more of them than there are slots.

    Parameters
    ----------
    slots : functions that the machine holds.
    """

    def __init__(self, slots: int, integer: Integer, rng: np.random.Generator) -> None:
        self.slots, self.integer, self.rng = slots, integer, rng
        self.found: list[tuple[str, Piecewise]] = []

    def some(self, use: str) -> Piecewise:
        """A new function or, more often the fewer slots are left, one that there is; at last one of any use."""
        known = [table for what, table in self.found if what == use]
        if len(self.found) < self.slots and not (known and self.integer(0, 2)):
            self.found.append((use, self._wild() if self.integer(0, 5) == 5 else self._smooth(use)))
            return self.found[-1][1]
        known = known or [table for _, table in self.found]
        return known[self.integer(0, len(known) - 1)]

    def _smooth(self, use: str) -> Piecewise:
        """Lines that meet, near the function of that name (``value``: through any outputs)."""
        low, high = RANGES[use]
        inner = self.rng.integers(low + 1, high, self.integer(1, SEGMENTS) - 1)
        places = np.unique([low, *inner.tolist(), high])
        return connect(places, self._values(use, places.astype(np.float64)))

    def _values(self, use: str, x: Real) -> Real:
        match use:
            case "exponential":
                return 2.0**15 * np.exp(x / self.integer(4, 200))
            case "reciprocal":
                return 2.0**29 / x
            case "root":
                return 2.0**21 / np.sqrt(x)
        return self.rng.integers(-160, 160, len(x)).astype(np.float64)

    def _wild(self) -> Piecewise:
        """Any numbers that a slot can hold; half of the breakpoints lie among small numbers."""
        count, small = self.integer(1, SEGMENTS), self.rng.integers(-256, 257, SEGMENTS)
        places = np.where(self.rng.integers(0, 2, SEGMENTS), small, self.rng.integers(-(2**15), 2**15, SEGMENTS))
        return Piecewise(breakpoints=np.sort(places[1:count]), slopes=self.rng.integers(-(2**15), 2**15, count),
                         intercepts=self.rng.integers(-(2**31), 2**31, count), shift=self.integer(0, 31))

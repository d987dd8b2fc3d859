"""Piecewise linear functions in integers: what a function slot of the machine holds (docs/arithmetic.md)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FUNCTION_SLOTS", "FUNCTION_WORDS", "INPUT", "SEGMENTS", "Piecewise"]

SEGMENTS = 16                     # of a slot
FUNCTION_WORDS = 2 * SEGMENTS + 1  # 32-bit words of a slot
FUNCTION_SLOTS = 15                # of a machine, at most
INPUT = (-(2**15), 2**15 - 1)     # of x
LIMITS = {"breakpoints": INPUT, "slopes": INPUT, "intercepts": (-(2**31), 2**31 - 1)}
LONGEST = 31  # shift


def _whole(what: str, values: ArrayLike) -> NDArray[np.int64]:
    found = np.atleast_1d(np.asarray(values))
    if found.ndim != 1 or (found.size and not np.issubdtype(found.dtype, np.integer)):
        raise ValueError(f"{what} of a piecewise function must be a list of whole numbers")
    low, high = LIMITS[what]
    if found.size and not low <= found.min() <= found.max() <= high:
        raise ValueError(f"{what} of a piecewise function must be {low} to {high}, not {found.min()} to {found.max()}")
    return found.astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Piecewise:
    """``P(x) = (slopes[k] * x + intercepts[k]) >> shift`` with ``k`` the number of breakpoints that are at most ``x``.

    Parameters
    ----------
    breakpoints : signed 16 bits ``(segments - 1,)``, none below the one before; segment ``k`` begins at
        ``breakpoints[k - 1]``.
    slopes : signed 16 bits ``(segments,)``, at most 16 segments.
    intercepts : signed 32 bits ``(segments,)``; the half of rounding is in them.
    shift : 0 to 31, arithmetic (floor).

    Raises ``ValueError`` for anything else.
    """

    breakpoints: NDArray[np.int64]
    slopes: NDArray[np.int64]
    intercepts: NDArray[np.int64]
    shift: int

    def __post_init__(self) -> None:
        for what in LIMITS:
            object.__setattr__(self, what, _whole(what, getattr(self, what)))
        segments = len(self.slopes)
        if not 1 <= segments <= SEGMENTS:
            raise ValueError(f"a piecewise function must have 1 to {SEGMENTS} segments, not {segments}")
        if (len(self.breakpoints), len(self.intercepts)) != (segments - 1, segments):
            raise ValueError(f"a piecewise function of {segments} slopes must have {segments - 1} breakpoints and "
                             f"{segments} intercepts, not {len(self.breakpoints)} and {len(self.intercepts)}")
        if (np.diff(self.breakpoints) < 0).any():
            raise ValueError(f"breakpoints of a piecewise function must rise, not be {self.breakpoints.tolist()}")
        if not 0 <= self.shift <= LONGEST:
            raise ValueError(f"shift of a piecewise function must be 0 to {LONGEST}, not {self.shift}")
        object.__setattr__(self, "shift", int(self.shift))

    @property
    def segments(self) -> int:
        """Segments, at most 16."""
        return len(self.slopes)

    @property
    def continuous(self) -> bool:
        """Whether neighbouring segments meet at their breakpoint to the bit, before the shift."""
        return not self.jumps().any()

    def jumps(self) -> NDArray[np.int64]:
        """``(segments - 1,)``: by how much a segment lies above the one before at its breakpoint, in ``2^-shift``."""
        return np.diff(self.slopes) * self.breakpoints + np.diff(self.intercepts)

    def segment(self, x: ArrayLike) -> NDArray[np.int64]:
        """The segment of every ``x``: ``#{j : breakpoints[j] <= x}``."""
        return np.searchsorted(self.breakpoints, x, side="right")

    def evaluate(self, x: ArrayLike) -> NDArray[np.int64]:
        """``P(x)`` of an integer array of any shape: at most 33 bits, not clamped.

        Raises ``ValueError`` for a value beyond 16 bits.
        """
        given: NDArray[Any] = np.asarray(x)
        if given.size and not INPUT[0] <= given.min() <= given.max() <= INPUT[1]:
            raise ValueError(f"the input of a piecewise function must be {INPUT[0]} to {INPUT[1]}, "
                             f"not {given.min()} to {given.max()}")
        place, wide = self.segment(given), given.astype(np.int64)
        return (self.slopes[place] * wide + self.intercepts[place]) >> self.shift

    def real(self, x: ArrayLike) -> NDArray[np.float64]:
        """The same lines in real numbers, before rounding."""
        given = np.asarray(x, np.float64)
        place, half = self.segment(given), 1 << self.shift >> 1
        return np.ldexp(self.slopes[place] * given + self.intercepts[place] - half, -self.shift)

    def words(self) -> tuple[int, ...]:
        """The 33 words of a function slot: slope and breakpoint, then intercept, of every segment; the shift.

        Segments that are not used repeat the last one from breakpoint 32767 on.
        """
        unused = SEGMENTS - self.segments
        starts = [0, *self.breakpoints.tolist(), *[INPUT[1]] * unused]
        slopes = self.slopes.tolist() + [int(self.slopes[-1])] * unused
        intercepts = self.intercepts.tolist() + [int(self.intercepts[-1])] * unused
        words = [word for start, slope, intercept in zip(starts, slopes, intercepts, strict=True)
                 for word in (start % 2**16 << 16 | slope % 2**16, intercept % 2**32)]
        return (*words, self.shift)

    @classmethod
    def of_words(cls, words: ArrayLike) -> "Piecewise":
        """The function of a slot's 33 words; unused segments stay as they are stored."""
        given = np.asarray(words, np.int64)
        if given.shape != (FUNCTION_WORDS,):
            raise ValueError(f"a function slot must be {FUNCTION_WORDS} words, not {given.shape}")
        first, intercepts = given[:-1:2].astype(np.uint32), given[1::2].astype(np.uint32)
        return cls(breakpoints=(first[1:] >> 16).astype(np.uint16).view(np.int16).astype(np.int64),
                   slopes=(first & 0xFFFF).astype(np.uint16).view(np.int16).astype(np.int64),
                   intercepts=intercepts.view(np.int32).astype(np.int64), shift=int(given[-1]))

"""Stalls of a stream's end on the bench."""

from collections.abc import Iterator

import numpy as np

__all__ = ["bursts"]

LONGEST = (2, 8, 24)  # the last is longer than the output buffer is deep


def bursts(seed: int, end: int) -> Iterator[bool]:
    """Whether the end pauses, cycle by cycle: alternating runs, of lengths that differ from end to end."""
    rng = np.random.default_rng((seed, end))
    longest = rng.choice(LONGEST, 2)
    pause = bool(rng.integers(2))
    while True:
        yield from [pause] * int(rng.integers(1, longest[int(pause)] + 1))
        pause = not pause

"""Stalls of a stream's end on the bench: runs of cycles, longer than the pipelines are deep."""

from collections.abc import Iterator

import numpy as np

__all__ = ["bursts"]


def bursts(seed: int, end: int, longest: int = 24) -> Iterator[bool]:
    """Whether the end pauses, cycle by cycle: runs of 1 to ``longest`` cycles; every end has its own."""
    rng = np.random.default_rng((seed, end))
    pause = bool(rng.integers(2))
    while True:
        yield from [pause] * int(rng.integers(1, longest + 1))
        pause = not pause

"""Many blocks of a product, one after the other, without stepping through all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..whole import most
from .walk import State, Walk

__all__ = ["walked"]

STEPPED = 4          # blocks in a row that are stepped through at most
NEVER = -(1 << 50)   # a cycle before all others
CARRIED = ("ready", "old", "new", "half", "next_half")  # what the next block depends on, beside free and next_fed


def walked(walk: Walk, state: State, count: NDArray[np.int64]) -> State:
    """The state after so many blocks at each place: after some in a row the others follow at once, see `_followed`.

    Where that takes long, the block's (max, +) matrix is raised to the power of the blocks left.
    """
    places = np.flatnonzero(count)
    whole = len(places) == len(count)
    found = [] if whole else [np.array(np.broadcast_to(value, count.shape)) for value in state]
    left, now = count, state
    if not whole:
        left, walk, now = count[places], walk.at(places), state.at(places)
    before = now
    for stepped in range(STEPPED):
        earlier, before, now, left = before, now, walk.block(now), left - 1
        if stepped:
            now, before, left = _followed(now, before, earlier, left)
        keep = left > 0
        if not np.any(keep):
            return _put(found, places, now)
        if not np.all(keep):
            if not found:
                found = [np.empty(count.shape, np.int64) for _ in state]
            done = np.flatnonzero(~keep)
            _put(found, places[done], now.at(done))
            keep = np.flatnonzero(keep)
            places, left, walk, now, before = places[keep], left[keep], walk.at(keep), now.at(keep), before.at(keep)
    return _put(found, places, _power(walk, now, left))


def _put(found: list[NDArray[np.int64]], places: NDArray[np.int64], state: State) -> State:
    """What was found so far, with a state at some places, or the state of all places."""
    if not found:
        return state
    for target, value in zip(found, state, strict=True):
        target[places] = value
    return State(*found)


def _followed(now: State, before: State, earlier: State, left: Any) -> tuple[State, State, Any]:
    """The last two states after the blocks that follow at once, and the blocks left then.

    All blocks do where one moved everything alike and the encoders not further: they come to wait for half an
    index memory. Pairs of blocks do where two moved everything alike: the halves of that memory take turns.
    """
    moved, fed = now.free - before.free, now.next_fed - before.next_fed
    steady = fed <= moved
    for name in CARRIED:
        steady &= getattr(now, name) - getattr(before, name) == moved
    next_fed = most(now.next_fed + left * fed, now.half + ((left - 1) * moved + fed))
    if np.all(steady):
        return now.moved(left * moved)._replace(next_fed=next_fed), before, np.zeros_like(left)
    both = now.free - earlier.free
    alike = ~steady & (left > 1) & (now.next_fed - earlier.next_fed == both)
    for name in CARRIED:
        alike &= getattr(now, name) - getattr(earlier, name) == both
    pairs = np.where(alike, left // 2, 0)
    ahead = np.where(steady, left * moved, pairs * both)
    done = now.moved(ahead)
    next_fed = np.where(steady & (left > 0), next_fed, done.next_fed)
    return done._replace(next_fed=next_fed), before.moved(ahead), np.where(steady, 0, left - 2 * pairs)


def _between(walk: Walk, free: Any, ready: Any, old: Any, next_fed: Any, half: Any) -> State:
    """The state between two blocks."""
    return State(ready, free, old, free + (walk.release - 1), next_fed, half, free)


def _power(walk: Walk, state: State, count: NDArray[np.int64]) -> State:
    """So many blocks at each place by repeated squaring: a block's cycles are largest sums of those before."""
    size, names = len(count), ("free", "ready", "old", "next_fed", "half")
    never = np.full(size, NEVER)
    matrix = np.empty((len(names), len(names), size), np.int64)
    for place, name in enumerate(names):
        unit = dict.fromkeys(names, never) | {name: np.zeros(size, np.int64)}
        after = walk.block(_between(walk, **unit))
        matrix[:, place] = [getattr(after, field) for field in names]
    vector, left = np.array([getattr(state, name) for name in names]), count
    while True:
        odd = np.flatnonzero(left & 1)
        vector[:, odd] = (matrix[:, :, odd] + vector[:, odd]).max(axis=1)
        left = left >> 1
        if not np.any(left):
            return _between(walk, **dict(zip(names, vector, strict=True)))
        squared = matrix[:, :1] + matrix[:1]
        for place in range(1, len(names)):
            np.maximum(squared, matrix[:, place:place + 1] + matrix[place:place + 1], out=squared)
        matrix = np.maximum(squared, NEVER)

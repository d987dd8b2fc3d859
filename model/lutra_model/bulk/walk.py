"""Cycles of a product in closed form: the recurrences of `passes`, solved for tiles that are alike.

Between two tiles the array waits for the longer of two: the rows of the one, or the table beats of the other. With
``h`` the cycle in which a tile's tables are there and the array is free, ``s`` the one in which it starts (its index
words are there, too), R rows and L beats::

    h' = max(s + R, h + L)        s' = max(h', word)

so that tiles whose index words are there take ``max(R, L)`` each, and the first column of a block the larger of that
and the encoders' time for each tile. Tables come in every cycle; operands are int64 arrays, or single numbers.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..params import Array
from ..schedule import Pipeline
from ..whole import most, up
from .designs import Operations, taken

__all__ = ["State", "Walk", "walk_of"]


NEVER = -(1 << 50)
STEPPED = 4  # blocks in a row that are stepped through
CARRIED = ("ready", "old", "new", "half", "next_half")  # what the next block depends on beside free and next_fed


class State(NamedTuple):
    """Cycles after a tile.

    Parameters
    ----------
    ready : its tables were there and the array was free.
    free : the array is free again.
    bank : the older table bank is. beat : after its last table beat.
    old, new : the older and the newer parameter bank take beats.
    fed : first row of the newest block. next_fed : earliest of the next block's.
    half, next_half : the older and the newer half of the index memory take words.
    """

    ready: Any
    free: Any
    bank: Any
    beat: Any
    old: Any
    new: Any
    fed: Any
    next_fed: Any
    half: Any
    next_half: Any

    def chosen(self, where: NDArray[np.bool_], other: "State") -> "State":
        """This state at some places, another one elsewhere."""
        return State(*(mine if mine is its else np.where(where, mine, its)
                       for mine, its in zip(self, other, strict=True)))

    def moved(self, cycles: Any) -> "State":
        """The state so many cycles later."""
        return State(*(value + cycles for value in self))

    def at(self, places: NDArray[Any]) -> "State":
        """The state at some places."""
        return State(*(value[places] if isinstance(value, np.ndarray) else value for value in self))


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A product's blocks of ``rows`` rows; everything in cycles but ``tiles`` and ``columns``."""

    rows: Any
    tiles: Any
    columns: Any
    load: Any         # table beats of a tile
    last_load: Any    # of the last one in a column
    parameters: Any   # its parameter beats
    release: Any      # from a tile's last row to its parameter bank free
    next_block: Any   # from a block's first row to the next block's
    first_word: Any   # from a block's first row to the first tile's index words
    gap: Any          # to the next tile's
    last_word: Any    # from a block's first row to the last tile's
    newest: Any       # to the first row of its newest slot

    def __post_init__(self) -> None:
        tile, last = most(self.rows, self.load), most(self.rows, self.last_load + self.parameters)
        column = (self.tiles - 1) * tile + last
        chain = self.rows - 1 + self.release + self.parameters  # two columns by way of a parameter bank
        for name, value in {"several": self.tiles > 1, "many": self.tiles > 2, "tile": tile, "column": column,
                            "between": (self.tiles - 2) * tile, "slowest": most(tile, self.gap), "chain": chain,
                            "late": bool(np.any(self.release - 1 + self.parameters > 2 * column - tile)),
                            "wide": bool(np.any(self.columns > 2))}.items():
            object.__setattr__(self, name, value)

    several: Any = None
    many: Any = None
    tile: Any = None
    column: Any = None
    between: Any = None
    slowest: Any = None
    chain: Any = None
    late: bool = False
    wide: bool = False

    def _ended(self, state: State, ready: Any, bank: Any, word: Any = None) -> State:
        """After a column's last tile; ``ready`` and ``bank`` are of the tile before."""
        beat = most(ready + self.last_load, state.old) + self.parameters
        here = most(beat, bank)
        free = (here if word is None else most(here, word)) + self.rows
        return state._replace(ready=here, free=free, bank=bank, beat=beat, old=state.new,
                              new=free + (self.release - 1))

    def first(self, state: State) -> State:
        """The first column of a block, whose index words are still made."""
        word = state.fed + self.first_word
        ready = most(state.ready + self.load, state.free) + self.between
        ready = np.where(self.many, most(ready, word + (self.rows + (self.tiles - 3) * self.slowest)), ready)
        start = most(ready, word + (self.tiles - 2) * self.gap)
        return self._ended(state, np.where(self.several, ready, state.ready),
                           np.where(self.several, start + self.rows, state.free), state.fed + self.last_word)

    def next(self, state: State) -> State:
        """Another column."""
        ready = most(state.ready + self.load, state.free) + self.between
        return self._ended(state, np.where(self.several, ready, state.ready),
                           np.where(self.several, ready + self.rows, state.free))

    def _after(self, count: Any, first: Any, second: Any) -> Any:
        """When so many columns are ready: ``second`` is the second one, ``first`` when the first one starts."""
        plain = self.column * (count - 2)
        if not self.late:
            return second + plain
        by_bank = self.chain > 2 * self.column

        def along(left: Any) -> Any:
            return np.where(by_bank, left // 2 * self.chain + left % 2 * self.column, left * self.column)

        return np.where(count > 2, most(second + along(count - 2), first + self.chain + along(count - 3)), second)

    def _jump(self, state: State) -> State:
        """From after the first column to before the last one, of three and more."""
        two, begun = self.next(state), state.free - self.rows
        ready = self._after(self.columns - 1, begun, two.ready)
        free, before = ready + self.rows, self._after(self.columns - 2, begun, two.ready)
        old = np.where(self.columns > 3, before + (self.rows + self.release - 1), two.old)
        return two._replace(ready=ready, free=free, old=old, new=free + (self.release - 1))

    def block(self, state: State) -> State:
        """Feed one block and walk over it."""
        fed = most(state.next_fed, state.half)
        state = self.first(state._replace(fed=fed, next_fed=fed + self.next_block))
        if np.any(self.columns > 1):
            inner = self._jump(state).chosen(self.columns > 2, state) if self.wide else state
            state = self.next(inner).chosen(self.columns > 1, state)
        return state._replace(half=state.next_half, next_half=state.free)

    def blocks(self, state: State, count: NDArray[np.int64]) -> State:
        """So many blocks at each place: some in a row until the others follow at once, see `_followed`.

        Where that takes long, the block's (max, +) matrix is raised to the power of the blocks left.
        """
        places = np.flatnonzero(count)
        found = [np.array(np.broadcast_to(value, count.shape)) for value in state]
        left, walk, now = count[places], taken(self, places), state.at(places)
        before = now
        for stepped in range(STEPPED):
            earlier, before, now = before, now, walk.block(now)
            left = left - 1
            if stepped:
                now, before, left = walk._followed(now, before, earlier, left)
            for target, value in zip(found, now, strict=True):
                target[places] = value
            keep = np.flatnonzero(left)
            if not len(keep):
                return State(*found)
            places, left, walk = places[keep], left[keep], taken(walk, keep)
            now, before = now.at(keep), before.at(keep)
        for target, value in zip(found, walk._power(now, left), strict=True):
            target[places] = value
        return State(*found)

    def _followed(self, now: State, before: State, earlier: State, left: Any) -> tuple[State, State, Any]:
        """The last two states after the blocks that follow at once, and the blocks left then.

        All blocks do where one moved everything alike and the encoders not further: they come to wait for half an
        index memory. Pairs of blocks do where two moved everything alike: the halves of that memory take turns.
        """
        steady = left > 0
        for name in CARRIED:
            steady &= getattr(now, name) - getattr(before, name) == now.free - before.free
        moved, fed = now.free - before.free, now.next_fed - before.next_fed
        steady &= fed <= moved
        alike = (left > 1) & (now.next_fed - earlier.next_fed == now.free - earlier.free)
        for name in CARRIED:
            alike &= getattr(now, name) - getattr(earlier, name) == now.free - earlier.free
        ahead = np.where(steady, left * moved, np.where(alike, left // 2, 0) * (now.free - earlier.free))
        next_fed = np.where(steady, most(now.next_fed + left * fed, now.half + (left - 1) * moved + fed),
                            now.next_fed + ahead)
        done = now.moved(ahead)._replace(next_fed=next_fed)
        return done, before.moved(ahead), np.where(steady, 0, np.where(alike, left % 2, left))

    def _power(self, state: State, count: NDArray[np.int64]) -> State:
        """So many blocks at each place by repeated squaring: a block's cycles are largest sums of those before."""
        size, names = len(count), ("free", "ready", "old", "next_fed", "half")
        never = np.full(size, NEVER)
        matrix = np.empty((len(names), len(names), size), np.int64)
        for place, name in enumerate(names):
            after = self.block(self._between(**dict.fromkeys(names, never) | {name: np.zeros(size, np.int64)}))
            matrix[:, place] = [getattr(after, field) for field in names]
        vector, left = np.array([getattr(state, name) for name in names]), count - 1
        while True:
            odd = np.flatnonzero(left & 1)
            vector[:, odd] = (matrix[:, :, odd] + vector[:, odd]).max(axis=1)
            left = left >> 1
            if not np.any(left):
                return self.block(self._between(**dict(zip(names, vector, strict=True))))
            squared = matrix[:, :1] + matrix[:1]
            for place in range(1, len(names)):
                np.maximum(squared, matrix[:, place:place + 1] + matrix[place:place + 1], out=squared)
            matrix = np.maximum(squared, NEVER)

    def _between(self, free: Any, ready: Any, old: Any, next_fed: Any, half: Any) -> State:
        """The state between two blocks of this walk."""
        return State(ready, free, free, free, old, free + (self.release - 1), next_fed, next_fed, half, free)


def walk_of(operation: Operations, array: Array, pipeline: Pipeline, rows: Any) -> Walk:
    """The walk over blocks of so many rows."""
    cell, slots = array.cell, operation.slots
    codebook = cell.slot_words(array, operation.entries)
    hold = codebook + 2 + cell.hold(array)

    def step(count: Any) -> Any:
        return most(count, hold) if np.any(codebook) else count

    beats = cell.group_beats(operation.entries)
    groups, last_groups = (up(some * array.encoders, array.fill) for some in (array.slots, operation.last_slots))
    written, pace = pipeline.fetch + pipeline.encode + 1, step(rows)
    first = np.where(operation.row_tiles > 1, array.slots, operation.last_slots)
    return Walk(rows=rows, tiles=operation.row_tiles, columns=operation.column_tiles, load=groups * beats,
                last_load=last_groups * beats, parameters=array.parameter_beats, release=pipeline.release,
                next_block=slots * step(operation.block), first_word=(first - 1) * pace + written,
                gap=array.slots * pace, last_word=(slots - 1) * pace + written, newest=(slots - 1) * pace)

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
from .designs import Operations

__all__ = ["Ended", "State", "Walk", "walk_of"]


class State(NamedTuple):
    """Cycles after a column.

    Parameters
    ----------
    ready : its last tile's tables were there and the array was free.
    free : the array is free again.
    old, new : the older and the newer parameter bank take beats.
    next_fed : earliest first row of the next block.
    half, next_half : the older and the newer half of the index memory take words.
    """

    ready: Any
    free: Any
    old: Any
    new: Any
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


class Ended(NamedTuple):
    """A product's end: its state, when its older table bank is free, its last table beat over, its newest block fed."""

    state: State
    bank: Any
    beat: Any
    fed: Any


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
        """Numbers that every block needs."""
        tile, last = most(self.rows, self.load), most(self.rows, self.last_load + self.parameters)
        column, ahead = (self.tiles - 1) * tile + last, self.rows - 1 + self.release
        derived = {"column": column, "ahead": ahead, "between": (self.tiles - 2) * tile,
                   "chain": ahead + self.parameters,  # two columns by way of a parameter bank
                   "words": self.rows + (self.tiles - 3) * most(tile, self.gap), "gaps": (self.tiles - 2) * self.gap,
                   "several": self.tiles > 1, "many": self.tiles > 2}
        late = np.any(self.release - 1 + self.parameters > 2 * column - tile)
        flags = {"late": bool(late), "all_several": bool(np.all(derived["several"])),
                 "all_many": bool(np.all(derived["many"])), "fewest": int(np.min(self.columns)),
                 "most": int(np.max(self.columns))}
        for name, value in (derived | flags).items():
            object.__setattr__(self, name, value)

    column: Any = None
    ahead: Any = None
    between: Any = None
    chain: Any = None
    words: Any = None
    gaps: Any = None
    several: Any = None
    many: Any = None
    late: bool = False  # some parameters come late; then: of all places together
    all_several: bool = False
    all_many: bool = False
    fewest: int = 0
    most: int = 0

    def at(self, places: NDArray[Any]) -> "Walk":
        """The walk at some places."""
        found = object.__new__(Walk)
        for name, value in vars(self).items():
            object.__setattr__(found, name, value[places] if isinstance(value, np.ndarray) else value)
        return found

    def _ended(self, state: State, ready: Any, bank: Any, word: Any = None) -> Ended:
        """After a column's last tile; ``ready`` and ``bank`` are of the tile before."""
        beat = most(ready + self.last_load, state.old) + self.parameters
        here = most(beat, bank)
        free = (here if word is None else most(here, word)) + self.rows
        state = State(here, free, state.new, free + (self.release - 1), *state[4:])
        return Ended(state, bank, beat, None)

    def _first(self, state: State, fed: Any) -> Ended:
        """The first column of a block, whose index words are still made."""
        word = fed + self.first_word
        ready = most(state.ready + self.load, state.free) + self.between
        later = most(ready, word + self.words)
        ready = later if self.all_many else np.where(self.many, later, ready)
        start = most(ready, word + self.gaps)
        return self._ended(state, *self._tiled(state, ready, start + self.rows), fed + self.last_word)

    def _tiled(self, state: State, ready: Any, bank: Any) -> tuple[Any, Any]:
        """Of the tile before a column's last one; where there is none, of the column before."""
        if self.all_several:
            return ready, bank
        return np.where(self.several, ready, state.ready), np.where(self.several, bank, state.free)

    def _next(self, state: State) -> Ended:
        """Another column."""
        ready = most(state.ready + self.load, state.free) + self.between
        return self._ended(state, *self._tiled(state, ready, ready + self.rows))

    def _after(self, count: Any, first: Any, second: Any) -> Any:
        """When so many columns, at least two, are ready: ``second`` is the second, ``first`` the start of the first."""
        if not self.late:
            return second + self.column * (count - 2)
        by_bank = self.chain > 2 * self.column

        def along(left: Any) -> Any:
            return np.where(by_bank, left // 2 * self.chain + left % 2 * self.column, left * self.column)

        return np.where(count > 2, most(second + along(count - 2), first + self.chain + along(count - 3)), second)

    def _columns(self, state: State, less: int) -> State:
        """From after the first column to after all but ``less`` of them."""
        count, first, two = self.columns - less, state.free - self.rows, self._next(state).state
        if self.most < 3:
            return self._more(two, state, count, less)
        ready, before = (self._after(np.maximum(count - fewer, 2), first, two.ready)
                         for fewer in (0, 1))
        free = ready + self.rows
        old = np.where(count > 2, before + self.ahead, two.old)
        return self._more(two._replace(ready=ready, free=free, old=old, new=free + (self.release - 1)), state, count,
                          less)

    def _more(self, further: State, state: State, count: Any, less: int) -> State:
        """``further`` where there is more than one of ``count`` columns, which are ``less`` than all."""
        return further if self.fewest - less > 1 else further.chosen(count > 1, state)

    def block(self, state: State) -> State:
        """Feed one block and walk over it."""
        fed = most(state.next_fed, state.half)
        found = self._first(state, fed).state
        if self.most > 1:
            found = self._columns(found, 0)
        return State(*found[:4], fed + self.next_block, state.next_half, found.free)

    def last(self, state: State) -> Ended:
        """The same with what the next product needs to know."""
        fed = most(state.next_fed, state.half)
        found = self._first(state, fed)
        if self.most > 1:
            inner = self._columns(found.state, 1) if self.most > 2 else found.state
            further, more = self._next(inner), self.columns > 1
            if self.fewest > 1:
                return further._replace(fed=fed)
            found = Ended(further.state.chosen(more, found.state), np.where(more, further.bank, found.bank),
                          np.where(more, further.beat, found.beat), None)
        return found._replace(fed=fed)


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

"""Cycles of a program on many machines, each as `latency` has it: streams give a beat in every cycle."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..operation import Kind, descriptor_words
from ..params import Array
from ..passes import LONG_AGO
from ..schedule import Pipeline
from ..whole import most
from .blocks import walked
from .designs import Operations
from .walk import State, walk_of

__all__ = ["Timer"]


class _Carried(NamedTuple):
    """What a product leaves to the next, in cycles: see `passes.Clock`; ``beat`` is after the loader's newest beat."""

    beat: Any = LONG_AGO
    slot: Any = LONG_AGO
    bank: Any = 0
    next_bank: Any = 0
    old: Any = 0
    new: Any = 0

    def moved(self, cycles: Any) -> "_Carried":
        """The same so many cycles later."""
        return _Carried(*(value + cycles for value in self))

    def with_places(self, places: NDArray[np.int64], other: "_Carried") -> "_Carried":
        """The same with another's numbers at some places."""
        found = _Carried(*(np.array(value) for value in self))
        for value, new in zip(found, other, strict=True):
            value[places] = new
        return found


@dataclass
class _Clock:
    """What outlives an operation."""

    ready: Any
    done: Any = -1
    start: Any = 0
    activation: Any = 0
    carried: _Carried = field(default_factory=_Carried)


class _Product:
    """What the runs of one product on each machine share; cycles count from its start."""

    def __init__(self, operation: Operations, array: Array, pipeline: Pipeline) -> None:
        self.output = pipeline.output
        self.blocks: Any = operation.blocks - 1
        self.codebook = array.cell.slot_words(array, operation.entries)
        self.hold = 2 + array.cell.hold(array)
        self.last = walk_of(operation, array, pipeline, operation.last_block)
        self.full = walk_of(operation, array, pipeline, operation.block) if np.any(self.blocks) else None
        self.before: tuple[State, _Carried] | None = None  # what the newest run found and left

    def _found(self, clock: _Clock) -> State:
        """The state before the first block."""
        ready, found, fed = clock.ready - clock.start, clock.carried.moved(-clock.start), np.asarray(1)
        if np.any(self.codebook):
            fed = most(fed, most(ready + 1, found.slot + self.hold) + self.codebook)
        shape = np.shape(ready)
        return State(*(np.broadcast_to(value, shape) for value in (
            most(most(ready, found.beat) + 1, found.bank), found.next_bank, found.old, found.new, fed, 1, 1)))

    def _left(self, state: State, places: NDArray[np.int64] | None = None) -> _Carried:
        """What is left after all blocks at some places."""
        last, full, blocks = self.last, self.full, self.blocks
        if places is not None:
            state, last = state.at(places), last.at(places)
            full, blocks = full and full.at(places), blocks[places] if np.ndim(blocks) else blocks
        if full:
            state = walked(full, state, np.broadcast_to(blocks, np.shape(state.free)))
        end = last.last(state)
        return _Carried(end.beat, end.fed + last.newest, end.bank, *end.state[1:4])

    def run(self, clock: _Clock) -> Any:
        """The cycle in which it is done; where it finds what the run before found, it is that run."""
        state, left = self._found(clock), None
        if self.before:
            other = np.logical_or.reduce([new != old for new, old in zip(state, self.before[0], strict=True)])
            places = np.flatnonzero(other)
            if 2 * len(places) < len(other):
                left = self.before[1]
                if len(places):
                    left = left.with_places(places, self._left(state, places))
        self.before = state, left or self._left(state)
        clock.carried = self.before[1].moved(clock.start)
        return clock.carried.next_bank - 1 + self.output


class Timer:
    """Cycles of steps, one after the other, on the machines of an array."""

    def __init__(self, array: Array, count: int) -> None:
        self.array, self.pipeline, self.count = array, Pipeline(array), count
        self.read = descriptor_words(array) + 2
        self.products = dict[Hashable, _Product]()

    def _done(self, operation: Operations, key: Hashable, clock: _Clock) -> Any:
        pipeline = self.pipeline
        leave = pipeline.leave * operation.to_stream
        match operation.kind:
            case Kind.PRODUCT:
                if key not in self.products:
                    self.products[key] = _Product(operation, self.array, pipeline)
                return self.products[key].run(clock) + leave
            case Kind.POOL:
                return clock.start + operation.rows * operation.slots + pipeline.pool + pipeline.finish \
                    + pipeline.add + 1 + leave
        first = most(clock.start + 1, clock.activation)
        clock.activation = first + operation.rows * operation.column_tiles
        return clock.activation + pipeline.load - 1

    def cycles(self, operations: Sequence[Operations], keys: Sequence[Hashable]) -> list[NDArray[np.int64]]:
        """Cycles of each operation on each machine; products of equal keys have equal tiles and blocks."""
        clock, found = _Clock(ready=np.broadcast_to(self.read, self.count)), []
        for operation, key in zip(operations, keys, strict=True):
            clock.start = most(clock.ready, clock.done)
            done = self._done(operation, key, clock)
            found.append(done - clock.done)
            clock.done, clock.ready = done, clock.start + self.read
        return found

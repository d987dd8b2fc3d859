"""Cycles of a program on many machines, each as `latency` has it: streams give a beat in every cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..operation import Kind, descriptor_words
from ..params import Array
from ..passes import LONG_AGO
from ..schedule import Pipeline
from ..whole import most
from .blocks import walked
from .designs import Operations
from .walk import State, Walk, walk_of

__all__ = ["Timer"]


@dataclass
class _Clock:
    """What outlives an operation, see `passes.Clock`; ``beat`` is after the loader's newest beat."""

    ready: Any
    done: Any = -1
    start: Any = 0
    activation: Any = 0
    beat: Any = LONG_AGO
    slot: Any = LONG_AGO
    banks: tuple[Any, Any] = (0, 0)
    parameters: tuple[Any, Any] = (0, 0)


class _Product:
    """What the runs of one product on each machine share."""

    def __init__(self, operation: Operations, array: Array, pipeline: Pipeline) -> None:
        self.operation, self.pipeline = operation, pipeline
        self.codebook = array.cell.slot_words(array, operation.entries)
        self.hold = 2 + array.cell.hold(array)
        self.last = walk_of(operation, array, pipeline, operation.last_block)

    @cached_property
    def full(self) -> Walk:
        """The walk over blocks before the last."""
        return walk_of(self.operation, self.pipeline.array, self.pipeline, self.operation.block)

    def run(self, clock: _Clock) -> Any:
        """The cycle in which it is done."""
        free = fed = clock.start + 1
        if np.any(self.codebook):
            fed = most(fed, most(clock.ready + 1, clock.slot + self.hold) + self.codebook)
        (bank, next_bank), (old, new) = clock.banks, clock.parameters
        ready = most(most(clock.ready, clock.beat) + 1, bank)
        state = State(ready, next_bank, old, new, fed, free, free)
        before = self.operation.blocks - 1
        if np.any(before):
            state = walked(self.full, state, np.broadcast_to(before, np.shape(free)))
        end = self.last.last(state)
        clock.banks, clock.parameters, clock.beat = (end.bank, end.state.free), (end.state.old, end.state.new), end.beat
        clock.slot = end.fed + self.last.newest
        return end.state.free - 1 + self.pipeline.output


class Timer:
    """Cycles of steps, one after the other, on the machines of an array (or, by the same formulas, on one)."""

    def __init__(self, array: Array, count: int) -> None:
        self.array, self.pipeline, self.count = array, Pipeline(array), count
        self.read = descriptor_words(array) + 2
        self.products = dict[int, _Product]()

    def _done(self, operation: Operations, clock: _Clock) -> Any:
        pipeline = self.pipeline
        match operation.kind:
            case Kind.PRODUCT:
                if id(operation) not in self.products:
                    self.products[id(operation)] = _Product(operation, self.array, pipeline)
                return self.products[id(operation)].run(clock)
            case Kind.POOL:
                return clock.start + operation.rows * operation.slots + pipeline.pool + pipeline.finish \
                    + pipeline.add + 1
        first = most(clock.start + 1, clock.activation)
        clock.activation = first + operation.rows * operation.column_tiles
        return clock.activation

    def cycles(self, operations: Sequence[Operations]) -> list[NDArray[np.int64]]:
        """Cycles of each operation on each machine."""
        clock, found = _Clock(ready=np.broadcast_to(self.read, self.count)), []
        for operation in operations:
            clock.start = most(clock.ready, clock.done)
            done = self._done(operation, clock)
            found.append(done - clock.done)
            clock.done, clock.ready = done, clock.start + self.read
        return found

"""How one operation passes through the machine: what outlives it, and those that wait for nothing on their way.

Others are recurrences of their credits, a tile at a time (`passes_product`, `passes_norm`, `passes_vector`): within a
tile beats and rows are evenly spaced, so each tile has a closed form; tiles that repeat the one before at a constant
distance are not stepped through (`repeat`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from .operation import Operation
from .params import Array
from .schedule import Pipeline

__all__ = ["LONG_AGO", "STAGES", "Clock", "Timing", "load", "pool", "repeat"]

STAGES = ("lookup", "encode", "build", "load", "stream", "pool", "codebook")
LONG_AGO = -(1 << 40)
Cycles = TypeVar("Cycles", bound=tuple[int, ...])  # of a pass, named


class Timing(NamedTuple):
    """When an operation is done, and its entries of causes and busy stages that are not 0."""

    done: int
    causes: dict[str, int]
    busy: dict[str, int]


@dataclass(kw_only=True)
class Clock:
    """What outlives an operation.

    Parameters
    ----------
    ready, start : of the operation under way.
    activation, table : earliest cycle that can take the next beat of each stream.
    loaded : cycle of the loader's newest beat.
    slot : tick in which the first row of the newest slot was fed.
    encoder : ticks of feeder, encoders and codebook loader in a cycle. They see in the ticks of a cycle what the other
        side did in the cycles before, and that sees in a cycle what they did in the ticks before.
    banks, parameters : from which cycle the older and the newer bank take beats.
    """

    array: Array
    activation_period: int
    table_period: int
    ready: int
    encoder: int = 1
    start: int = 0
    activation: int = 0
    table: int = 0
    loaded: int = LONG_AGO
    slot: int = LONG_AGO
    banks: tuple[int, int] = (0, 0)
    parameters: tuple[int, int] = (0, 0)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.array)

    def begin(self, done: int) -> None:
        """Start the next operation; ``done`` is that of the one before."""
        self.start = max(self.ready, done)


def repeat(state: Cycles, step: Callable[[Cycles], Cycles], count: int, cycles: int) -> Cycles:
    """``step`` so many times; once it moves the first ``cycles``, all that it depends on, alike, the rest follows."""
    kind: Callable[..., Cycles] = type(state)
    for left in reversed(range(count)):
        before, state = state, step(state)
        moved = state[0] - before[0]
        if left and all(new - old == moved for new, old in zip(state[:cycles], before[:cycles], strict=True)):
            return kind(*(new + left * (new - old) for new, old in zip(state, before, strict=True)))
    return state


def pool(operation: Operation, clock: Clock) -> Timing:
    """A pool: the feeder never waits."""
    pipeline = clock.pipeline
    rows, drain = operation.rows * operation.slots, pipeline.pool + pipeline.finish + pipeline.add + 1
    drain += pipeline.leave * operation.to_stream
    return Timing(clock.start + rows + drain, {"pool": rows, "drain": drain}, {"pool": rows})


def load(operation: Operation, clock: Clock) -> Timing:
    """A LOAD takes one beat of the input stream after the other."""
    work = operation.rows * operation.column_tiles * clock.activation_period
    first = max(clock.start + 1, clock.activation)
    clock.activation = first + work
    last = clock.activation - clock.activation_period
    drain = clock.pipeline.load
    return Timing(last + drain, {"stream": last - clock.start, "drain": drain}, {"stream": work})

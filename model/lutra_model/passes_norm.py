"""How a ROW passes through the machine: a softmax, or a norm, whose last passes wait for their parameters."""

from typing import NamedTuple

from .operation import Operation
from .passes import Clock, Timing, repeat

__all__ = ["row"]


class _Words(NamedTuple):
    """Cycles of one norm, then what its last passes have waited for."""

    issued: int          # newest row fed
    beat: int            # next parameter beat, as far as its source goes
    parameter: int       # from then on the older parameter bank takes beats
    next_parameter: int  # the newer one
    load: int = 0        # cycles waited for parameters


WORD = 4  # so many of a norm's cycles decide about the next word or block


class _Norm:
    """The feeder and the loader in a norm: the words of every block's last pass wait for their parameters."""

    def __init__(self, operation: Operation, clock: Clock) -> None:
        self.operation, self.clock, self.pipeline = operation, clock, clock.pipeline
        self.period = clock.table_period if operation.stream_tables else 1
        self.beats = clock.array.parameter_beats * self.period

    def word(self, state: _Words, rows: int) -> _Words:
        """Load a word's parameters and feed its rows in the last pass."""
        end, free = max(state.beat, state.parameter) + self.beats, state.issued + 1
        begin = max(free, end - self.period + 1)
        issued = begin + rows - 1
        return _Words(issued, end, state.next_parameter, issued + self.pipeline.row_release,
                      state.load + begin - free)

    def block(self, state: _Words, rows: int) -> _Words:
        """Feed all passes over a block."""
        before = (self.operation.parts_y - 1) * (self.operation.parts_x * rows + self.pipeline.gap)
        state = state._replace(issued=state.issued + before)
        return repeat(state, lambda now: self.word(now, rows), self.operation.parts_x, WORD)

    def run(self) -> _Words:
        """Go through all blocks."""
        operation, clock = self.operation, self.clock
        beat = max(clock.ready, clock.loaded + 1) + 1
        if operation.stream_tables:
            beat = max(beat, clock.table)
        state = repeat(_Words(clock.start, beat, *clock.parameters), lambda now: self.block(now, operation.block),
                        operation.blocks - 1, WORD)
        state = self.block(state, operation.last_block)
        clock.parameters, clock.loaded = state[2:4], state.beat - self.period
        if operation.stream_tables:
            clock.table = state.beat
        return state


def row(operation: Operation, clock: Clock) -> Timing:
    """A ROW: the feeder rests between passes; in the last pass of a norm it waits for parameters."""
    pipeline, source = clock.pipeline, "stream" if operation.stream_tables else "load"
    rows, drain = operation.rows * operation.slots, pipeline.row + pipeline.finish + pipeline.add + 1
    drain += pipeline.leave * operation.to_stream
    rest = operation.blocks * (operation.parts_y - 1) * pipeline.gap
    causes, busy = {"pool": rows, "fill": rest, "drain": drain}, {"pool": rows}
    if not operation.maximum:
        norm = _Norm(operation, clock)
        causes[source] = norm.run().load
        busy[source] = operation.blocks * operation.column_tiles * norm.beats
    return Timing(clock.start + sum(causes.values()), causes, busy)

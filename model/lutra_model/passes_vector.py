"""How a product passes through a vector machine: tables built of activations, outputs one after the other.

Recurrences as `lutra_model.passes` says: tiles that repeat the one before at a constant distance are not stepped
through.
"""

from typing import NamedTuple

from . import ternary
from .operation import Operation
from .passes import LONG_AGO, Clock, Timing, repeat

__all__ = ["vector_product"]


class _State(NamedTuple):
    """Cycles of one product's walkers, then what the array has waited for."""

    issued: int      # newest beat
    beat: int        # next beat, as far as its source goes
    built: int       # newest entry of a table
    bank: int        # from then on the older table bank can be built
    next_bank: int   # the newer one
    word: int        # first index word of the next tile can be read
    turn: int        # from then on the older bank of the transposer takes a column tile's first beat
    next_turn: int   # the newer one
    drained: int     # newest row that has left the transposer
    fed: int         # first row of the next block can be fed, as far as the feeder goes
    half: int        # from then on the older half of the index memory takes words
    next_half: int   # the newer one
    read: int        # newest index word
    encode: int = 0  # cycles waited for index words
    build: int = 0   # for tables
    source: int = 0  # for code words and parameters
    drain: int = 0   # for the transposer


TILE, COLUMN, BLOCK = 6, 9, 12  # so many of a state's cycles decide about the next row tile, column tile or block


class _Vector:
    """The walkers of one product."""

    def __init__(self, operation: Operation, clock: Clock) -> None:
        array = clock.array
        self.operation, self.clock, self.array = operation, clock, array
        self.period = clock.table_period if operation.stream_tables else 1
        self.entries = ternary.zero_code(array.length)
        self.beats = 1 + array.parameter_beats  # of an output in the last row tile
        self.written = clock.pipeline.fetch + clock.pipeline.encode + 1

    def walk(self, state: _State, features: int, each: int, ready: int, blame: tuple[int, int]) -> _State:
        """Beats of so many outputs, ``each`` for one, from cycle ``ready`` on; ``blame``: encode, build, if late."""
        free = state.issued + 1
        first = max(free, ready, state.beat)
        issued = first + (features * each - 1) * self.period
        late = first == ready and first > free
        wait, more = first - free, issued - first + 1 - features
        encode = min(wait, blame[0]) if late else 0
        return state._replace(issued=issued, beat=issued + self.period, encode=state.encode + encode,
                              build=state.build + (wait - encode if late and blame[1] else 0),
                              drain=state.drain + (wait if late and not blame[1] else 0),
                              source=state.source + more + (0 if late else wait))

    def built(self, state: _State, rows: int) -> tuple[_State, int, tuple[int, int]]:
        """Read and build a table; from which cycle it can be used, and how long its builder waited for words."""
        free = state.built + 1
        first = max(free, state.word)
        read = first + rows - 1
        built = max(read + 2, state.bank) + self.entries - 1
        return state._replace(built=built, read=read), built + 1, (first - free, 1)

    def tile(self, state: _State, rows: int, features: int, gap: int) -> _State:
        """A row tile before the last one."""
        state, ready, blame = self.built(state, rows)
        state = self.walk(state, features, 1, ready, blame)
        return state._replace(bank=state.next_bank, next_bank=state.issued + 1, word=state.word + gap)

    def column(self, state: _State, rows: int, features: int, ready: int, blame: tuple[int, int]) -> _State:
        """A column tile of the last row tile, on its way through the transposer."""
        if state.turn > ready:
            ready, blame = state.turn, (0, 0)
        state = self.walk(state, features, self.beats, ready, blame)
        drained = max(state.issued + self.clock.pipeline.transpose, state.drained + 1) + rows - 1
        return state._replace(turn=state.next_turn, next_turn=drained + 1, drained=drained)

    def sweep(self, state: _State, rows: int, tiles: int, edge: int, words: tuple[int, int] | None) -> _State:
        """A sweep over so many column tiles, ``edge`` outputs in the last; ``words``: of second and last row tile."""
        features, row_tiles = (tiles - 1) * self.array.columns + edge, self.operation.row_tiles
        gap = words[0] if words else 0
        state = repeat(state, lambda now: self.tile(now, rows, features, gap), row_tiles - 1, TILE)
        state, ready, blame = self.built(state._replace(word=words[1]) if words else state, rows)
        sizes = [self.array.columns] * (tiles - 1) + [edge]
        state = self.column(state, rows, sizes[0], ready, blame)
        state = repeat(state, lambda now: self.column(now, rows, self.array.columns, ready, (0, 0)), tiles - 2, COLUMN)
        if tiles > 1:
            state = self.column(state, rows, edge, ready, (0, 0))
        return state._replace(bank=state.next_bank, next_bank=state.issued + 1, word=LONG_AGO)

    def block(self, state: _State, rows: int) -> _State:
        """Feed one block and sweep over its outputs."""
        operation, array = self.operation, self.array
        fed = max(state.fed, state.half)
        first_slots = array.slots if operation.row_tiles > 1 else operation.last_slots
        first = fed + (first_slots - 1) * rows + self.written
        last = fed + (operation.slots - 1) * rows + self.written
        sweeps, full = operation.sweeps, operation.sweep
        rest = operation.column_tiles - (sweeps - 1) * full
        state, words = state._replace(word=first), (array.slots * rows, last)
        if sweeps > 1:
            state = self.sweep(state, rows, full, array.columns, words)
            state = repeat(state, lambda now: self.sweep(now, rows, full, array.columns, None), sweeps - 2, COLUMN)
        state = self.sweep(state, rows, rest, operation.last_columns, words if sweeps == 1 else None)
        return state._replace(fed=fed + operation.slots * rows, half=state.next_half, next_half=state.read + 1)

    def run(self) -> Timing:
        """Walk through all blocks."""
        operation, clock = self.operation, self.clock
        begin = clock.start + self.written  # nothing can be read before
        beat = max(clock.table, begin + 1) if operation.stream_tables else begin + 1
        free = clock.start + 1
        state = _State(begin, beat, begin, free, free, 0, free, free, begin, free, free, free, begin)
        state = repeat(state, lambda now: self.block(now, operation.block), operation.blocks - 1, BLOCK)
        state = self.block(state, operation.last_block)
        if operation.stream_tables:
            clock.table = state.beat
        done = state.drained + clock.pipeline.drain + clock.pipeline.leave * operation.to_stream
        source = "stream" if operation.stream_tables else "load"
        issues = operation.blocks * operation.features(self.array) * operation.row_tiles
        causes = {"lookup": issues, "fill": self.written, "encode": state.encode, "build": state.build,
                  source: state.source, "drain": state.drain + done - state.issued}
        return Timing(done, causes, self.busy(issues, source))

    def busy(self, issues: int, source: str) -> dict[str, int]:
        """Work of every stage."""
        operation = self.operation
        builds = operation.row_tiles * operation.sweeps
        late = operation.blocks * operation.features(self.array) * (self.beats - 1)
        return {"lookup": issues, "encode": operation.rows * operation.slots,
                "build": builds * (operation.rows + operation.blocks * (self.entries + 1)),
                source: (issues + late) * self.period}


def vector_product(operation: Operation, clock: Clock) -> Timing:
    """A product on a vector machine."""
    return _Vector(operation, clock).run()

"""How one operation passes through the machine: the recurrences of its credits, a tile at a time.

Within a tile beats and rows are evenly spaced, so each tile has a closed form; tiles that repeat the one before
at a constant distance are not stepped through.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from .operation import Operation
from .params import Array
from .schedule import Pipeline

__all__ = ["STAGES", "Clock", "Timing", "load", "pool", "product", "row"]

STAGES = ("lookup", "encode", "build", "load", "stream", "pool", "codebook")
LONG_AGO = -(1 << 40)


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


class _State(NamedTuple):
    """Cycles of one product's walkers, then what the array has waited for."""

    issued: int          # newest row issued
    beat: int            # next table beat, as far as its source goes
    bank: int            # from then on the older table bank takes beats
    next_bank: int       # the newer one
    word: int            # first index word of the next tile can be read
    parameter: int       # from then on the older parameter bank takes beats
    next_parameter: int  # the newer one
    slot: int            # first row of the newest slot fed
    half: int            # from then on the older half of the index memory takes words
    next_half: int       # the newer one
    encode: int = 0      # cycles waited for index words
    load: int = 0        # for tables


TILE, COLUMN, BLOCK = 5, 7, 10  # so many of a state's cycles decide about the next tile, column tile or block


class _Words(NamedTuple):
    """Cycles of one norm, then what its last passes have waited for."""

    issued: int          # newest row fed
    beat: int            # next parameter beat, as far as its source goes
    parameter: int       # from then on the older parameter bank takes beats
    next_parameter: int  # the newer one
    load: int = 0        # cycles waited for parameters


WORD = 4  # so many of a norm's cycles decide about the next word or block
Cycles = TypeVar("Cycles", _State, _Words)


def _repeat(state: Cycles, step: Callable[[Cycles], Cycles], count: int, cycles: int) -> Cycles:
    """``step`` so many times; once it moves all ``cycles`` that it depends on alike, the rest follows at once."""
    for left in reversed(range(count)):
        before, state = state, step(state)
        moved = state.issued - before.issued
        if left and all(new - old == moved for new, old in zip(state[:cycles], before[:cycles], strict=True)):
            return type(state)(*(new + left * (new - old) for new, old in zip(state, before, strict=True)))
    return state


class _Product:
    """The walkers of one product, in ticks: a cycle has ``Clock.encoder`` of them, and begins with the first."""

    def __init__(self, operation: Operation, clock: Clock) -> None:
        array, pipeline = clock.array, clock.pipeline
        self.operation, self.clock, self.cycle = operation, clock, clock.encoder
        self.release = pipeline.release * self.cycle
        self.period = self.cycle * (clock.table_period if operation.stream_tables else 1)
        self.codebook = array.cell.slot_words(array, operation.entries)  # beats of a slot
        self.hold = 2 + array.cell.hold(array)  # from a slot's first row to the next one's first codebook beat
        self.gather = operation.gather
        self.expansion = self.cycle * array.cell.expansion(operation.entries)  # ticks of a table beat
        self.preload = array.cell.preload(operation.entries)
        self.pace = max(self.period, self.expansion)
        self.groups = tuple(-(-slots * array.encoders // array.fill) for slots in (array.slots, operation.last_slots))
        self.parameter_beats = array.parameter_beats
        self.planes = array.cell.issue_cycles(operation.entries)
        self.written = pipeline.fetch + pipeline.encode + 1
        self.first_slots = array.slots if operation.row_tiles > 1 else operation.last_slots

    def whole(self, tick: int) -> int:
        """The first cycle at or after a tick, in ticks."""
        return -(-tick // self.cycle) * self.cycle

    def step(self, rows: int) -> int:
        """Ticks from a slot's first row to the next slot's: its rows, or the next codebook."""
        return max(rows, self.codebook + self.hold) if self.codebook else rows

    def beats(self, last: bool, rows: int) -> int:
        """Table beats of a tile for so many activation rows."""
        entries = self.operation.entries
        return self.groups[last] * (rows if self.gather else self.clock.array.cell.group_beats(entries))

    def tile(self, state: _State, rows: int, last: bool, gap: int | None, first: bool = False) -> _State:
        """Load and walk one tile; ``gap``: ticks from its first index word to the next tile's; None: all are there.

        A gather loads one after the other what index words select, of the ``first`` column tile as they come; its tile
        is complete a cycle later.
        """
        cycle, word = self.cycle, self.whole(state.word)
        begin = max(state.beat, state.bank, word if first and self.gather else LONG_AGO)
        end = begin + self.beats(last, rows) * self.pace
        ready = end - self.pace + self.expansion
        parameter, next_parameter = state.parameter, state.next_parameter
        if last:
            end = max(end, parameter) + self.parameter_beats * self.period
            ready = end - self.period + cycle
        free, ready = state.issued + cycle, ready + self.gather * cycle
        begin = max(free, word, ready)
        issued, late = begin + (rows * self.planes - 1) * cycle, ready > word
        encode = (min(begin, max(free, word)) if self.gather or not late else free) - free
        if last:
            parameter, next_parameter = next_parameter, issued + self.release
        after = issued + cycle
        return _State(issued, end, state.next_bank, after, after if gap is None else state.word + gap,
                      parameter, next_parameter, state.slot, state.half, state.next_half,
                      state.encode + encode, state.load + begin - free - encode)

    def column(self, state: _State, rows: int) -> _State:
        """A column tile whose index words are there."""
        state = _repeat(state, lambda now: self.tile(now, rows, False, None), self.operation.row_tiles - 1, TILE)
        return self.tile(state, rows, True, None)

    def block(self, state: _State, rows: int) -> _State:
        """Feed one block and walk over it."""
        operation, step = self.operation, self.step(rows)
        fed = max(state.slot + self.step(operation.block), state.half)
        newest, gap = fed + (operation.slots - 1) * step, self.clock.array.slots * step
        state = state._replace(slot=newest, word=fed + (self.first_slots - 1) * step + self.written)
        state = _repeat(state, lambda now: self.tile(now, rows, False, gap, True), operation.row_tiles - 1, TILE)
        state = self.tile(state._replace(word=newest + self.written), rows, True, None, True)
        state = _repeat(state, lambda now: self.column(now, rows), operation.column_tiles - 1, COLUMN)
        return state._replace(half=state.next_half, next_half=state.issued + self.cycle)

    def begin(self) -> tuple[int, _State]:
        """Tick in which the first row is fed, and the state before."""
        clock, cycle = self.clock, self.cycle
        free = fed = (clock.start + 1) * cycle
        beat = max(clock.ready, clock.loaded + 1) + 1
        if self.codebook:
            fed = max(fed, max((clock.ready + 1) * cycle, clock.slot + self.hold) + self.codebook)
        if self.preload:
            beat = max(beat, *clock.banks) + self.preload
        if self.operation.stream_tables:
            beat = max(beat, clock.table)
        bank, next_bank, parameter, next_parameter = (time * cycle for time in (*clock.banks, *clock.parameters))
        return fed, _State(clock.start * cycle, beat * cycle, bank, next_bank, 0, parameter, next_parameter,
                           fed - self.step(self.operation.block), free, free)

    def run(self) -> Timing:
        """Walk through all blocks."""
        operation, clock, cycle = self.operation, self.clock, self.cycle
        fed, state = self.begin()
        fill = self.whole(fed + self.written) // cycle - clock.start - 1  # the first tile's tables may come later
        word = fed + self.written + (self.first_slots - 1) * self.step(operation.block_sizes[0])
        probe = self.tile(state._replace(word=word), 1, operation.row_tiles == 1, None, True)
        encoded = self.gather or not probe.load  # the first row waits for its index word, whatever comes after
        state = _repeat(state, lambda now: self.block(now, operation.block), operation.blocks - 1, BLOCK)
        state = self.block(state, operation.last_block)
        clock.banks = state.bank // cycle, state.next_bank // cycle
        clock.parameters = state.parameter // cycle, state.next_parameter // cycle
        clock.loaded, clock.slot = (state.beat - self.period) // cycle, state.slot
        source = "stream" if operation.stream_tables else "load"
        if operation.stream_tables:
            clock.table = state.beat // cycle
        issues = operation.rows * operation.row_tiles * operation.column_tiles * self.planes
        drain = clock.pipeline.output + clock.pipeline.leave * operation.to_stream
        causes = {"lookup": issues, "fill": fill, "encode": state.encode // cycle - (fill if encoded else 0),
                  source: state.load // cycle - (0 if encoded else fill), "drain": drain}
        return Timing(state.issued // cycle + drain, causes, self.busy(issues, source))

    def busy(self, issues: int, source: str) -> dict[str, int]:
        """Work of every stage."""
        operation = self.operation
        tables = sum(times * ((operation.row_tiles - 1) * self.beats(False, rows) + self.beats(True, rows))
                     for times, rows in [(operation.blocks - 1, operation.block), (1, operation.last_block)])
        loaded = operation.column_tiles * (tables * self.pace + operation.blocks * self.parameter_beats * self.period)
        fed, coded = operation.rows * operation.slots, operation.blocks * operation.slots * self.codebook
        return {"lookup": issues, "encode": -(-fed // self.cycle), "codebook": -(-coded // self.cycle),
                source: loaded // self.cycle + self.preload}


def product(operation: Operation, clock: Clock) -> Timing:
    """A product on the array."""
    return _Product(operation, clock).run()


def pool(operation: Operation, clock: Clock) -> Timing:
    """A pool: the feeder never waits."""
    pipeline = clock.pipeline
    rows, drain = operation.rows * operation.slots, pipeline.pool + pipeline.finish + pipeline.add + 1
    drain += pipeline.leave * operation.to_stream
    return Timing(clock.start + rows + drain, {"pool": rows, "drain": drain}, {"pool": rows})


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
        return _repeat(state, lambda now: self.word(now, rows), self.operation.parts_x, WORD)

    def run(self) -> _Words:
        """Go through all blocks."""
        operation, clock = self.operation, self.clock
        beat = max(clock.ready, clock.loaded + 1) + 1
        if operation.stream_tables:
            beat = max(beat, clock.table)
        state = _repeat(_Words(clock.start, beat, *clock.parameters), lambda now: self.block(now, operation.block),
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


def load(operation: Operation, clock: Clock) -> Timing:
    """A LOAD takes one beat of the input stream after the other."""
    work = operation.rows * operation.column_tiles * clock.activation_period
    first = max(clock.start + 1, clock.activation)
    clock.activation = first + work
    last = clock.activation - clock.activation_period
    drain = clock.pipeline.load
    return Timing(last + drain, {"stream": last - clock.start, "drain": drain}, {"stream": work})

"""How a product passes through the machine: tables loaded, windows fed, rows looked up."""

from typing import NamedTuple

from .operation import Operation
from .passes import LONG_AGO, Clock, Timing, repeat

__all__ = ["product"]


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


class _Walkers:
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
        state = repeat(state, lambda now: self.tile(now, rows, False, None), self.operation.row_tiles - 1, TILE)
        return self.tile(state, rows, True, None)

    def block(self, state: _State, rows: int) -> _State:
        """Feed one block and walk over it."""
        operation, step = self.operation, self.step(rows)
        fed = max(state.slot + self.step(operation.block), state.half)
        newest, gap = fed + (operation.slots - 1) * step, self.clock.array.slots * step
        state = state._replace(slot=newest, word=fed + (self.first_slots - 1) * step + self.written)
        state = repeat(state, lambda now: self.tile(now, rows, False, gap, True), operation.row_tiles - 1, TILE)
        state = self.tile(state._replace(word=newest + self.written), rows, True, None, True)
        state = repeat(state, lambda now: self.column(now, rows), operation.column_tiles - 1, COLUMN)
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
        state = repeat(state, lambda now: self.block(now, operation.block), operation.blocks - 1, BLOCK)
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
    return _Walkers(operation, clock).run()

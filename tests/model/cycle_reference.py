"""A program on the machine one cycle at a time: the rules of docs/hardware.md, "Timing", with counters and credits."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from lutra_model.operation import Kind, Operation, descriptor_words
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

__all__ = ["stepped"]

NEVER = 1 << 60


def _table_beats(number: int, operation: Operation, array: Array) -> list[tuple[int, int, str, bool]]:
    """``(operation, column tile, kind, last of the tile)`` of every beat."""
    beats = [(number, 0, "level", False)] * (operation.entries if array.engine == "dln-column" else 0)
    if operation.kind is Kind.ROW:
        count = len(range(0, 7, array.fill * array.cell_bits // 8))
        return [(number, column, "set", place == count - 1)
                for column in range(operation.blocks * operation.column_tiles) for place in range(count)]
    each = ["table"] + ["again"] * (operation.entries - 1) if array.engine == "dln-row" else \
        ["table"] * (1 if array.engine == "dln-column" else operation.entries)
    for column in range(operation.blocks * operation.column_tiles):
        for row in range(operation.row_tiles):
            last = row == operation.row_tiles - 1
            used = (operation.last_slots if last else array.slots) * array.encoders
            block = column // operation.column_tiles
            kinds = each * len(range(0, used, array.fill))
            if operation.gather:
                size = operation.block_sizes[block]
                kinds = ["table"] * (len(range(0, used, array.fill)) * size)
                if column % operation.column_tiles == 0:  # each waits for an index word, once
                    kinds[:size] = [f"table after {block} {row} {word}" for word in range(size)]
            most = 8 if array.engine == "lut-tc" else 7
            kinds += ["parameter"] * (len(range(0, most, array.fill * array.cell_bits // 8)) if last else 0)
            beats += [(number, column, kind, place == len(kinds) - 1) for place, kind in enumerate(kinds)]
    return beats


def _fed(operation: Operation, array: Array) -> list[tuple[int, int, int]]:
    """``(block, slot, row)`` in the order they are fed."""
    return [(block, slot, row) for block, size in enumerate(operation.block_sizes)
            for slot in range(operation.slots) for row in range(size)]


def _issued(operation: Operation, array: Array) -> list[tuple[int, int, int, int, int]]:
    """``(block, column tile, row tile, row, planes to come)`` in the order they are issued."""
    planes = range(operation.entries if array.engine == "lut-tc" else 1)
    return [(block, column, tile, row, len(planes) - 1 - plane) for block, size in enumerate(operation.block_sizes)
            for column in range(operation.column_tiles) for tile in range(operation.row_tiles) for row in range(size)
            for plane in planes]


class _Machine:
    """Everything that has happened so far, by the cycle in which it happened."""

    def __init__(self, operations: Sequence[Operation], array: Array, periods: tuple[int, int], clock: int) -> None:
        self.ratio, self.tick = clock, 0                        # of the encoders' side; of its ticks, the one under way
        self.operations, self.array, self.periods = operations, array, periods
        self.pipeline = Pipeline(array)
        self.now, self.current = 0, -1
        self.ready = [descriptor_words(array) + 2] + [NEVER] * len(operations)
        self.starts, self.dones = list[int](), list[int]()
        self.stream = [0, 0]                                    # earliest next beat of either input stream
        self.loader, self.coder = [0, -1, NEVER], [0, -1, NEVER]  # operation, its newest beat, cycle it was taken in
        self.to_load = list[Any]()
        self.to_code = list[Any]()
        self.to_feed, self.to_issue, self.to_take = list[Any](), list[Any](), 0
        self.loaded = dict[int, int]()                          # table tile: its last beat
        self.tile, self.column, self.walked = 0, 0, 0           # being loaded; newest column tile; walked over
        self.tile_left = defaultdict[int, int](lambda: NEVER, {-2: -1, -1: -1})
        self.released = defaultdict[int, int](lambda: NEVER, {-2: -1, -1: -1})
        self.coded = list[int]()                                # slot: its last codebook beat
        self.slot_fed = [-NEVER]                                # slot, from 1: its first row
        self.word = dict[Any, int]()
        self.half_left = defaultdict[int, int](lambda: NEVER)
        self.buffer, self.places, self.last = list[int](), self.pipeline.buffer, NEVER
        self.columns_walked = 0
        self.sets, self.sets_used = list[int](), 0              # last beat of every set of a norm's parameters
        self.rested = 0                                         # from then on a ROW is fed again

    def take(self, who: list[int], queue: list[Any], make: Any) -> None:
        """Let a loader take the next operation; its beats may come from the next cycle on."""
        number = who[0]
        if not queue and number < len(self.operations) and self.ready[number] <= self.now and who[1] < self.now:
            queue += make(number)
            who[0], who[2] = number + 1, self.now

    def tables(self, number: int) -> list[Any]:
        operation = self.operations[number]
        norm = operation.kind is Kind.ROW and not operation.maximum
        return _table_beats(number, operation, self.array) if norm or operation.kind is Kind.PRODUCT else []

    def codes(self, number: int) -> list[Any]:
        operation = self.operations[number]
        if operation.kind is not Kind.PRODUCT:
            return []
        words = self.array.cell.slot_words(self.array, operation.entries)
        return [word == words - 1 for _ in range(operation.blocks * operation.slots) for word in range(words)]

    def load(self) -> None:
        if self.to_load and self.loader[2] < self.now:
            number, _, kind, last = self.to_load[0]
            streamed = self.operations[number].stream_tables
            beat = kind not in ("again", "level")
            free = (self.released[self.column - 2] <= self.now if kind in ("parameter", "set")
                    else max(self.tile_left[self.tile - n] for n in ((1, 2) if kind == "level" else (2,))) < self.now)
            if " after " in kind:
                word = tuple(map(int, kind.split()[2:]))
                free &= number == self.current and self.word.get(word, NEVER) <= self.now
            if free and (not streamed or not beat or self.stream[1] <= self.now):
                self.to_load.pop(0)
                self.loader[1] = self.now
                if streamed and beat:
                    self.stream[1] = self.now + self.periods[1]
                if last and kind == "set":
                    self.sets.append(self.now)
                    self.column += 1
                elif last:
                    self.loaded[self.tile] = self.now + self.operations[number].gather
                    self.tile += 1
                    self.column += kind == "parameter"

    def take_codebooks(self) -> None:
        number = self.coder[0]
        if (not self.to_code and number < len(self.operations) and self.ready[number] * self.ratio <= self.tick
                and self.coder[1] < self.tick):
            self.to_code += self.codes(number)
            self.coder[0], self.coder[2] = number + 1, max(self.tick, (self.ready[number] + 1) * self.ratio - 1)

    def code(self) -> None:
        before = self.slot_fed[len(self.coded)] if len(self.coded) < len(self.slot_fed) else NEVER
        if self.to_code and self.coder[2] < self.tick and before + 2 + self.array.cell.hold(self.array) <= self.tick:
            self.coder[1] = self.tick
            if self.to_code.pop(0):
                self.coded.append(self.tick)

    def room(self, operation: Operation, last: bool) -> bool:
        return not (operation.to_stream and last) or self.places > 0

    def result(self, operation: Operation, delay: int, final: bool) -> None:
        """A row is under way whose word is written, or whose beat can be taken, so many cycles later."""
        if operation.to_stream:
            self.places -= 1
            self.buffer.append(self.now + delay)
        elif final:
            self.last = self.now + delay

    def feed(self, operation: Operation) -> None:
        if not self.to_feed:
            return
        block, slot, row = self.to_feed[0]
        pipeline = self.pipeline
        if operation.kind is Kind.POOL:
            last = slot % operation.row_tiles == operation.row_tiles - 1
            if self.room(operation, last):
                self.to_feed.pop(0)
                if last:
                    self.result(operation, pipeline.pool + pipeline.finish + pipeline.add + 1, not self.to_feed)
            return
        if operation.kind is Kind.ROW:
            self.feed_row(operation, slot, row == operation.block_sizes[block] - 1)
            return
        first = row == 0
        coded = self.array.cell.slot_words(self.array, operation.entries) > 0
        known = not coded or not first or (
            len(self.coded) >= len(self.slot_fed) and self.coded[len(self.slot_fed) - 1] < self.tick)
        if known and (block < 2 or self.half_left[block - 2] < self.now):
            self.to_feed.pop(0)
            if first and coded:
                self.slot_fed.append(self.tick)
            tile, place = divmod(slot, self.array.slots)
            if place == (operation.tile_slots(self.array)[tile] - 1):
                self.word[block, tile, row] = -(-(self.tick + pipeline.fetch + pipeline.encode + 1) // self.ratio)

    def feed_row(self, operation: Operation, slot: int, end: bool) -> None:
        pipeline, last = self.pipeline, slot // operation.parts_x == operation.parts_y - 1
        needs_set = last and not operation.maximum
        there = not needs_set or (self.sets_used < len(self.sets) and self.sets[self.sets_used] < self.now)
        if self.now < self.rested or not there or not self.room(operation, last):
            return
        self.to_feed.pop(0)
        if last:
            self.result(operation, pipeline.row + pipeline.finish + pipeline.add + 1, not self.to_feed)
        elif end and slot % operation.parts_x == operation.parts_x - 1:
            self.rested = self.now + pipeline.gap + 1
        if needs_set and end:
            self.sets_used += 1
            self.released[self.columns_walked] = self.now + pipeline.row_release
            self.columns_walked += 1

    def issue(self, operation: Operation) -> None:
        if not self.to_issue:
            return
        block, column, tile, row, planes = self.to_issue[0]
        last = tile == operation.row_tiles - 1
        if (self.loaded.get(self.walked, NEVER) < self.now and self.word.get((block, tile, row), NEVER) <= self.now
                and self.room(operation, last)):
            self.to_issue.pop(0)
            if planes:
                return
            if last:
                self.result(operation, self.pipeline.output, not self.to_issue)
            if row == operation.block_sizes[block] - 1:
                self.tile_left[self.walked] = self.now
                self.walked += 1
                if last:
                    self.released[self.columns_walked] = self.now + self.pipeline.release
                    self.columns_walked += 1
                    if column == operation.column_tiles - 1:
                        self.half_left[block] = self.now

    def take_input(self) -> None:
        if self.to_take and self.stream[0] <= self.now:
            self.to_take -= 1
            self.stream[0] = self.now + self.periods[0]
            if not self.to_take:
                self.last = self.now + self.pipeline.load

    def begin(self) -> None:
        """Start the next operation in the cycle in which it can."""
        if len(self.dones) == len(self.starts) and self.ready[self.current + 1] <= self.now:
            self.current += 1
            operation = self.operations[self.current]
            self.starts.append(self.now)
            self.ready[self.current + 1] = self.now + descriptor_words(self.array) + 2
            self.last, self.word, self.half_left = NEVER, {}, defaultdict(lambda: NEVER)
            if operation.kind is Kind.LOAD:
                self.to_take = operation.rows * operation.column_tiles
            else:
                self.to_feed = _fed(operation, self.array)
                self.to_issue = _issued(operation, self.array) if operation.kind is Kind.PRODUCT else []

    def cycle(self) -> None:
        """Everything that happens in one cycle."""
        running = len(self.starts) > len(self.dones)
        operation = self.operations[self.current]
        self.load()
        self.take(self.loader, self.to_load, self.tables)
        freed = 0
        if running:
            if self.buffer and self.buffer[0] <= self.now:
                self.buffer.pop(0)
                freed = 1
                if not self.buffer and not self.to_issue and not self.to_feed:
                    self.last = self.now + self.pipeline.leave
            if operation.kind is not Kind.PRODUCT:
                self.feed(operation)
        for tick in range(self.now * self.ratio, (self.now + 1) * self.ratio):
            self.tick = tick
            self.code()
            self.take_codebooks()
            if running and operation.kind is Kind.PRODUCT:
                self.feed(operation)
        if running:
            self.issue(operation)
            self.take_input()
        self.places += freed
        if running and self.last == self.now:
            self.dones.append(self.now)
        if len(self.dones) == len(self.starts) < len(self.operations):
            self.begin()
        self.now += 1


def stepped(operations: Sequence[Operation], array: Array, *, runs: int = 1, activation_period: int = 1,
            table_period: int = 1, encoder_clock: int = 1) -> list[tuple[int, int]]:
    """``(start, done)`` of every operation of all runs; ``operations`` are of one run."""
    machine = _Machine([*operations] * runs, array, (activation_period, table_period), encoder_clock)
    while len(machine.dones) < len(machine.operations):
        machine.cycle()
    return list(zip(machine.starts, machine.dones, strict=True))

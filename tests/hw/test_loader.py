"""hw.loader and hw.table_memory: order, places, repetition and timing of table beats."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.sim import SimulatorContext

from lutra_hw.loader import Loader
from lutra_hw.table_memory import TableMemory
from lutra_model.operation import Error, Kind, Operation
from lutra_model.params import Array
from tests.hw.offers import offer, operation

Simulate = Callable[..., None]
ARRAY = Array(rows=12, columns=2, encoders=2, length=2, entries=4, fill=4, table_words=200)


class Bank(wiring.Component):
    """The loader with its memory."""

    def __init__(self, array: Array):
        self.loader, self.memory = Loader(array), TableMemory(array)
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules += [self.loader, self.memory]
        m.d.comb += [self.memory.read.eq(self.loader.read), self.memory.address.eq(self.loader.address),
                     self.loader.memory.eq(self.memory.data)]
        return m


def places(op: Operation, array: Array) -> list[tuple[str, int, int, int]]:
    """Where the beats of an operation go: kind of write; group and entry, or beat; beat number in its block."""
    result = []
    for _ in range(op.blocks):
        number = 0
        for _ in range(op.column_tiles):
            for slots in op.tile_slots(array):
                for group in range(-(-slots * array.encoders // array.fill)):
                    for entry in range(op.entries):
                        result.append(("table", group, entry, number))
                        number += 1
            for beat in range(-(-7 // array.fill)):
                result.append(("parameter", beat, 0, number))
                number += 1
    return result


@pytest.mark.parametrize("streamed", [False, True], ids=["memory", "stream"])
@pytest.mark.parametrize("seed", range(4))
def test_beats_reach_their_places_in_order(simulate: Simulate, seed: int, streamed: bool) -> None:
    bank, rng = Bank(ARRAY), random.Random(seed)
    loader, memory = bank.loader, bank.memory
    operations = [operation(rng, stream_tables=streamed) for _ in range(3)]
    words = [rng.getrandbits(64) for _ in range(200)]
    work = [(op, place, number == len(places(op, ARRAY)) - 1)
            for op in operations for number, place in enumerate(places(op, ARRAY))]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for address, word in enumerate(words):
            ctx.set(memory.write.en, 1)
            ctx.set(memory.write.address, address)
            ctx.set(memory.write.data, word)
            await ctx.tick()
        waiting, issued, full, parameters, coming = list(operations), 0, 0, 0, None
        tables, banks = 0, 0  # tiles, column tiles begun
        while issued < len(work) or coming is not None:
            if waiting:
                offer(ctx, loader, waiting[0])
            else:
                ctx.set(loader.offered, 0)
            op, (kind, major, minor, number), end = work[min(issued, len(work) - 1)]
            valid = streamed and issued < len(work) and rng.random() < 0.8
            ctx.set(loader.i.valid, valid)
            ctx.set(loader.i.payload.data, words[op.tables + number])
            ctx.set(loader.i.payload.last, end)
            free, free_parameters = full > 0 and rng.random() < 0.2, parameters > 0 and rng.random() < 0.2
            ctx.set(loader.free, free)
            ctx.set(loader.free_parameters, free_parameters)
            beat = ctx.get(loader.beat)
            loaded = ctx.get(loader.loaded)
            assert ctx.get(loader.some) == (full > 0)
            assert ctx.get(loader.fault) == Error.NONE
            if beat:
                assert full < 2
                assert kind == "table" or parameters < 2
            if ctx.get(loader.taken):
                assert not beat
                waiting.pop(0)
            seen = (ctx.get(loader.table.valid), ctx.get(loader.parameter.valid))
            assert seen == (coming is not None and coming[0] == "table", coming is not None and coming[0] != "table")
            if coming is not None:
                port = loader.table if seen[0] else loader.parameter
                where = (ctx.get(port.group), ctx.get(port.entry)) if seen[0] else (ctx.get(port.beat), 0)
                assert (*where, ctx.get(port.data), ctx.get(port.bank)) == coming[1:]
            coming = (kind, major, minor, words[op.tables + number], (tables if kind == "table" else banks) % 2) \
                if beat else None
            if beat:
                issued += 1
                closes = kind == "parameter" and major == 1
                assert loaded or not closes
                full += loaded
                tables += loaded
                banks += closes
                parameters += closes
            full -= free
            parameters -= free_parameters
            await ctx.tick()
        assert not waiting

    simulate(bank, bench)


def test_operations_are_taken_after_the_last_beat_and_those_without_beats_pass(simulate: Simulate) -> None:
    bank, rng = Bank(ARRAY), random.Random(1)
    loader = bank.loader
    op = operation(rng, row_tiles=1, column_tiles=1, blocks=1)
    count = len(places(op, ARRAY))

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        taken, beats = [], []
        queue = [op, Operation(kind=Kind.POOL), Operation(kind=Kind.LOAD), op]
        for cycle in range(2 * count + 8):
            if queue:
                offer(ctx, loader, queue[0])
            else:
                ctx.set(loader.offered, 0)
            if ctx.get(loader.taken):
                taken.append(cycle)
                queue.pop(0)
            if ctx.get(loader.beat):
                beats.append(cycle)
            await ctx.tick()
        assert taken == [0, count + 1, count + 2, count + 3]
        assert beats == [*range(1, count + 1), *range(count + 4, 2 * count + 4)]

    simulate(bank, bench)


@pytest.mark.parametrize("seed", range(3))
def test_a_norm_has_sets_of_parameters_only(simulate: Simulate, seed: int) -> None:
    """Between products: for block: for word; no table bank turns, and at most two sets are there at a time."""
    array, rng = replace(ARRAY, functions=1), random.Random(seed)
    bank = Bank(array)
    loader = bank.loader
    norm = Operation(kind=Kind.ROW, column_tiles=3, blocks=2, tables=7, function=1)
    small = operation(rng, row_tiles=1, column_tiles=1, blocks=1, tables=0, entries=1, last_slots=1)
    operations = [small, norm, Operation(kind=Kind.ROW, maximum=True), norm, small]
    work = ["table", "parameter", "last"] + ["set", "last set"] * 12 + ["table", "parameter", "last"]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        queue, coming, sets, banks, tiles = list(operations), list(work), 0, 0, 0
        writes: list[tuple[int, int]] = []
        for _ in range(300):
            if queue:
                offer(ctx, loader, queue[0])
            else:
                ctx.set(loader.offered, 0)
            used = sets > 0 and rng.random() < 0.2
            released, left = banks > sets and rng.random() < 0.2, tiles > 0 and rng.random() < 0.1
            for port, value in [(loader.used_parameters, used), (loader.free_parameters, released),
                                (loader.free, left)]:
                ctx.set(port, value)
            assert ctx.get(loader.some_parameters) == (sets > 0)
            assert ctx.get(loader.some) == (tiles > 0)
            if ctx.get(loader.taken):
                queue.pop(0)
            if ctx.get(loader.parameter.valid):
                writes.append((ctx.get(loader.parameter.beat), ctx.get(loader.parameter.bank)))
            kind = coming.pop(0) if ctx.get(loader.beat) else ""
            assert banks < 2 or kind in ("", "table")
            assert ctx.get(loader.loaded) == (kind == "last")
            await ctx.tick()
            assert ctx.get(loader.table.valid) == (kind == "table")
            sets += (kind == "last set") - used
            banks += (kind in ("last", "last set")) - released
            tiles += (kind == "last") - left
        assert not queue
        assert not coming
        assert writes == [(beat, number % 2) for number in range(14) for beat in range(2)]

    simulate(bank, bench)


def test_an_address_beyond_the_table_memory_is_a_fault(simulate: Simulate) -> None:
    bank = Bank(ARRAY)
    op = Operation(kind=Kind.PRODUCT, entries=4, row_tiles=1, last_slots=6, tables=195)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        offer(ctx, bank.loader, op)
        for cycle in range(7):
            assert ctx.get(bank.loader.fault) == (Error.TABLE if cycle == 6 else Error.NONE)
            await ctx.tick()

    simulate(bank, bench)


@pytest.mark.parametrize(("wrong", "error"), [(5, Error.SHORT), (-1, Error.LONG)])
def test_tlast_must_be_on_the_last_beat_of_all_blocks(simulate: Simulate, wrong: int, error: Error) -> None:
    bank = Bank(ARRAY)
    loader = bank.loader
    op = Operation(kind=Kind.PRODUCT, entries=2, last_slots=3, blocks=2, stream_tables=True)
    count = len(places(op, ARRAY))
    place = wrong % count

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        offer(ctx, loader, op)
        await ctx.tick()
        ctx.set(loader.i.valid, 1)
        for number in range(place + 1):
            ctx.set(loader.i.payload.last, (number == count - 1) != (number == place))
            ctx.set(loader.free, number % 6 == 5)
            ctx.set(loader.free_parameters, number % 6 == 5)
            assert ctx.get(loader.i.ready)
            assert ctx.get(loader.fault) == (error if number == place else Error.NONE)
            await ctx.tick()

    simulate(bank, bench)

"""hw.loader and hw.table_memory of a machine that gathers: every selected entry, when its index word is there."""

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
from tests.hw.words import packed

Simulate = Callable[..., None]
ARRAY = Array(rows=12, columns=2, encoders=2, length=2, entries=4, fill=4, table_words=200, index_words=20, gather=True)


class Bank(wiring.Component):
    """The loader with its memory."""

    def __init__(self, array: Array):
        self.loader, self.memory = Loader(array), TableMemory(array)
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules += [self.loader, self.memory]
        m.d.comb += [self.memory.read.eq(self.loader.read), self.memory.address.eq(self.loader.address),
                     self.memory.offsets.eq(self.loader.offsets), self.loader.memory.eq(self.memory.data)]
        return m


Beat = tuple[str, int, int, list[int], tuple[int, int, int] | None]
Indices = list[dict[tuple[int, int], list[int]]]  # of each block: of every array row, by row tile and activation row


def beats(op: Operation, indices: Indices, array: Array) -> list[Beat]:
    """What is written: kind, group (or beat), entry, word of each bank; block, address, number of its index word."""
    found: list[Beat] = []
    number = 0  # of the block's first index word
    for block, size in enumerate(op.block_sizes):
        base = op.tables
        for _ in range(op.column_tiles):
            for tile, slots in enumerate(op.tile_slots(array)):
                for group in range(-(-slots * array.encoders // array.fill)):
                    for row in range(size):
                        some = indices[block][tile, row][group * array.fill:(group + 1) * array.fill]
                        word = tile * size + row
                        found.append(("table", group, row, [base + index for index in some],
                                      (block, block % 2 * array.index_words + word, number + word)))
                    base += op.entries
            for beat in range(-(-7 // array.fill)):
                found.append(("parameter", beat, 0, [base] * array.fill, None))
                base += 1
        number += len(indices[block])
    return found


class Trial:
    """One loader with its index memory in the test's hands."""

    def __init__(self, bank: Bank, rng: random.Random, words: list[int]) -> None:
        self.loader, self.rng, self.words = bank.loader, rng, words
        self.held = dict[int, list[int]]()
        self.seen, self.expected = list[tuple[int, ...]](), list[tuple[int, ...]]()
        self.tiles = self.columns = 0    # begun
        self.full = self.parameters = 0  # banks

    def watch(self, ctx: SimulatorContext) -> None:
        """Writes that reach the cells and the finisher."""
        table, parameter = self.loader.table, self.loader.parameter
        if ctx.get(table.valid):
            self.seen.append((0, ctx.get(table.group), ctx.get(table.entry), ctx.get(table.bank), ctx.get(table.data)))
        if ctx.get(parameter.valid):
            self.seen.append((1, ctx.get(parameter.beat), 0, ctx.get(parameter.bank), ctx.get(parameter.data)))

    def beat(self, ctx: SimulatorContext, todo: Beat, there: int) -> None:
        """A beat that is issued in this cycle."""
        kind, major, minor, places, needs = todo
        table = kind == "table"
        assert self.full < 2
        assert table or self.parameters < 2
        assert (ctx.get(self.loader.index_read), ctx.get(self.loader.index_word) if needs else 0) == (
            table, needs[1] if needs else 0)
        assert not needs or needs[2] < there
        data = packed([self.words[place] >> 16 * bank & 0xFFFF for bank, place in enumerate(places)], 16)
        self.expected.append((not table, major, minor, (self.tiles if table else self.columns) % 2, data))
        done = ctx.get(self.loader.loaded)
        self.tiles += done
        self.full += done
        self.columns += done and not table
        self.parameters += done and not table

    async def run(self, ctx: SimulatorContext, op: Operation, indices: Indices) -> None:
        """One operation; its index words come when they may."""
        loader, rng, todo = self.loader, self.rng, beats(op, indices, ARRAY)
        coming = [(block, block % 2 * ARRAY.index_words + place, word) for block, some in enumerate(indices)
                  for place, word in enumerate(some.values())]
        offer(ctx, loader, op)
        there = number = offered = 0
        while number < len(todo) or len(self.seen) < len(self.expected):
            ctx.set(loader.offered, not offered)
            block = next((item[4][0] for item in todo[number:] if item[4]), op.blocks)
            indexed = there < len(coming) and coming[there][0] <= block + 1 and rng.random() < 0.4
            free, freed = self.full > 0 and rng.random() < 0.3, self.parameters > 0 and rng.random() < 0.3
            for port, value in [(loader.indexed, indexed), (loader.free, free), (loader.free_parameters, freed)]:
                ctx.set(port, value)
            offered |= ctx.get(loader.taken)
            self.watch(ctx)
            assert ctx.get(loader.fault) == Error.NONE
            asked = ctx.get(loader.index_word) if ctx.get(loader.index_read) else None
            if ctx.get(loader.beat):
                self.beat(ctx, todo[number], there)
                number += 1
            self.full -= free
            self.parameters -= freed
            if indexed:
                self.held[coming[there][1]] = coming[there][2]
                there += 1
            await ctx.tick()
            if asked is not None:
                ctx.set(loader.symbols, packed(self.held[asked], 2))


@pytest.mark.parametrize("seed", range(12))
def test_selected_entries_reach_their_places(simulate: Simulate, seed: int) -> None:
    bank, rng = Bank(ARRAY), random.Random(seed)
    trial = Trial(bank, rng, [rng.getrandbits(64) for _ in range(200)])

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for address, word in enumerate(trial.words):
            ctx.set(bank.memory.write.en, 1)
            ctx.set(bank.memory.write.address, address)
            ctx.set(bank.memory.write.data, word)
            await ctx.tick()
        for _ in range(4):
            size = rng.randint(1, 4)
            op = replace(operation(rng), gather=True, block=size, last_block=rng.randint(1, size),
                         blocks=rng.randint(1, 3))
            await trial.run(ctx, op, [{(tile, row): [rng.randrange(op.entries) for _ in range(12)]
                                       for tile in range(op.row_tiles) for row in range(rows)}
                                      for rows in op.block_sizes])
        assert trial.seen == trial.expected

    simulate(bank, bench)


def test_a_group_beyond_the_table_memory_is_a_fault(simulate: Simulate) -> None:
    bank = Bank(ARRAY)
    op = Operation(kind=Kind.PRODUCT, entries=4, last_slots=1, tables=197, gather=True)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        offer(ctx, bank.loader, op)
        await ctx.tick()
        ctx.set(bank.loader.indexed, 1)
        assert ctx.get(bank.loader.fault) == Error.NONE
        await ctx.tick()
        assert ctx.get(bank.loader.fault) == Error.TABLE

    simulate(bank, bench)

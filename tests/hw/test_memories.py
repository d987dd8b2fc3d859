"""hw.index_memory and hw.table_row against lists."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.index_memory import IndexMemory
from lutra_hw.table_row import TableRow
from lutra_model.params import Array

Simulate = Callable[..., None]

INDEX = [Array(rows=6, columns=1, encoders=2, entries=8, codebooks=5, index_words=3),
         Array(rows=1, columns=1, encoders=1, entries=2, codebooks=5, index_words=1),
         Array(rows=4, columns=1, encoders=4, entries=16, codebooks=5, index_words=4),
         Array.mac(rows=4, columns=1, encoders=2, index_words=5)]


@pytest.mark.parametrize("array", INDEX, ids=lambda a: f"{a.engine}-{a.rows}-e{a.encoders}")
def test_index_words_are_written_by_slot(simulate: Simulate, array: Array) -> None:
    memory, rng = IndexMemory(array), random.Random(array.rows)
    bits = 8 if not array.is_lookup else array.entries.bit_length() - 1
    slots, depth = array.rows // array.encoders, 2 * array.index_words
    written = [[0] * (slots * array.encoders) for _ in range(depth)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(memory.read, 1)
        for _ in range(300):
            word, slot, read = rng.randrange(depth), rng.randrange(slots), rng.randrange(depth)
            symbols = [rng.randrange(2**bits) for _ in range(array.encoders)]
            write = rng.random() < 0.7
            ctx.set(memory.write, write)
            ctx.set(memory.write_word, word)
            ctx.set(memory.slot, slot)
            ctx.set(memory.symbols, sum(s << bits * n for n, s in enumerate(symbols)))
            expected = list(written[read])
            ctx.set(memory.read_word, read)
            await ctx.tick()
            if write:
                written[word][slot * array.encoders:(slot + 1) * array.encoders] = symbols
            got = ctx.get(memory.data)
            if read != word:  # a word on its way in is not read by the machine
                assert [got >> bits * n & 2**bits - 1 for n in range(array.rows)] == expected[:array.rows]

    simulate(memory, bench)


@pytest.mark.parametrize(("entries", "columns"), [(2, 1), (4, 3), (16, 5)])
def test_table_row_reads_the_entry_of_its_bank(simulate: Simulate, entries: int, columns: int) -> None:
    row, rng = TableRow(entries=entries, columns=columns), random.Random(entries)
    table = [[0] * entries for _ in range(2)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        held = 0
        for _ in range(300):
            bank, entry, data = rng.randrange(2), rng.randrange(entries), rng.getrandbits(8 * columns)
            read_bank, index = rng.randrange(2), rng.randrange(entries)
            write, read, used = rng.random() < 0.5, rng.random() < 0.8, rng.random() < 0.8
            for port, value in [(row.write, write), (row.write_bank, bank), (row.entry, entry), (row.data, data),
                                (row.read, read), (row.bank, read_bank), (row.index, index), (row.used, used)]:
                ctx.set(port, value)
            if read:
                held = table[read_bank][index] if used else 0
            await ctx.tick()
            assert ctx.get(row.o) == held
            if write:
                table[bank][entry] = data

    simulate(row, bench)

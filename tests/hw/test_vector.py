"""Cells of a vector machine: every code of tables that are built while others are read; the transposer's order."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import SimulatorContext

from lutra_hw.transposer import Transposer
from lutra_hw.vector_builder import additions
from lutra_hw.vector_row import VectorRow
from lutra_model import ternary
from lutra_model.params import Array

COLUMNS = 3


def machine(group: int) -> Array:
    return Array(engine="vec-lut", rows=2, columns=COLUMNS, encoders=1, length=group, entries=1, block_rows=8)


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> width - 1 else value


@pytest.mark.parametrize("data", ["random", "low", "high"])
@pytest.mark.parametrize("group", [3, 4, 5])
def test_every_code_of_a_built_table(group: int, data: str, simulate: Any) -> None:
    rng = np.random.default_rng(group)
    draw = {"random": (-128, 128), "low": (-128, -127), "high": (127, 128)}[data]
    tables = rng.integers(*draw, (2, COLUMNS, group), np.int8)  # of either bank
    row, words = VectorRow(machine(group)), ternary.sign_ranks(group).tolist()
    weights = ternary.unpack(np.arange(3**group, dtype=np.uint8), group).astype(int)

    async def build(ctx: SimulatorContext, bank: int, read: int | None) -> None:
        """Build a bank; all the while read the other one, if any."""
        for lane in range(COLUMNS):
            ctx.set(row.build.stage, 1)
            ctx.set(row.build.lane, lane)
            ctx.set(row.data, int.from_bytes(tables[bank, lane].tobytes(), "little"))
            await ctx.tick()
        ctx.set(row.build.stage, 0)
        ctx.set(row.build.bank, bank)
        for step, (place, minus) in enumerate(additions(group)):
            for name, value in [("add", 1), ("first", step == 0), ("step", step), ("place", place), ("minus", minus)]:
                ctx.set(getattr(row.build, name), value)
            await select(ctx, read, (7 * step) % 3**group)
        ctx.set(row.build.add, 0)

    async def select(ctx: SimulatorContext, bank: int | None, code: int) -> None:
        ctx.set(row.read, bank is not None)
        ctx.set(row.bank, bank or 0)
        ctx.set(row.code, words[code])
        await ctx.tick()
        if bank is not None:
            found = ctx.get(row.o)
            for lane in range(COLUMNS):
                entry = found >> row.width * lane & (1 << row.width) - 1
                assert signed(entry, row.width) == int(weights[code] @ tables[bank, lane])

    async def bench(ctx: SimulatorContext, reset: Any) -> None:
        ctx.set(row.lanes, (1 << COLUMNS) - 1)
        ctx.set(row.build.lanes, (1 << COLUMNS) - 1)
        await build(ctx, 0, None)
        await build(ctx, 1, 0)
        for bank in (0, 1):
            for code in range(3**group):
                await select(ctx, bank, code)

    simulate(row, bench)


def test_a_tile_is_turned(simulate: Any) -> None:
    """Two column tiles of 3 and 2 outputs, blocks of 3 and 1 tokens, with room now and then."""
    transposer, rng = Transposer(machine(4)), np.random.default_rng(1)
    sizes, wide = [3, 1], [3, 2]
    tiles = [rng.integers(0, 256, (outputs, COLUMNS)) for _ in sizes for outputs in wide]
    rows: list[list[int]] = []

    async def bench(ctx: SimulatorContext, reset: Any) -> None:
        for name, value in [("block", 2), ("last_block", 0), ("blocks", 1), ("column_tiles", 1), ("to_stream", 1)]:
            ctx.set(getattr(transposer.settings, name), value)
        beats = [(number % 2, place, tile[place], place == len(tile) - 1) for number, tile in enumerate(tiles)
                 for place in range(len(tile))]
        taken: list[int] = []  # cycles of rows that left
        free = 2               # banks
        for cycle in range(60):
            ctx.set(transposer.room, cycle % 3 != 0)
            ctx.set(transposer.write, 0)
            ctx.set(transposer.full, 0)
            if beats and (beats[0][1] or free):
                bank, place, data, last = beats.pop(0)
                free -= place == 0
                for name, value in [("write", 1), ("write_bank", bank), ("place", place), ("full", last),
                                    ("i", int.from_bytes(bytes(data.tolist()), "little"))]:
                    ctx.set(getattr(transposer, name), value)
            if ctx.get(transposer.valid):
                assert cycle % 3
                taken.append(cycle)
                free += ctx.get(transposer.drained)
            if cycle - 2 in taken:
                rows.append(list(int(ctx.get(transposer.o)).to_bytes(COLUMNS, "little")))
            await ctx.tick()

    simulate(transposer, bench)
    expected = [(tile[:, token], outputs) for (size, outputs), tile in zip(
        [(size, outputs) for size in sizes for outputs in wide], tiles, strict=True) for token in range(size)]
    assert len(rows) == len(expected) == 8
    for row, (column, outputs) in zip(rows, expected, strict=True):
        assert row[:outputs] == column.tolist()

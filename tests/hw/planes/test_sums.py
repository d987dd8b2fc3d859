"""hw.plane_array, hw.sum_lane and hw.walker's planes against sums written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.engines import tree_width
from lutra_hw.finisher import correction_width
from lutra_hw.plane_array import PlaneArray
from lutra_hw.sum_lane import SumLane
from lutra_hw.walker import Walker
from lutra_model.operation import Kind, Operation
from lutra_model.schedule import Pipeline
from tests.hw.planes.arrays import array
from tests.hw.planes.test_tables import entries
from tests.hw.windows import tell
from tests.hw.words import packed, unpacked

Simulate = Callable[..., None]


@pytest.mark.parametrize(("rows", "length", "planes", "quantised"), [
    (4, 4, 3, False), (2, 4, 1, False), (8, 1, 4, False), (4, 4, 2, True), (4, 2, 8, False)])
def test_planes_are_summed_and_rows_that_are_not_used_are_not(
        simulate: Simulate, rows: int, length: int, planes: int, quantised: bool) -> None:
    one, rng = array(rows, length=length, entries=planes, quantised=quantised), random.Random(rows + planes)
    cells, columns = PlaneArray(one), one.columns
    banks = [[[[rng.getrandbits(length) for _ in range(columns)] for _ in range(planes)] for _ in range(rows)]
             for _ in range(2)]

    def worth(a: list[int], pattern: int) -> int:
        *table, places = entries(a, quantised)
        entry = table[pattern & (1 << length - 1) - 1] << places
        return -entry if pattern >> length - 1 else entry

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(cells.load.valid, 1)
        for bank, tables in enumerate(banks):
            for plane in range(planes):
                ctx.set(cells.load.bank, bank)
                ctx.set(cells.load.entry, plane)
                ctx.set(cells.load.data, packed([word for row in tables for word in row[plane]], length))
                await ctx.tick()
        ctx.set(cells.load.valid, 0)
        sums: list[list[int] | None] = []
        lanes: list[int | None] = []
        seen, lane_seen = [], []
        for _ in range(20):
            bank, used = rng.randrange(2), rng.getrandbits(rows)
            vectors = [[rng.choice([-128, 127, rng.randint(-128, 127)]) for _ in range(length)] for _ in range(rows)]
            total = [0] * columns
            for plane in [*range(planes), *[None] * rng.randrange(3)]:  # now and then nothing comes
                ctx.set(cells.valid, plane is not None)
                if plane is not None:
                    total = [2 * total[n] + sum(worth(vectors[row], banks[bank][row][plane][n])
                                                for row in range(rows) if used >> row & 1) for n in range(columns)]
                    for port, value in [(cells.bank, bank), (cells.used, used), (cells.plane, plane),
                                        (cells.opens, plane == 0),
                                        (cells.symbols, packed([v for vector in vectors for v in vector], 8))]:
                        ctx.set(port, value)
                sums.append(total if plane == planes - 1 else None)
                lanes.append(-sum(sum(vectors[row]) for row in range(rows) if used >> row & 1) if plane == 0 else None)
                seen.append(unpacked(ctx.get(cells.o), columns, tree_width(one)))
                lane_seen.append(ctx.get(cells.lane))
                await ctx.tick()
        latency = 1 + Pipeline(one).tree
        assert all(found == expected for found, expected in zip(seen[latency:], sums, strict=False) if expected)
        assert all(found == expected for found, expected in zip(lane_seen[latency - 2:], lanes, strict=False)
                   if expected is not None)

    simulate(cells, bench)


@pytest.mark.parametrize("planes", [1, 2, 5])
def test_the_sum_lane_keeps_its_products_until_a_rows_last_plane(simulate: Simulate, planes: int) -> None:
    one, rng = array(entries=planes), random.Random(planes)
    unit, width = SumLane(one), correction_width(one)
    zeros = [[rng.choice([-128, 127, rng.randint(-128, 127)]) for _ in range(2)] for _ in range(2)]
    steps = [(row, tile, bank) for bank in (0, 1, 0) for tile in range(3) for row in range(4)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        words = one.parameter_words
        for bank, values in enumerate(zeros):
            ctx.set(unit.load.valid, 1)
            ctx.set(unit.load.bank, bank)
            ctx.set(unit.load.beat, 7 // words)
            ctx.set(unit.load.data, packed(values, 8) << 16 * (7 % words))
            await ctx.tick()
        ctx.set(unit.load.valid, 0)
        work = [(step, rng.randint(-2**10, 2**10 - 1)) for step in steps]
        times = [n * planes for n in range(len(work))]
        totals: dict[int, int] = {}
        due: dict[int, list[int]] = {}
        for time in range(times[-1] + planes + 5):
            number = time // planes
            new = time % planes == 0 and number < len(work)
            ctx.set(unit.valid, new)
            if new:
                (row, tile, bank), value = work[number]
                for port, bit in [(unit.row, row), (unit.first, tile == 0), (unit.last, tile == 2), (unit.bank, bank)]:
                    ctx.set(port, bit)
                totals[row] = (totals[row] if tile else 0) + value
                if tile == 2:
                    due[time + 4 + planes - 1] = [zero * totals[row] for zero in zeros[bank]]
            if time and (time - 1) % planes == 0 and (time - 1) // planes < len(work):
                ctx.set(unit.i, work[(time - 1) // planes][1])
            if time in due:
                assert unpacked(ctx.get(unit.o), 2, width) == due[time]
            await ctx.tick()

    simulate(unit, bench)


@pytest.mark.parametrize("seed", range(4))
def test_all_planes_of_a_row_follow_its_first(simulate: Simulate, seed: int) -> None:
    one, rng = array(), random.Random(seed)
    unit, planes = Walker(one), rng.randint(1, 3)
    op = Operation(kind=Kind.PRODUCT, blocks=1, block=4, last_block=rng.randint(1, 4), row_tiles=2, column_tiles=2,
                   to_stream=True, entries=planes)
    rows = [(column, tile, row) for column in range(2) for tile in range(2) for row in range(op.last_block)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.start, 1)
        await ctx.tick()
        ctx.set(unit.start, 0)
        tell(ctx, unit.settings, op)
        fresh, words = 0, op.rows * 2
        for column, tile, row in rows:
            plane = 0
            while plane < planes:
                indexed = words > 0 and rng.random() < 0.4
                words -= indexed
                loaded, room = rng.random() < 0.5, rng.random() < 0.5
                for port, value in [(unit.indexed, indexed), (unit.loaded, loaded), (unit.room, room)]:
                    ctx.set(port, value)
                issues = plane > 0 or (loaded and (fresh > 0 or column > 0) and (room or tile == 0))
                assert ctx.get(unit.o.valid) == issues
                fresh += indexed
                if issues:
                    last = plane == planes - 1
                    ends = last and row == op.last_block - 1
                    assert (ctx.get(unit.o.plane), ctx.get(unit.o.opens), ctx.get(unit.o.closes)) == (
                        plane, plane == 0, last)
                    assert (ctx.get(unit.o.word), ctx.get(unit.o.row)) == (tile * op.last_block + row, row)
                    assert ctx.get(unit.reserve) == (plane == 0 and tile == 1)
                    assert ctx.get(unit.free_table) == ends
                    assert ctx.get(unit.o.release) == (ends and tile == 1)
                    assert ctx.get(unit.free_half) == (ends and tile == 1 and column == 1)
                    fresh -= plane == 0 and column == 0
                    plane += 1
                await ctx.tick()
        ctx.set(unit.loaded, 1)
        assert not ctx.get(unit.o.valid)

    simulate(unit, bench)

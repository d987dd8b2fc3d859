"""hw.accumulator against sums written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.accumulator import Accumulator, accumulator_width, pool_width
from lutra_hw.lookup_array import tree_width
from lutra_model.params import Array
from tests.hw.words import packed, unpacked

Simulate = Callable[..., None]


@pytest.mark.parametrize("gaps", [False, True], ids=["dense", "gaps"])
@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_row_tiles_add_up(simulate: Simulate, block: int, gaps: bool) -> None:
    array, rng = Array(rows=2, columns=3, encoders=1, codebooks=10, block_rows=7), random.Random(block)
    unit, tiles = Accumulator(array), 5
    steps = [(row, tile) for _ in range(4) for tile in range(tiles) for row in range(block)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        totals: dict[int, list[int]] = {}
        asked: tuple[int, int] | None = None   # its sums come in the next cycle
        coming: tuple[int, int] | None = None  # they are at the input
        leaving: list[int] | None = None       # is at the output
        work = [entry for step in steps for entry in [None] * (rng.randrange(4) if gaps else 0) + [step]]
        for step in [*work, None, None, None]:
            ctx.set(unit.valid, step is not None)
            if step is not None:
                ctx.set(unit.row, step[0])
                ctx.set(unit.first, step[1] == 0)
                ctx.set(unit.last, step[1] == tiles - 1)
            values = [rng.choice([-256, 254, rng.randint(-256, 254)]) for _ in range(3)]
            ctx.set(unit.i, packed(values, tree_width(array)))
            if leaving is not None:
                assert unpacked(ctx.get(unit.o), 3, accumulator_width(array)) == leaving
            leaving = None
            if coming is not None:
                old = [0] * 3 if coming[1] == 0 else totals[coming[0]]
                leaving = totals[coming[0]] = [a + b for a, b in zip(old, values, strict=True)]
            coming, asked = asked, step
            await ctx.tick()

    simulate(unit, bench)


@pytest.mark.parametrize("maximum", [False, True], ids=["sum", "maximum"])
@pytest.mark.parametrize("parts", [1, 4])
def test_pools_parts_come_together(simulate: Simulate, parts: int, maximum: bool) -> None:
    array = Array(rows=2, columns=4, encoders=2, word=2, lanes=18, codebooks=90, block_rows=5)
    rng = random.Random(parts)
    unit, width, limit = Accumulator(array), accumulator_width(array), 127 if maximum else 18 * 127
    steps = [(row, part) for part in range(parts) for row in range(5)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.pool, 1)
        ctx.set(unit.maximum, maximum)
        ctx.set(unit.i, 2**len(unit.i) - 1)
        sums = {step: [rng.choice([-limit - 1, limit, rng.randint(-limit - 1, limit)]) for _ in range(2)]
                for step in steps}
        results = []
        for number, step in enumerate([*steps, None, None, None]):
            ctx.set(unit.valid, step is not None)
            if step is not None:
                ctx.set(unit.row, step[0])
                ctx.set(unit.first, step[1] == 0)
                ctx.set(unit.last, step[1] == parts - 1)
            if 1 < number <= len(steps) + 1:
                ctx.set(unit.pooled, packed(sums[steps[number - 2]], pool_width(array)))
            if number >= 3 and steps[number - 3][1] == parts - 1:
                results.append(unpacked(ctx.get(unit.o), 4, width)[:2])
            await ctx.tick()
        assert results == [[(max if maximum else sum)(sums[row, part][n] for part in range(parts)) for n in range(2)]
                           for row in range(5)]

    simulate(unit, bench)


@pytest.mark.parametrize(("array", "width"), [
    (Array(codebooks=512), 17), (Array(codebooks=1, lanes=36), 14), (Array(codebooks=9, lanes=36), 14),
    (Array.mac(codebooks=4608), 29), (Array.mac(codebooks=1), 16), (Array(codebooks=1, lanes=70), 15)])
def test_accumulators_are_as_wide_as_any_layer_needs(array: Array, width: int) -> None:
    assert accumulator_width(array) == width

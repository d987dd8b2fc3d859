"""hw.loops and hw.credit against loops and counts written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.credit import Credit
from lutra_hw.loops import Loops, Nest

Simulate = Callable[..., None]


@pytest.mark.parametrize("kind", [Loops, Nest])
@pytest.mark.parametrize("limits", [(0, 0, 0), (2, 0, 3), (0, 4, 1), (3, 2, 2)], ids=str)
def test_counts_are_those_of_nested_loops(simulate: Simulate, limits: tuple[int, int, int], kind: type[Loops]) -> None:
    loops, rng = kind(inner=2, middle=3, outer=2), random.Random(1)
    expected = [(i, j, k) for k in range(limits[2] + 1) for j in range(limits[1] + 1) for i in range(limits[0] + 1)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(loops.limit.inner, limits[0])
        ctx.set(loops.limit.middle, limits[1])
        ctx.set(loops.limit.outer, limits[2])
        await ctx.tick()  # a nest knows its limits a cycle ahead
        for place in expected * 2:  # all zero again after the last step
            while True:
                step = rng.random() < 0.5
                ctx.set(loops.step, step)
                assert (ctx.get(loops.count.inner), ctx.get(loops.count.middle), ctx.get(loops.count.outer)) == place
                last = tuple(a == b for a, b in zip(place, limits, strict=True))
                assert (ctx.get(loops.last.inner), ctx.get(loops.last.middle), ctx.get(loops.last.outer)) == last
                assert ctx.get(loops.done) == all(last)
                await ctx.tick()
                if step:
                    break

    simulate(loops, bench)


@pytest.mark.parametrize("places", [1, 2, 5])
def test_credit_counts_places(simulate: Simulate, places: int) -> None:
    credit, rng = Credit(places=places), random.Random(places)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        level, seen = 0, set()
        for _ in range(200):
            seen.add(level)
            assert ctx.get(credit.level) == level
            assert ctx.get(credit.room) == (level < places)
            assert ctx.get(credit.some) == (level > 0)
            put, drop = level < places and rng.random() < 0.6, level > 0 and rng.random() < 0.5
            ctx.set(credit.put, put)
            ctx.set(credit.drop, drop)
            level += put - drop
            await ctx.tick()
        assert seen == set(range(places + 1))
        ctx.set(reset, 1)
        await ctx.tick()
        assert ctx.get(credit.level) == 0

    simulate(credit, bench)

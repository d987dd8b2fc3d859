"""hw.loops and hw.credit against loops and counts written out."""

import random
from collections.abc import Callable
from itertools import product

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.sim import SimulatorContext

from lutra_hw.credit import Credit
from lutra_hw.loops import Loops, Nest

Simulate = Callable[..., None]


NAMES = ("inner", "middle", "outer")


def seen(loops: Loops, ctx: SimulatorContext, members: str) -> tuple[int, ...]:
    """A member of every level."""
    return tuple(ctx.get(getattr(getattr(loops, members), name)) for name in NAMES)


@pytest.mark.parametrize("limits", [(0, 0, 0), (2, 0, 3), (0, 4, 1), (3, 2, 2)], ids=str)
def test_counts_are_those_of_nested_loops(simulate: Simulate, limits: tuple[int, int, int]) -> None:
    loops, rng = Loops(inner=2, middle=3, outer=2), random.Random(1)
    expected = [(i, j, k) for k in range(limits[2] + 1) for j in range(limits[1] + 1) for i in range(limits[0] + 1)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for name, limit in zip(NAMES, limits, strict=True):
            ctx.set(getattr(loops.limit, name), limit)
        for place in expected * 2:  # all zero again after the last step
            while True:
                step = rng.random() < 0.5
                ctx.set(loops.step, step)
                assert seen(loops, ctx, "count") == place
                last = tuple(a == b for a, b in zip(place, limits, strict=True))
                assert seen(loops, ctx, "last") == last
                assert ctx.get(loops.done) == all(last)
                await ctx.tick()
                if step:
                    break

    simulate(loops, bench)


class Shorter(Nest):
    """Whose inner level has another limit in the outer one's last iteration."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.chosen.inner.eq(self.coming.outer)
        return m


@pytest.mark.parametrize("seed", range(12))
def test_a_nest_runs_one_operation_after_the_other(simulate: Simulate, seed: int) -> None:
    nest, rng = Shorter(inner=2, middle=3, outer=2), random.Random(seed)
    operations = [([rng.choice([0, 1, rng.randrange(4)]) for _ in NAMES], rng.randrange(4)) for _ in range(6)]

    def bound(ctx: SimulatorContext, first: wiring.PureInterface, other: wiring.PureInterface, number: int) -> None:
        limits, shorter = operations[number]
        for name, limit in zip(NAMES, limits, strict=True):
            ctx.set(getattr(first, name), limit)
        ctx.set(other.inner, shorter)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for number, ((inner, middle, outer), shorter) in enumerate(operations):
            bound(ctx, nest.begin, nest.begin_other, number)
            ctx.set(nest.start, 1)
            ctx.set(nest.step, 0)
            await ctx.tick()
            bound(ctx, nest.limit, nest.other, number)
            bound(ctx, nest.begin, nest.begin_other, rng.randrange(len(operations)))
            ctx.set(nest.start, 0)
            for k, j in product(range(outer + 1), range(middle + 1)):
                end = shorter if k == outer else inner
                for i in range(end + 1):
                    while True:
                        step = rng.random() < 0.5
                        ctx.set(nest.step, step)
                        assert seen(nest, ctx, "count") == (i, j, k)
                        assert seen(nest, ctx, "first") == (i == 0, j == 0, k == 0)
                        assert seen(nest, ctx, "last") == (i == end, j == middle, k == outer)
                        await ctx.tick()
                        if step:
                            break

    simulate(nest, bench)


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

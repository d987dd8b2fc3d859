"""hw.distance against the sums and maxima of docs/arithmetic.md, written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.distance import Distance, distance_width
from lutra_model.params import DISTANCES, Metric

Simulate = Callable[..., None]

EDGES = [([-128] * 9, [127] * 9), ([127] * 9, [-128] * 9), ([0] * 9, [0] * 9), ([-128, 127] * 4 + [5], [0] * 9)]


def naive(a: list[int], p: list[int], metric: Metric) -> int:
    differences = [abs(x - y) for x, y in zip(a, p, strict=True)]
    return {"l2": sum(d ** 2 for d in differences), "l1": sum(differences), "chebyshev": max(differences)}[metric]


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("length", [1, 2, 3, 8, 9])
def test_equals_naive_two_cycles_later(simulate: Simulate, length: int, metric: Metric) -> None:
    rng, unit = random.Random(length), Distance(length=length, metric=metric)
    pairs = [(a[:length], p[:length]) for a, p in EDGES]
    pairs += [([rng.randint(-128, 127) for _ in range(length)], [rng.randint(-128, 127) for _ in range(length)])
              for _ in range(40)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.enable, 3)
        results = []
        for a, p in [*pairs, pairs[0], pairs[0]]:
            results.append(ctx.get(unit.o))
            ctx.set(unit.a, a)
            ctx.set(unit.p, p)
            await ctx.tick()
        assert results[2:] == [naive(a, p, metric) for a, p in pairs]

    simulate(unit, bench)


@pytest.mark.parametrize(("length", "metric", "width"), [(1, "l2", 16), (9, "l2", 20), (9, "l1", 12), (8, "l1", 11),
                                                 (9, "chebyshev", 8)])
def test_width_is_that_of_the_rules(length: int, metric: str, width: int) -> None:
    assert distance_width(length, Metric(metric)) == width


def test_stages_hold_without_enable(simulate: Simulate) -> None:
    unit = Distance(length=2, metric=Metric.L1)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.a, [3, 4])
        for enable, result in [(3, 0), (3, 7), (0, 7), (1, 7), (0, 7), (2, 10)]:
            ctx.set(unit.enable, enable)
            await ctx.tick()
            assert ctx.get(unit.o) == result
            if enable == 3 and result == 7:
                ctx.set(unit.a, [5, 5])

    simulate(unit, bench)

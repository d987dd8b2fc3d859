"""hw.encoder against a search written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.encoder import Encoder, PassThrough
from lutra_model.params import Array, Metric
from lutra_model.schedule import Pipeline

Simulate = Callable[..., None]


def packed(vector: list[int]) -> int:
    return sum((x & 255) << 8 * place for place, x in enumerate(vector))


def nearest(a: list[int], codebook: list[list[int]], metric: Metric) -> int:
    best, found = None, 0
    for number, p in enumerate(codebook):
        differences = [abs(x - y) for x, y in zip(a, p, strict=True)]
        distance = {"l2": sum(d * d for d in differences), "l1": sum(differences),
                    "chebyshev": max(differences)}[metric]
        if best is None or distance < best:
            best, found = distance, number
    return found


@pytest.mark.parametrize("spread", [128, 2], ids=["far", "ties"])
@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize(("entries", "used"), [(2, 2), (2, 1), (4, 3), (8, 8), (16, 16), (16, 9)])
def test_index_is_the_lowest_of_the_nearest(simulate: Simulate, entries: int, used: int, metric: Metric,
                                            spread: int) -> None:
    array = Array(rows=2, columns=1, encoders=2, length=3, entries=entries, codebooks=6, metric=metric)
    encoder, rng = Encoder(array), random.Random(entries * 100 + used)

    def vector() -> list[int]:
        return [rng.randint(-spread, spread - 1) for _ in range(array.length)]

    books = [[vector() for _ in range(used)] for _ in range(3)]
    work = [(rng.randrange(3), vector()) for _ in range(60)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(encoder.entry_mask, 2**entries - 1)  # leave what a bigger layer left: it must not win
        ctx.set(encoder.centroid, 1)
        for address, book in enumerate(books):
            for entry, p in enumerate([*book, *([[0] * 3] * (entries - used))]):
                ctx.set(encoder.address, address)
                ctx.set(encoder.entry, entry)
                ctx.set(encoder.data, packed(p))
                await ctx.tick()
        ctx.set(encoder.centroid, 0)
        ctx.set(encoder.entry_mask, 2**used - 1)
        results = []
        for address, a in [*work, *work[:Pipeline(array).encode]]:
            results.append(ctx.get(encoder.o))
            ctx.set(encoder.vector, 1)
            ctx.set(encoder.address, address)
            ctx.set(encoder.data, packed(a))
            await ctx.tick()
        assert results[Pipeline(array).encode:] == [nearest(a, books[address], metric) for address, a in work]

    simulate(encoder, bench)


def test_farthest_centroid_still_beats_a_missing_one(simulate: Simulate) -> None:
    array = Array(rows=1, columns=1, encoders=1, length=1, entries=2, codebooks=1, metric=Metric.CHEBYSHEV)
    encoder = Encoder(array)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(encoder.entry_mask, 1)
        for centroid, value in [(1, -128), (0, 127)]:
            ctx.set(encoder.centroid, centroid)
            ctx.set(encoder.vector, 1 - centroid)
            ctx.set(encoder.data, value & 255)
            await ctx.tick()
        ctx.set(encoder.vector, 0)
        for _ in range(Pipeline(array).encode):
            await ctx.tick()
        assert ctx.get(encoder.o) == 0

    simulate(encoder, bench)


def test_pass_through_passes_in_one_cycle(simulate: Simulate) -> None:
    encoder = PassThrough(Array.mac(rows=2, columns=1))

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for vector, value, result in [(1, 0x80, 0x80), (0, 5, 0x80), (1, 127, 127)]:
            ctx.set(encoder.vector, vector)
            ctx.set(encoder.data, value)
            await ctx.tick()
            assert ctx.get(encoder.o) == result

    simulate(encoder, bench)

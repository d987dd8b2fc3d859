"""hw.encoder against a search written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.encoder import Encoder, PassThrough
from lutra_model.params import DISTANCES, Array, Metric
from lutra_model.schedule import Pipeline
from tests.hw.windows import nearest
from tests.hw.words import packed

Simulate = Callable[..., None]


@pytest.mark.parametrize("spread", [128, 2], ids=["far", "ties"])
@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize(("entries", "used"), [(2, 2), (2, 1), (4, 3), (8, 8), (16, 16), (16, 9)])
def test_index_is_the_lowest_of_the_nearest(simulate: Simulate, entries: int, used: int, metric: Metric,
                                            spread: int) -> None:
    array = Array(rows=2, columns=1, encoders=2, length=3, entries=entries, codebooks=6, metric=metric)
    encoder, rng = Encoder(array), random.Random(entries * 100 + used)

    def vector() -> list[int]:
        return [rng.randint(-spread, spread - 1) for _ in range(array.length)]

    books = [[vector() for _ in range(used)] for _ in range(3)]
    work = [(book, [vector() for _ in range(20)]) for book in books]
    expected = [nearest(a, book, metric) for book, vectors in work for a in vectors]
    results = []

    async def load(ctx: SimulatorContext, book: list[list[int]]) -> None:
        for entry, p in enumerate([*book, *([[0] * 3] * (entries - used))]):  # these must not win
            ctx.set(encoder.load, 1)
            ctx.set(encoder.entry, entry)
            ctx.set(encoder.centroid, packed(p))
            await step(ctx)
        ctx.set(encoder.load, 0)

    async def step(ctx: SimulatorContext) -> None:
        results.append(ctx.get(encoder.o))
        await ctx.tick()
        ctx.set(encoder.vector, 0)
        ctx.set(encoder.turn, 0)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(encoder.entry_mask, 2**used - 1)
        await load(ctx, books[0])
        times = []
        for number, (_, vectors) in enumerate(work):
            if number == 1:
                await load(ctx, books[1])  # the one in use goes on in the pipeline
            for place, a in enumerate(vectors):
                ctx.set(encoder.turn, place == 0)
                if place == 0 and number == 1:  # what is loaded at the turn belongs to the next codebook
                    ctx.set(encoder.load, 1)
                    ctx.set(encoder.entry, 0)
                    ctx.set(encoder.centroid, packed(books[2][0]))
                elif number == 1 and place < used:
                    ctx.set(encoder.entry, place)
                    ctx.set(encoder.centroid, packed(books[2][place]))
                else:
                    ctx.set(encoder.load, 0)
                ctx.set(encoder.vector, 1)
                ctx.set(encoder.data, packed(a))
                times.append(len(results) + Pipeline(array).encode)
                await step(ctx)
        for _ in range(Pipeline(array).encode + 1):
            await step(ctx)
        assert [results[time] for time in times] == expected

    simulate(encoder, bench)


def test_farthest_centroid_still_beats_a_missing_one(simulate: Simulate) -> None:
    array = Array(rows=1, columns=1, encoders=1, length=1, entries=2, codebooks=1, metric=Metric.CHEBYSHEV)
    encoder = Encoder(array)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(encoder.entry_mask, 1)
        ctx.set(encoder.load, 1)
        ctx.set(encoder.centroid, -128 & 255)
        await ctx.tick()
        ctx.set(encoder.load, 0)
        for name in ("turn", "vector"):
            ctx.set(getattr(encoder, name), 1)
        ctx.set(encoder.data, 127)
        await ctx.tick()
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

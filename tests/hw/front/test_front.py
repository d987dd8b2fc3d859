"""hw.front runs the feeding of random programs; values against naive windows, cycles against written-out rules."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.front import Front
from lutra_model.operation import Error, Kind, Lane, Operation
from lutra_model.params import Array, Metric
from tests.hw.front.bench import Bench
from tests.hw.front.rules import check_cycles
from tests.hw.windows import put

Simulate = Callable[..., None]
SIZES = {"block_rows": 8, "index_words": 60, "activation_words": 300, "codebook_words": 200}
ARRAYS = [Array(rows=4, columns=2, encoders=2, length=3, entries=4, word=1, **SIZES),
          Array(rows=4, columns=4, encoders=4, length=2, entries=2, word=2, metric=Metric.L1, **SIZES),
          Array(rows=1, columns=1, encoders=1, length=4, entries=8, lanes=5, metric=Metric.CHEBYSHEV, **SIZES),
          Array.mac(rows=4, columns=4, encoders=4, lanes=9, **SIZES),
          Array.mac(rows=6, columns=4, encoders=2, **SIZES)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.engine}-{a.rows}x{a.columns}-e{a.encoders}-w{a.word}")
def test_random_programs(simulate: Simulate, array: Array, seed: int) -> None:
    bench = Bench(array, seed)

    async def run(ctx: SimulatorContext, reset: Signal) -> None:
        await bench.fill(ctx)
        await bench.run(ctx)

    simulate(bench.front, run)
    check_cycles(bench)


def test_goes_on_after_a_reset_in_mid_run(simulate: Simulate) -> None:
    array = ARRAYS[0]
    for stop in (1, 7, 30, 61, 144):
        bench = Bench(array, stop, operations=4)

        async def run(ctx: SimulatorContext, reset: Signal, stop: int = stop, bench: Any = bench) -> None:
            await bench.fill(ctx)
            ctx.set(bench.front.next_ready, 1)
            put(ctx, bench.front.next, bench.ops[0], array)
            put(ctx, bench.front.settings, bench.ops[0], array)
            ctx.set(bench.front.start, 1)
            await ctx.tick()
            ctx.set(bench.front.start, 0)
            for _ in range(stop):
                await ctx.tick()
            ctx.set(bench.front.next_ready, 0)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            await bench.run(ctx)

        simulate(bench.front, run)
        check_cycles(bench)


FAULTS = [(Error.READ, {"source": 300 - 3}), (Error.READ, {"source": -2}), (Error.READ, {"source": 1 << 20}),
          (Error.NONE, {"source": 300 - 3, "width": 3}), (Error.NONE, {"source": -2, "left": 2}),
          (Error.SIZE, {"groups": 61, "last_block": 2}), (Error.NONE, {"groups": 60, "last_block": 2}),
          (Error.CODEBOOK, {"codebooks": 199}), (Error.NONE, {"codebooks": 198}),
          (Error.CODEBOOK, {"codebooks": 0xFFFFFFFF})]


@pytest.mark.parametrize(("error", "fields"), FAULTS, ids=str)
def test_faults(simulate: Simulate, error: Error, fields: dict[str, int]) -> None:
    array = ARRAYS[0]
    front = Front(array)
    lanes = tuple(Lane(offset=n, dx=n, enabled=True, enabled_last=True) for n in range(4))
    op = replace(Operation(kind=Kind.PRODUCT, width=4, entries=2, length=3, lanes=lanes), **fields)
    seen = set()

    async def run(ctx: SimulatorContext, reset: Signal) -> None:
        put(ctx, front.next, op, array)
        put(ctx, front.settings, op, array)
        ctx.set(front.next_ready, 1)
        ctx.set(front.start, 1)
        for _ in range(300):
            seen.add(ctx.get(front.fault))
            await ctx.tick()
            ctx.set(front.start, 0)

    simulate(front, run)
    assert seen - {Error.NONE} == {error} - {Error.NONE}

"""hw.finisher against arithmetic written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.accumulator import accumulator_width
from lutra_hw.finisher import Finisher, finisher_width
from lutra_model.params import Array
from lutra_model.schedule import Pipeline
from tests.hw.rows import random_function
from tests.hw.words import packed, unpacked

Simulate = Callable[..., None]


def finished(total: int, bias: int, multiplier: int, shift: int, low: int, high: int) -> int:
    return min(max((total + bias) * multiplier + 2**(shift - 1) >> shift, low), high)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("array", [Array(columns=3, fill=2), Array.mac(columns=3), Array(columns=3, fill=1)],
                         ids=lambda a: f"{a.engine}-{a.fill}")
def test_finisher_rounds_half_up_and_clamps(simulate: Simulate, array: Array, seed: int) -> None:
    unit, rng, width = Finisher(array), random.Random(seed), accumulator_width(array)
    limit, stages = 2**(width - 1), Pipeline(array).finish

    def parameter() -> tuple[int, int, int]:
        return (rng.choice([-2**31, 2**31 - 1, 0, rng.randint(-500, 500)]), rng.choice([0, 1, 2**16 - 1, 2**15 + 1]),
                rng.choice([1, 2, 8, 15, 16, 17, 31, 32, 33, 48, 49, 50, 63]))

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        low, high = [(-128, 127), (0, 127), (-5, 9), (-128, -100)][seed]
        ctx.set(unit.low, low)
        ctx.set(unit.high, high)
        for _ in range(20):
            banks = [[parameter() for _ in range(3)] for _ in range(2)]
            for bank, columns in enumerate(banks):
                wide = [b & 0xFFFFFFFF | m << 32 | s << 48 for b, m, s in columns]
                for beat in range(-(-7 // array.fill)):
                    bytes_ = range(beat * array.fill, (beat + 1) * array.fill)
                    ctx.set(unit.load.valid, 1)
                    ctx.set(unit.load.bank, bank)
                    ctx.set(unit.load.beat, beat)
                    ctx.set(unit.load.data, packed([value >> 8 * byte for byte in bytes_ for value in wide], 8))
                    await ctx.tick()
            ctx.set(unit.load.valid, 0)
            ctx.set(unit.valid, 1)
            work = [(rng.randrange(2), [rng.choice([-limit, limit - 1, rng.randint(-600, 600)]) for _ in range(3)])
                    for _ in range(12)]
            results: list[list[int]] = []
            for bank, totals in [*work, *work[:stages]]:
                ctx.set(unit.bank, bank)
                ctx.set(unit.i, packed(totals, width))
                results.append(unpacked(ctx.get(unit.o), 3, 8))
                await ctx.tick()
            expected = [[finished(t, *p, low, high) for t, p in zip(totals, banks[bank], strict=True)]
                        for bank, totals in work]
            assert results[stages:] == expected

    simulate(unit, bench)


@pytest.mark.parametrize("seed", range(3))
def test_finisher_gives_pools_their_operations_parameters(simulate: Simulate, seed: int) -> None:
    array, rng = Array(columns=3), random.Random(seed)
    unit, width, stages = Finisher(array), accumulator_width(array), Pipeline(array).finish

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        multiplier, shift = rng.randrange(2**16), rng.randint(1, 24)
        for port, value in [(unit.low, -128), (unit.high, 127), (unit.pool, 1), (unit.multiplier, multiplier),
                            (unit.shift, shift), (unit.valid, 1)]:
            ctx.set(port, value)
        ctx.set(unit.load.valid, 1)  # the columns' own parameters do not matter
        ctx.set(unit.load.data, rng.getrandbits(len(unit.load.data)))
        work = [[rng.randint(-1000, 1000) for _ in range(3)] for _ in range(20)]
        results = []
        for totals in [*work, *work[:stages]]:
            ctx.set(unit.i, packed(totals, width))
            results.append(unpacked(ctx.get(unit.o), 3, 8))
            await ctx.tick()
        assert results[stages:] == [[finished(total, 0, multiplier, shift, -128, 127) for total in totals]
                                    for totals in work]

    simulate(unit, bench)


@pytest.mark.parametrize("apply", [False, True])
@pytest.mark.parametrize("array", [Array(columns=3, fill=2, functions=2), Array.mac(columns=3, functions=1)],
                         ids=lambda a: a.engine)
def test_finisher_of_a_machine_with_functions(simulate: Simulate, array: Array, apply: bool) -> None:
    """Signed multipliers, 16 bits to the function, its clamp; one row in a cycle."""
    unit, rng, width = Finisher(array), random.Random(array.rows), finisher_width(array)
    stages, limit, function = Pipeline(array).finish, 2**(width - 1), random_function(rng)

    def parameter() -> tuple[int, int, int]:
        return (rng.choice([-2**31, 2**31 - 1, 0, rng.randint(-500, 500)]),
                rng.choice([0, 1, -1, 2**16 - 1, 1 - 2**16, rng.randint(-2**15, 2**15)]),
                rng.choice([1, 2, 8, 15, 16, 17, 32, 49, 63]))

    def expected(total: int, bias: int, multiplier: int, shift: int) -> int:
        wide = finished(total, bias, multiplier, shift, -2**15, 2**15 - 1)
        return min(max(function(wide) if apply else wide, -100), 90)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for port, value in [(unit.low, -100), (unit.high, 90), (unit.apply, apply),
                            (unit.function.as_value(), packed(function.words, 32))]:
            ctx.set(port, value)
        for _ in range(10):
            columns = [parameter() for _ in range(3)]
            wide = [b & 0xFFFFFFFF | abs(m) << 32 | (s | 128 * (m < 0)) << 48 for b, m, s in columns]
            for beat in range(-(-7 // array.fill)):
                bytes_ = range(beat * array.fill, (beat + 1) * array.fill)
                ctx.set(unit.load.valid, 1)
                ctx.set(unit.load.beat, beat)
                ctx.set(unit.load.data, packed([value >> 8 * byte for byte in bytes_ for value in wide], 8))
                await ctx.tick()
            ctx.set(unit.load.valid, 0)
            work = [[rng.choice([-limit, limit - 1, rng.randint(-600, 600)]) for _ in range(3)] for _ in range(12)]
            results: list[list[int]] = []
            for totals in [*work, *[None] * stages]:
                ctx.set(unit.valid, totals is not None)
                ctx.set(unit.i, packed(totals or [0] * 3, width))
                results.append(unpacked(ctx.get(unit.o), 3, 8))
                await ctx.tick()
            assert results[stages:] == [[expected(t, *p) for t, p in zip(totals, columns, strict=True)]
                                        for totals in work]

    simulate(unit, bench)

"""hw.accumulator, hw.finisher and hw.output_buffer against arithmetic and queues written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.accumulator import Accumulator, accumulator_width, pool_width
from lutra_hw.finisher import Finisher, finisher_width
from lutra_hw.lookup_array import tree_width
from lutra_hw.output_buffer import OutputBuffer
from lutra_model.params import Array
from lutra_model.schedule import Pipeline
from tests.hw.rows import random_function

Simulate = Callable[..., None]


def packed(values: list[int], width: int) -> int:
    return sum((value & 2**width - 1) << width * n for n, value in enumerate(values))


def unpacked(word: int, count: int, width: int) -> list[int]:
    values = [word >> width * n & 2**width - 1 for n in range(count)]
    return [value - 2**width if value >> width - 1 else value for value in values]


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


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_output_buffer_is_a_queue_with_reserved_places(simulate: Simulate, depth: int, seed: int) -> None:
    unit, rng = OutputBuffer(width=8, depth=depth), random.Random(seed)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        reserved: list[int] = []
        queue: list[int] = []
        full = 0
        for _ in range(400):
            busy = rng.random() < 0.5
            room = len(reserved) + len(queue) < depth
            full += not room
            assert ctx.get(unit.room) == room
            reserve, write, ready = room and rng.random() < 0.8, bool(reserved) and rng.random() < 0.7, busy
            forget = rng.random() < 0.05
            ctx.set(unit.forget, forget)
            value = rng.randrange(256)
            for port, bit in [(unit.reserve, reserve), (unit.write, write), (unit.data, value), (unit.o.ready, ready)]:
                ctx.set(port, bit)
            assert ctx.get(unit.o.valid) == bool(queue)
            assert ctx.get(unit.emptied) == (len(queue) == 1 and ready)
            if queue:
                assert ctx.get(unit.o.payload) == queue[0]
            if queue and ready:
                queue.pop(0)
            if write:
                reserved.pop()
                queue.append(value)
            if reserve:
                reserved.append(value)
            if forget:
                reserved.clear()
            await ctx.tick()
        assert full

    simulate(unit, bench)

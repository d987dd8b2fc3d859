"""hw.piecewise, hw.functions and hw.normaliser against the same written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.functions import FUNCTION_WORDS, FunctionMemory
from lutra_hw.normaliser import Normaliser
from lutra_hw.piecewise import FUNCTION_STAGES, PiecewiseUnit
from tests.hw.rows import Function, random_function
from tests.hw.words import packed

Simulate = Callable[..., None]
LIMITS = (-2**16, 2**16 - 1)


def saturated(value: int) -> int:
    return min(max(value, LIMITS[0]), LIMITS[1])


def results(simulate: Simulate, function: Function, values: list[int | None]) -> list[int]:
    """What comes out of the unit; a value None leaves a cycle empty."""
    unit, found = PiecewiseUnit(), []

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.function.as_value(), packed(function.words, 32))
        stages: list[bool] = []
        for value in [*values, *[None] * FUNCTION_STAGES]:
            stages = [value is not None, *stages][:FUNCTION_STAGES]
            ctx.set(unit.enable, packed([int(stage) for stage in stages], 1))
            ctx.set(unit.i, value or 0)
            await ctx.tick()
            if len(stages) == FUNCTION_STAGES and stages[-1]:
                found.append(ctx.get(unit.o))

    simulate(unit, bench)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_value_of_eight_bits(simulate: Simulate, seed: int) -> None:
    function, values = random_function(random.Random(seed), 128), list(range(-128, 128))
    assert results(simulate, function, list(values)) == [saturated(function(x)) for x in values]


@pytest.mark.parametrize("seed", range(20))
def test_breakpoints_and_what_lies_beside_them(simulate: Simulate, seed: int) -> None:
    rng = random.Random(seed)
    function = random_function(rng)
    values = [-2**15, 2**15 - 1, 0, *(start + step for start, *_ in function.segments for step in (-1, 0, 1))]
    values = [min(max(x, -2**15), 2**15 - 1) for x in values] + [rng.randrange(-2**15, 2**15) for _ in range(50)]
    offered = [x for value in values for x in [value, *[None] * rng.choice([0, 0, 0, 1, 2])]]
    assert results(simulate, function, offered) == [saturated(function(x)) for x in values]


@pytest.mark.parametrize("slope", [-2**15, 2**15 - 1])
@pytest.mark.parametrize("intercept", [-2**31, 2**31 - 1])
@pytest.mark.parametrize("shift", [0, 13, 31])
def test_extremes_do_not_wrap(simulate: Simulate, slope: int, intercept: int, shift: int) -> None:
    function, values = Function([(0, slope, intercept)], shift), [-2**15, -1, 0, 1, 2**15 - 1]
    assert results(simulate, function, list(values)) == [saturated(function(x)) for x in values]


@pytest.mark.parametrize("slots", [1, 3])
def test_functions_are_kept_in_their_slots(simulate: Simulate, slots: int) -> None:
    memory, rng = FunctionMemory(slots=slots), random.Random(slots)
    functions = [random_function(rng) for _ in range(slots)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for slot, function in enumerate(functions):
            for piece, word in enumerate(function.words):
                for name, value in [("en", 1), ("address", slot), ("piece", piece), ("data", word)]:
                    ctx.set(getattr(memory.write, name), value)
                await ctx.tick()
        ctx.set(memory.write.en, 0)
        for one in range(slots):
            for other in range(slots):
                ctx.set(memory.numbers.as_value(), (one + 1) | (other + 1) << 4)
                ctx.set(memory.read, 1)
                await ctx.tick()
                ctx.set(memory.read, 0)
                ctx.set(memory.numbers.as_value(), 0x11)
                await ctx.tick()
                for place, number in enumerate((one, other)):
                    assert ctx.get(memory.o[place].as_value()) == packed(functions[number].words, 32)

    assert len(functions[0].words) == FUNCTION_WORDS
    simulate(memory, bench)


@pytest.mark.parametrize("width", [2, 3, 16, 37])
def test_the_leading_one_comes_to_the_top(simulate: Simulate, width: int) -> None:
    dut, rng = Normaliser(width=width), random.Random(width)
    values = [0, 2**width - 1, *(1 << place for place in range(width)),
              *(rng.getrandbits(rng.randint(1, width)) for _ in range(100))]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(dut.enable, -1)
        for number in range(len(values) + dut.stages - 1):
            ctx.set(dut.i, values[min(number, len(values) - 1)])
            await ctx.tick()
            if number >= dut.stages - 1:
                zeros = width - (values[number - dut.stages + 1] or 1).bit_length()
                assert ctx.get(dut.zeros) == zeros
                assert ctx.get(dut.o) == (values[number - dut.stages + 1] or 1) << zeros

    simulate(dut, bench)

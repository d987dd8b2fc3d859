"""hw.pool against sums and maxima written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.pool import Pool
from lutra_model.params import Array
from tests.hw.words import packed

Simulate = Callable[..., None]


@pytest.mark.parametrize("maximum", [0, 1])
@pytest.mark.parametrize(("lanes", "word"), [(1, 1), (2, 2), (5, 1), (9, 4), (36, 2)])
def test_each_byte_of_the_words(simulate: Simulate, lanes: int, word: int, maximum: int) -> None:
    array = Array(rows=word, columns=word, encoders=word, length=1, word=word, lanes=lanes)
    dut, rng = Pool(array), random.Random(lanes)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(dut.maximum, maximum)
        stages: list[int | None] = [None, None]
        held = 0
        for number in range(60):
            low, high = rng.choice([(-128, 127), (-128, -128), (127, 127), (-128, -100), (-2, 1)])
            words = [[rng.randint(low, high) for _ in range(word)] for _ in range(lanes)]
            valid = number < 3 or rng.random() < 0.7
            ctx.set(dut.enable, valid | (stages[0] is not None) << 1)
            ctx.set(dut.words, packed([byte for one in words for byte in one]))
            await ctx.tick()
            merged = [max(column) if maximum else sum(column) for column in zip(*words, strict=True)]
            stages = [packed(merged, len(dut.o) // word) if valid else None, stages[0]]
            if stages[1] is not None:
                held = stages[1]
            assert number == 0 or ctx.get(dut.o) == held

    simulate(dut, bench)

"""hw.activations against two lists of words."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.activations import ActivationMemory
from lutra_model.operation import Error
from lutra_model.params import Array
from tests.hw.windows import assign
from tests.hw.words import packed

Simulate = Callable[..., None]
ARRAYS = [Array(rows=4, columns=8, encoders=2, length=2, word=2, lanes=5, activation_words=100),
          Array(rows=1, columns=8, encoders=1, length=1, word=1, lanes=3, activation_words=61),
          Array(rows=1, columns=1, encoders=1, length=1, lanes=1, activation_words=9),
          Array(rows=1, columns=12, encoders=1, length=1, word=1, lanes=2, activation_words=16),
          Array(rows=4, columns=4, encoders=2, length=2, word=2, lanes=9, stores=2, activation_words=100),
          Array(rows=2, columns=2, encoders=2, length=2, word=2, lanes=9, stores=1, activation_words=75)]


def wanted(memory: list[list[int]], array: Array, address: int) -> int | None:
    """What a residual read gives; None where it reads past the memory."""
    words = memory[address:address + array.output_words]
    return packed([byte for word in words for byte in word]) if len(words) == array.output_words else None


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"b{a.banks}-w{a.word}-s{a.beat_words}")
def test_reads_what_was_written(simulate: Simulate, array: Array) -> None:
    dut, rng = ActivationMemory(array), random.Random(array.banks)
    memory = [[[0] * array.word for _ in range(array.activation_words)] for _ in range(2)]
    word, pending = 8 * array.word, []  # writes not yet in memory

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        expected: list[int | None] = [None, None, None]
        asked = list[tuple[int, list[list[int]]]]()  # banks gathered from, and what they hold
        for cycle in range(600):
            source = cycle // 300
            ctx.set(dut.source_side, source)
            if cycle == 300:  # operations change when nothing is on its way
                expected, asked = [None, None, None], []
            count = rng.randint(0, min(array.beat_words, array.activation_words))
            address = rng.randint(0, array.activation_words - count)
            data = [[rng.getrandbits(8) for _ in range(array.word)] for _ in range(array.beat_words)]
            en, side = rng.random() < 0.7, rng.randrange(2)
            assign(ctx, dut.write, en=en, side=side, address=address, count=count,
                   data=packed([byte for one in data for byte in one]))
            read = rng.randrange(array.activation_words)
            reads = rng.random() < 0.7
            assign(ctx, dut.residual, en=reads, side=1 - source, address=read)
            gather = [rng.randrange(array.activation_words // array.banks) for _ in range(array.banks)]
            ctx.set(dut.rows, gather)
            used = rng.getrandbits(array.banks)
            ctx.set(dut.used, used)
            asked.append((used, [memory[source][row * array.banks + bank] for bank, row in enumerate(gather)]))
            if expected[0] is not None:
                assert ctx.get(dut.residual_data) == expected[0]
            assert ctx.get(dut.fault) == Error.NONE
            await ctx.tick()
            for bank, old in enumerate(asked[-2][1] if len(asked) > 1 else []):
                if asked[-2][0] >> bank & 1:
                    assert ctx.get(dut.data) >> word * bank & (1 << word) - 1 == packed(old)
            for into, at, values in pending:
                memory[into][at:at + len(values)] = values
            pending[:] = [(side, address, data[:count])] if en else []
            expected = [*expected[1:], None]
            if reads:  # the next cycle reads it, with what lands at the end of this one
                expected[2] = wanted(memory[1 - source], array, read)

    simulate(dut, bench)


@pytest.mark.parametrize(("port", "address", "count", "error"), [
    ("write", 99, 1, Error.NONE), ("write", 99, 2, Error.WRITE), ("write", 100, 1, Error.WRITE),
    ("write", 0xFFFFFFFF, 2, Error.WRITE), ("write", 92, 8, Error.NONE), ("write", 93, 8, Error.WRITE),
    ("residual", 99, 0, Error.NONE), ("residual", 100, 0, Error.READ), ("residual", 0xFFFFFFFF, 0, Error.READ)])
def test_faults(simulate: Simulate, port: str, address: int, count: int, error: Error) -> None:
    dut = ActivationMemory(ARRAYS[0])

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        values = {"address": address} | ({"count": count} if port == "write" else {})
        assign(ctx, getattr(dut, port), **values)
        assert ctx.get(dut.fault) == Error.NONE
        assign(ctx, getattr(dut, port), en=1)
        assert ctx.get(dut.fault) == error

    simulate(dut, bench)

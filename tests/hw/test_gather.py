"""hw.gather and hw.arrange against windows written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.arrange import Arranger
from lutra_hw.gather import Gather
from lutra_model.operation import Arrange, Kind, Lane, Operation
from lutra_model.params import Array
from tests.hw.windows import put, scalars
from tests.hw.words import packed

Simulate = Callable[..., None]
ARRAYS = [Array(rows=4, columns=8, encoders=4, length=3, word=2, activation_words=100),
          Array(rows=8, columns=8, encoders=8, length=2, word=4, lanes=9, activation_words=100),
          Array(rows=2, columns=1, encoders=2, length=1, word=1, lanes=4, activation_words=70000),
          Array(rows=1, columns=1, encoders=1, length=1, lanes=1, activation_words=9),
          Array.mac(rows=4, columns=4, encoders=4, lanes=5)]
NAMES = [f"{a.engine}-l{a.lanes}-w{a.word}" for a in ARRAYS]


@pytest.mark.parametrize("array", ARRAYS, ids=NAMES)
def test_rows_of_banks_and_faults(simulate: Simulate, array: Array) -> None:
    dut, rng = Gather(array), random.Random(array.lanes)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(dut.valid, 1)
        seen = set()
        for _ in range(500):
            far, on = rng.choice([0, 0, 0, 65536]), rng.choice([0.2, 0.8])
            lanes = tuple(Lane(offset=rng.randrange(max(far, min(array.activation_words, 65536))),
                               dy=rng.randrange(128), dx=rng.randrange(128), enabled=rng.random() < on,
                               enabled_last=rng.random() < on) for _ in range(array.lanes))
            op = Operation(kind=Kind.PRODUCT, height=rng.choice([1, 65535, rng.randint(1, 140)]),
                           width=rng.choice([1, 65535, rng.randint(1, 140)]), lanes=lanes)
            base = rng.choice([0, rng.randint(-65536, array.activation_words), rng.randint(-2**31, 2**31 - 1)])
            py, px = (rng.choice([0, rng.randint(-140, 140)]) for _ in range(2))
            last = rng.randrange(2)
            put(ctx, dut.settings, op, array)
            for port, value in [(dut.base, base), (dut.py, py), (dut.px, px), (dut.last_group, last)]:
                ctx.set(port, value)
            await ctx.tick().repeat(3)
            at = [(base + lane.offset) % 2**32 for lane in lanes
                  if (lane.enabled_last if last else lane.enabled)
                  and 0 <= py + lane.dy < op.height and 0 <= px + lane.dx < op.width]
            banks = [address % array.banks for address in at]
            beyond = any(address >= array.activation_words for address in at)
            assert ctx.get(dut.beyond) == beyond
            assert ctx.get(dut.conflict) == (len(set(banks)) < len(banks))
            assert ctx.get(dut.used) == sum(1 << bank for bank in set(banks))
            if not beyond and len(set(banks)) == len(banks):
                assert all(ctx.get(dut.rows[address % array.banks]) == address // array.banks for address in at)
                seen.add(len(at))
        assert len(seen) > min(array.lanes, 2) - 1
        ctx.set(dut.valid, 0)
        await ctx.tick().repeat(3)
        assert not any(ctx.get(port) for port in (dut.used, dut.beyond, dut.conflict))

    simulate(dut, bench)


@pytest.mark.parametrize("array", ARRAYS, ids=NAMES)
def test_sub_vectors(simulate: Simulate, array: Array) -> None:
    dut, rng = Arranger(array), random.Random(array.lanes)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for arrange in Arrange:
            for length in range(1, array.length + 1):
                for group in range(array.word):
                    words = [[rng.getrandbits(8) for _ in range(array.word)] for _ in range(array.lanes)]
                    op = Operation(kind=Kind.PRODUCT, arrange=arrange, length=length, groups=array.word)
                    put(ctx, dut.settings, op, array)
                    ctx.set(dut.words, packed([byte for word in words for byte in word]))
                    ctx.set(dut.group, group)
                    await ctx.tick()
                    expected = scalars(op, array, words, group)
                    assert ctx.get(dut.o) == packed([x for vector in expected for x in vector])

    simulate(dut, bench)

"""hw.output_buffer against a queue."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.output_buffer import OutputBuffer

Simulate = Callable[..., None]


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

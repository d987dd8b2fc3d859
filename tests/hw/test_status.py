"""hw.status: runs are counted, the first error is kept, and a machine that stands still is noticed."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.status import Status
from lutra_model.operation import Error, State

Simulate = Callable[..., None]


def status(unit: Status, ctx: SimulatorContext) -> tuple[int, int, int]:
    word = ctx.get(unit.status)
    return word & 3, word >> 2 & 63, word >> 8


def test_status_counts_runs_and_keeps_the_first_error(simulate: Simulate) -> None:
    unit = Status()

    async def pulse(ctx: SimulatorContext, **values: int) -> None:
        for name, value in values.items():
            ctx.set(getattr(unit, name), value)
        await ctx.tick()
        for name in values:
            ctx.set(getattr(unit, name), 0)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        assert status(unit, ctx) == (State.IDLE, 0, 0)
        await pulse(ctx, run=1)
        await pulse(ctx, finished=1)
        assert status(unit, ctx) == (State.RUNNING, 0, 1)
        await pulse(ctx, finished=1, ended=1)
        assert status(unit, ctx) == (State.IDLE, 0, 2)
        await pulse(ctx, run=1)
        assert status(unit, ctx) == (State.RUNNING, 0, 0)
        await pulse(ctx, fault=Error.READ, place=77)
        await pulse(ctx, fault=Error.WRITE, place=78)
        assert status(unit, ctx) == (State.FAILED, Error.READ, 77)
        assert ctx.get(unit.failed)
        await pulse(ctx, clear=1)
        assert status(unit, ctx) == (State.IDLE, 0, 0)

    simulate(unit, bench)


@pytest.mark.parametrize("timeout", [0, 1, 2, 9])
def test_watchdog_counts_cycles_without_movement(simulate: Simulate, timeout: int) -> None:
    unit, rng = Status(), random.Random(timeout)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.watched, timeout != 0)
        ctx.set(unit.patience, timeout - 1 if timeout else rng.randrange(2**32))
        for _ in range(20):
            await ctx.tick()
        ctx.set(unit.run, 1)
        await ctx.tick()
        ctx.set(unit.run, 0)
        resting = 0
        for cycle in range(200):
            moving = rng.random() < 0.3 and cycle < 150
            ctx.set(unit.moving, moving)
            assert status(unit, ctx)[0] == State.RUNNING
            resting = 0 if moving else resting + 1
            await ctx.tick()
            if resting == timeout:
                break
        assert status(unit, ctx)[:2] == ((State.FAILED, Error.WATCHDOG) if timeout else (State.RUNNING, 0))

    simulate(unit, bench)

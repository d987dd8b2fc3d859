"""lutra_hw.board.link: frames taken apart, packets put together, with stalls at every end."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from lutra_hw.board.link import FrameReader, HostLink, PacketWriter
from lutra_model.link import WINDOW_BYTES

SIZES = (4, 9, 3)


def stalls(seed: tuple[int, ...], longest: int = 12):
    """Whether an end is ready, in runs of up to ``longest`` cycles."""
    rng = np.random.default_rng(seed)
    while True:
        yield from [True] * rng.integers(1, longest + 1)
        yield from [False] * rng.integers(1, longest + 1)


async def send(ctx, port, payloads, pauses) -> None:
    for payload in payloads:
        while not next(pauses):
            await ctx.tick()
        ctx.set(port.payload, payload)
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)


async def take(ctx, port, pauses, into: list) -> None:
    async for _ in ctx.tick():
        ready = next(pauses)
        if ctx.get(port.ready) and ctx.get(port.valid):  # pragma: no cover
            raise AssertionError
        ctx.set(port.ready, ready)
        if ready and ctx.get(port.valid):
            into.append(ctx.get(port.payload))

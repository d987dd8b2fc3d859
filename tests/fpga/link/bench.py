"""Testbenches of streams of bytes with stalls at every end, random frames, and what packets say."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from lutra_model.link import LAST, Line

__all__ = ["SIZES", "packets", "sealed", "simulate", "sink", "some_frames", "source", "stalls"]

SIZES = (4, 9, 3)
REQUEST = 4  # the channel that asks for the status


def stalls(*seed: int, longest: int = 12) -> Iterator[bool]:
    """Whether an end wants to transfer, in runs of up to ``longest`` cycles."""
    rng = np.random.default_rng(seed)
    while True:
        yield from [True] * int(rng.integers(1, longest + 1))
        yield from [False] * int(rng.integers(1, longest + 1))


def source(port: Any, payloads: list[Any], pauses: Iterator[bool]) -> Callable[..., Any]:
    """A testbench that sends ``payloads``."""
    async def testbench(ctx: Any) -> None:
        for payload in payloads:
            while not next(pauses):
                await ctx.tick()
            ctx.set(port.payload, payload)
            ctx.set(port.valid, 1)
            await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)
    return testbench


def sink(port: Any, pauses: Iterator[bool], into: list[Any]) -> Callable[..., Any]:
    """A testbench that takes payloads for ever."""
    async def testbench(ctx: Any) -> None:
        while True:
            ctx.set(port.ready, next(pauses))
            _, _, ready, valid, payload = await ctx.tick().sample(port.ready, port.valid, port.payload)
            if ready and valid:
                into.append(payload)
    return testbench


def simulate(dut: Any, until: Callable[[], bool], *testbenches: Callable[..., Any],
             background: Sequence[Callable[..., Any]] = (), cycles: int = 30_000) -> None:
    """Runs until ``until()`` holds and 50 cycles more."""
    async def watch(ctx: Any) -> None:
        for _ in range(cycles):
            await ctx.tick()
            if until():
                await ctx.tick().repeat(50)
                return
        raise TimeoutError(f"not done after {cycles} cycles")

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    for testbench in background:
        simulator.add_testbench(testbench, background=True)
    simulator.run()


def some_frames(seed: int, count: int = 12) -> tuple[list[int], list[list[tuple[int, int]]], int]:
    """Bytes of random frames, the beats in them with tlast, by channel, and the number of requests."""
    rng = np.random.default_rng(seed)
    data: list[int] = []
    beats: list[list[tuple[int, int]]] = [[], [], []]
    requests = 0
    for _ in range(count):
        channel, last = int(rng.choice([0, 1, 2, REQUEST, 127], p=[0.3, 0.25, 0.25, 0.1, 0.1])), bool(rng.integers(2))
        size = SIZES[channel] if channel < 3 else 1
        payload = rng.integers(0, 256, size * int(rng.integers(0, 5)), np.uint8).tobytes()
        data += [channel | LAST * last, len(payload) & 255, len(payload) >> 8, *payload]
        requests += channel == REQUEST
        if channel < 3:
            beats[channel] += [(int.from_bytes(payload[start:start + size], "little"),
                                int(last and start + size == len(payload))) for start in range(0, len(payload), size)]
    return data, beats, requests


def sealed(frames: list[bytes]) -> bytes:
    """Frames with their checks."""
    line = Line()
    return b"".join(map(line.sealed, frames))


def packets(data: list[int], columns: int) -> list[bytes]:
    """The packets in a string of bytes, whose checks are right."""
    return [bytes([first]) + content for first, content in Line().packets(bytes(data), columns)]

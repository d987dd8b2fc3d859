"""lutra_hw.board.link: frames taken apart, packets put together, with stalls at every end."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutra_hw.board.link import FrameReader, HostLink, PacketWriter
from lutra_model.link import WINDOW_BYTES

SIZES = (4, 9, 3)


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


def some_frames(seed: int, count: int = 12) -> tuple[list[int], list[list[int]]]:
    """Bytes of random frames and the beats in them, by channel; one frame in five is of an unknown channel."""
    rng = np.random.default_rng(seed)
    data: list[int] = []
    beats: list[list[int]] = [[], [], []]
    for _ in range(count):
        channel = int(rng.choice([0, 1, 2, 3, 255], p=[0.3, 0.25, 0.25, 0.1, 0.1]))
        size = SIZES[channel] if channel < 3 else 1
        payload = rng.integers(0, 256, size * int(rng.integers(0, 5)), np.uint8).tobytes()
        data += [channel, len(payload) & 255, len(payload) >> 8, *payload]
        if channel < 3:
            beats[channel] += [int.from_bytes(payload[start:start + size], "little")
                               for start in range(0, len(payload), size)]
    return data, beats


@pytest.mark.parametrize("seed", range(4))
def test_frames_become_beats(seed: int) -> None:
    dut, (data, beats) = FrameReader(SIZES), some_frames(seed, count=25)
    taken: list[list[int]] = [[], [], []]
    done: list[int] = []

    async def count(ctx: Any) -> None:
        while True:
            if (await ctx.tick().sample(dut.done))[2]:
                done.append(1)

    simulate(dut, lambda: len(done) == 25, source(dut.i, data, stalls(seed, 0)),
             background=[count, *(sink(output, stalls(seed, 1, number), taken[number])
                                  for number, output in enumerate(dut.outputs))])
    assert taken == beats
    assert len(done) == 25


def test_a_long_frame() -> None:
    dut, payload = FrameReader((1, 2)), list(range(256)) * 3
    taken: list[int] = []
    data = [1, len(payload) & 255, len(payload) >> 8, *payload]
    simulate(dut, lambda: len(taken) == len(payload) // 2, source(dut.i, data, stalls(0)),
             background=[sink(dut.outputs[1], stalls(1), taken)])
    assert taken == [low | high << 8 for low, high in zip(payload[::2], payload[1::2], strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_beats_and_acknowledgements_become_packets(seed: int) -> None:
    dut, rng = PacketWriter(5), np.random.default_rng(seed)
    out: list[int] = []
    widths = rng.integers(1, 6, 30).tolist()
    beats = [rng.integers(0, 256, 5, np.uint8).tobytes() for _ in widths]

    async def acknowledge(ctx: Any) -> None:
        pauses = stalls(seed, 2)
        for _ in range(40):
            while not next(pauses):
                await ctx.tick()
            ctx.set(dut.acknowledge, 1)
            await ctx.tick()
            ctx.set(dut.acknowledge, 0)

    payloads = [{"data": int.from_bytes(beat, "little"), "keep": (1 << width) - 1}
                for beat, width in zip(beats, widths, strict=True)]
    expected = 40 + 30 + sum(widths)
    simulate(dut, lambda: len(out) >= expected, source(dut.i, payloads, stalls(seed, 0)), acknowledge,
             background=[sink(dut.o, stalls(seed, 1), out)])
    remaining, acknowledged = iter(out), 0
    packets: list[bytes] = []
    for first in remaining:
        if first == 0:
            acknowledged += 1
        else:
            assert first == 1
            packets.append(bytes(next(remaining) for _ in range(widths[len(packets)])))
    assert packets == [beat[:width] for beat, width in zip(beats, widths, strict=True)]
    assert acknowledged == 40


def test_the_link_buffers_a_whole_window() -> None:
    """The host may send a window of bytes while the machine takes nothing."""
    dut = HostLink(SIZES, 2)
    out: list[int] = []
    taken: list[int] = []
    payload = np.random.default_rng(0).integers(0, 256, WINDOW_BYTES - 4, np.uint8).tobytes()
    data = [0, len(payload) & 255, len(payload) >> 8, *payload, 3]
    cycles: list[int] = []

    async def fill(ctx: Any) -> None:
        for byte in data:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            cycles.append((await ctx.tick().sample(dut.i.ready))[2])
        ctx.set(dut.i.valid, 0)

    never, always = iter(lambda: False, None), iter(lambda: True, None)
    simulate(dut, lambda: len(cycles) == len(data), fill, background=[sink(dut.o0, never, taken)])
    assert cycles == [1] * WINDOW_BYTES
    dut, cycles = HostLink(SIZES, 2), []
    simulate(dut, lambda: len(out) == 1, fill,
             background=[sink(dut.o0, always, taken), sink(dut.o, always, out)])
    assert out == [0]
    assert b"".join(beat.to_bytes(4, "little") for beat in taken) == payload

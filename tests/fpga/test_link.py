"""lutra_hw.board.link: frames taken apart, packets put together, with stalls at every end."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutra_hw.board.link import FrameReader, HostLink, PacketWriter
from lutra_model.link import LAST, WINDOW_BYTES

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


def some_frames(seed: int, count: int = 12) -> tuple[list[int], list[list[tuple[int, int]]], int]:
    """Bytes of random frames, the beats in them with tlast, by channel, and the number of requests."""
    rng = np.random.default_rng(seed)
    data: list[int] = []
    beats: list[list[tuple[int, int]]] = [[], [], []]
    requests = 0
    for _ in range(count):
        channel, last = int(rng.choice([0, 1, 2, 3, 127], p=[0.3, 0.25, 0.25, 0.1, 0.1])), bool(rng.integers(2))
        size = SIZES[channel] if channel < 3 else 1
        payload = rng.integers(0, 256, size * int(rng.integers(0, 5)), np.uint8).tobytes()
        data += [channel | LAST * last, len(payload) & 255, len(payload) >> 8, *payload]
        requests += channel == 3
        if channel < 3:
            beats[channel] += [(int.from_bytes(payload[start:start + size], "little"),
                                int(last and start + size == len(payload))) for start in range(0, len(payload), size)]
    return data, beats, requests


def plain(taken: list[Any]) -> list[tuple[int, int]]:
    """Payloads with tlast as pairs."""
    return [(payload.data, payload.last) for payload in taken]


@pytest.mark.parametrize("seed", range(4))
def test_frames_become_beats(seed: int) -> None:
    dut, (data, beats, requests) = FrameReader(SIZES), some_frames(seed, count=25)
    taken: list[list[Any]] = [[], [], []]
    done: list[int] = []

    async def count(ctx: Any) -> None:
        while True:
            _, _, ended, request = await ctx.tick().sample(dut.done, dut.request)
            assert ended or not request
            done.extend([request] * ended)

    simulate(dut, lambda: len(done) == 25, source(dut.i, data, stalls(seed, 0)),
             background=[count, *(sink(output, stalls(seed, 1, number), taken[number])
                                  for number, output in enumerate(dut.outputs))])
    assert [plain(channel) for channel in taken] == beats
    assert len(done) == 25
    assert sum(done) == requests


def test_a_long_frame() -> None:
    dut, payload = FrameReader((1, 2)), list(range(256)) * 3
    taken: list[Any] = []
    data = [1 | LAST, len(payload) & 255, len(payload) >> 8, *payload]
    simulate(dut, lambda: len(taken) == len(payload) // 2, source(dut.i, data, stalls(0)),
             background=[sink(dut.outputs[1], stalls(1), taken)])
    assert plain(taken) == [(low | high << 8, int(place == len(payload) // 2 - 1))
                            for place, (low, high) in enumerate(zip(payload[::2], payload[1::2], strict=True))]


def packets(data: list[int], columns: int) -> list[bytes]:
    """The packets in a string of bytes."""
    remaining = iter(data)
    return [bytes([first, *(next(remaining) for _ in range({0: 0, 1: columns, 2: 4}[first]))]) for first in remaining]


@pytest.mark.parametrize("columns", [2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_beats_and_acknowledgements_become_packets(seed: int, columns: int) -> None:
    dut, rng = PacketWriter(columns), np.random.default_rng(seed)
    out: list[int] = []
    beats = [rng.integers(0, 256, columns, np.uint8).tobytes() for _ in range(30)]

    async def acknowledge(ctx: Any) -> None:
        pauses = stalls(seed, 2)
        for _ in range(40):
            while not next(pauses):
                await ctx.tick()
            ctx.set(dut.acknowledge, 1)
            await ctx.tick()
            ctx.set(dut.acknowledge, 0)

    payloads = [int.from_bytes(beat, "little") for beat in beats]
    expected = 40 + 30 * (1 + columns)
    simulate(dut, lambda: len(out) >= expected, source(dut.i, payloads, stalls(seed, 0)), acknowledge,
             background=[sink(dut.o, stalls(seed, 1), out)])
    found = packets(out, columns)
    assert [packet[1:] for packet in found if packet[0] == 1] == beats
    assert found.count(b"\0") == 40
    assert len(found) == 70


def said(words: list[int], *, asks: Sequence[int] = (), beats: int = 0) -> list[bytes]:
    """The packets of a writer of two columns to which the status is one of ``words`` in each cycle.

    ``beats`` beats are on offer from the first cycle on; the status is asked for in the cycles ``asks``.
    """
    dut = PacketWriter(2)
    out: list[int] = []

    async def change(ctx: Any) -> None:
        for cycle, word in enumerate(words):
            ctx.set(dut.status, word)
            ctx.set(dut.request, cycle in asks)
            await ctx.tick()
        ctx.set(dut.request, 0)

    def always() -> Iterator[bool]:
        return iter(lambda: True, None)

    cycles = iter(range(60 + len(words)))
    simulate(dut, lambda: next(cycles, None) is None, change, source(dut.i, [0x0807] * beats, always()),
             background=[sink(dut.o, always(), out)])
    return packets(out, 2)


def word(state: int, error: int = 0, rest: int = 0) -> bytes:
    """The status packet of a status word."""
    return b"\2" + (state | error << 2 | rest << 8).to_bytes(4, "little")


def test_the_status_is_said_when_it_changes() -> None:
    running, idle, failed = 1, 5 << 8, 2 | 12 << 2 | 0x123456 << 8
    assert said([0] * 30) == []
    assert said([0] * 5 + [running] * 20 + [idle] * 20) == [word(1), word(0, rest=5)]
    assert said([running] * 20 + [failed] * 20) == [word(1), word(2, 12, 0x123456)]
    assert said([running] * 20 + [running | 1 << 8] * 20) == [word(1)], "runs that are counted are no news"


@pytest.mark.parametrize("cycles", range(1, 12))
def test_the_end_of_a_short_run_is_said(cycles: int) -> None:
    """However soon the state changes again, the last packet says the last state."""
    heard = said([0] * 3 + [1] * cycles + [1 << 8] * 20)
    assert heard[-1] == word(0, rest=1)
    assert len(heard) <= 2


def test_the_status_is_said_when_asked() -> None:
    assert said([7 << 8] * 30, asks=(3, 20)) == [word(0, rest=7)] * 2


def test_beats_come_before_the_status() -> None:
    assert said([1] * 2 + [0] * 20, beats=4) == [b"\1\7\10"] * 4 + [word(0)]


def test_the_link_buffers_a_whole_window() -> None:
    """The host may send a window of bytes while the machine takes nothing."""
    dut = HostLink(SIZES, 2)
    out: list[int] = []
    taken: list[Any] = []
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
    assert b"".join(payload.data.to_bytes(4, "little") for payload in taken) == payload

"""lutra_hw.board.link: frames taken apart, packets put together, with stalls at every end."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from amaranth import ResetInserter, Signal
from amaranth.sim import Simulator

from lutra_hw.board.frames import FrameBuffer, FrameReader
from lutra_hw.board.link import HostLink
from lutra_hw.board.packets import PacketWriter
from lutra_model.link import LAST, VERSION, WINDOW_BYTES, Line, hello

SIZES = (4, 9, 3)
DIGEST = bytes(range(50, 57))
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


def spoilt(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with a wrong bit, or with a byte lost, sent twice or put in."""
    place, kind = int(rng.integers(len(data))), rng.integers(4)
    bad = [bytes([data[place] ^ 1 << rng.integers(8)]), b"", data[place:place + 1] * 2,
           bytes([rng.integers(256), data[place]])][kind]
    return data[:place] + bad + data[place + 1:]


def buffered(data: bytes, seed: int, cycles: int = 600) -> tuple[bytes, bool]:
    """What a frame buffer makes of the bytes, and whether it refused one."""
    dut, out, refused = FrameBuffer(), list[int](), list[int]()

    async def watch(ctx: Any) -> None:
        while True:
            refused.append((await ctx.tick().sample(dut.refused))[2])

    left = iter(range(cycles))
    simulate(dut, lambda: next(left, None) is None, source(dut.i, list(data), stalls(seed, 0)),
             background=[watch, sink(dut.o, stalls(seed, 1), out)])
    assert refused == sorted(refused)
    return bytes(out), bool(refused[-1])


def frames_of(data: list[int]) -> list[bytes]:
    """The frames that make up the bytes."""
    result = []
    while data:
        size = 3 + data[1] + 256 * data[2]
        result.append(bytes(data[:size]))
        data = data[size:]
    return result


def sealed(frames: list[bytes]) -> bytes:
    """Frames with their checks."""
    line = Line()
    return b"".join(map(line.sealed, frames))


@pytest.mark.parametrize("seed", range(3))
def test_right_frames_are_let_through(seed: int) -> None:
    frames = frames_of(some_frames(seed)[0])
    assert buffered(sealed(frames), seed) == (b"".join(frames), False)


@pytest.mark.parametrize("seed", range(12))
def test_no_byte_of_a_wrong_frame_is_let_through(seed: int) -> None:
    """A fault anywhere: what is let through is whole frames, as many as came before it."""
    frames, rng = frames_of(some_frames(seed, count=6)[0]), np.random.default_rng((seed, 5))
    whole = [b"".join(frames[:count]) for count in range(len(frames) + 1)]
    good = sealed(frames)
    bad = spoilt(good, rng)
    out, refused = buffered(bad, seed)
    same = next((place for place, (one, other) in enumerate(zip(good, bad, strict=False)) if one != other), len(good))
    before = sum(len(sealed(frames[:count])) <= same for count in range(1, len(frames) + 1))
    assert out == whole[before]
    assert refused or before == len(frames) or len(bad) < len(good) or bad[same:same + 3] != good[same:same + 3]


@pytest.mark.parametrize("change", ["lost", "twice", "swapped"])
def test_frames_out_of_order_are_refused(change: str) -> None:
    """Each has a right check, but not here."""
    frames = [bytes([0, 4, 0, number, 1, 2, 3]) for number in range(6)]
    line = Line()
    sent = [line.sealed(frame) for frame in frames]
    order = {"lost": [0, 1, 3, 4, 5], "twice": [0, 1, 1, 2, 3, 4, 5], "swapped": [0, 1, 3, 2, 4, 5]}[change]
    assert buffered(b"".join(sent[number] for number in order), 0) == (b"".join(frames[:2]), True)


def test_a_frame_without_room_is_refused() -> None:
    """A window of bytes is held back, one more is not."""
    dut, refused = FrameBuffer(), []

    async def fill(ctx: Any) -> None:
        for byte in [0, 255, 255, *[7] * (WINDOW_BYTES - 3), 8, 9]:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            refused.append(ctx.get(dut.refused))

    simulate(dut, lambda: len(refused) == WINDOW_BYTES + 2, fill)
    assert refused == [0] * WINDOW_BYTES + [1, 1]


def packets(data: list[int], columns: int) -> list[bytes]:
    """The packets in a string of bytes, whose checks are right."""
    return [bytes([first]) + content for first, content in Line().packets(bytes(data), columns)]


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
    expected = 40 * 5 + 30 * (5 + columns)
    simulate(dut, lambda: len(out) >= expected, source(dut.i, payloads, stalls(seed, 0)), acknowledge,
             background=[sink(dut.o, stalls(seed, 1), out)])
    found = packets(out, columns)
    assert [packet[1:] for packet in found if packet[0] == 1] == beats
    assert found.count(b"\0") == 40
    assert len(found) == 70


IDENTITY = bytes(range(100, 116))


def said(words: list[int], *, asks: Sequence[int] = (), greets: Sequence[int] = (), beats: int = 0,
         refused: int = 10**6) -> list[bytes]:
    """The packets of a writer of two columns to which the status is one of ``words`` in each cycle.

    ``beats`` beats are on offer from the first cycle on; the status is asked for in the cycles ``asks``, the identity
    in ``greets``, and a frame is refused in the cycle ``refused``.
    """
    dut = PacketWriter(2)
    out: list[int] = []

    async def change(ctx: Any) -> None:
        for cycle, word in enumerate(words):
            ctx.set(dut.status, word)
            ctx.set(dut.request, cycle in asks)
            ctx.set(dut.hello, cycle in greets)
            ctx.set(dut.identity, int.from_bytes(IDENTITY, "little"))
            ctx.set(dut.refused, cycle >= refused)
            await ctx.tick()
        ctx.set(dut.request, 0)

    def always() -> Iterator[bool]:
        return iter(lambda: True, None)

    cycles = iter(range(160 + len(words)))
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


def test_the_identity_comes_last() -> None:
    assert said([1] * 2 + [0] * 20, beats=2, asks=[3], greets=[0]) == [
        b"\1\7\10"] * 2 + [word(0), b"\3" + IDENTITY]


@pytest.mark.parametrize("cycle", [0, 3, 20])
def test_a_refusal_is_said_once_and_soon(cycle: int) -> None:
    heard = said([0] * 60, beats=6, refused=cycle)
    assert heard.count(b"\4") == 1
    assert heard.index(b"\4") <= cycle // 14 + 1
    assert len(heard) == 7


def test_the_link_buffers_a_whole_window() -> None:
    """The host may send a window of bytes while the machine takes nothing."""
    dut = HostLink(SIZES, 2, DIGEST)
    out: list[int] = []
    taken: list[Any] = []
    payload = np.random.default_rng(0).integers(0, 256, WINDOW_BYTES - 8, np.uint8).tobytes()
    data = Line().sealed(bytes([0]) + len(payload).to_bytes(2, "little") + payload)
    cycles: list[int] = []

    async def fill(ctx: Any) -> None:
        for byte in data:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            cycles.append(ctx.get(dut.buffer.refused))
        ctx.set(dut.i.valid, 0)

    always = iter(lambda: True, None)
    simulate(dut, lambda: len(cycles) == len(data), fill, background=[sink(dut.o0, iter(lambda: False, None), taken)])
    assert not any(cycles)
    assert taken == []
    dut, cycles = HostLink(SIZES, 2, DIGEST), []
    simulate(dut, lambda: len(out) == 5, fill,
             background=[sink(dut.o0, always, taken), sink(dut.o, always, out)])
    assert packets(out, 2) == [b"\0"]
    assert b"".join(payload.data.to_bytes(4, "little") for payload in taken) == payload


def test_a_hello_is_answered_and_the_mark_outlives_a_reset() -> None:
    link = HostLink(SIZES, 2, DIGEST)
    again = Signal()
    dut, out = ResetInserter(again)(link), list[int]()
    answers = list[list[bytes]]()

    async def talk(ctx: Any) -> None:
        for greetings in [[hello(b"abcd")], [hello(b"efgh", keep=True)], [hello(b"ijkl")], [hello(b"mnop")]]:
            for byte in sealed(greetings):
                ctx.set(link.i.payload, byte)
                ctx.set(link.i.valid, 1)
                await ctx.tick()
            ctx.set(link.i.valid, 0)
            await ctx.tick().repeat(80)
            answers.append([packet for packet in packets(out, 2) if packet[0] == 3])
            out.clear()
            ctx.set(again, 1)
            await ctx.tick()
            ctx.set(again, 0)

    simulate(dut, lambda: len(answers) == 4, talk, background=[sink(link.o, iter(lambda: True, None), out)])
    head = bytes([3, VERSION]) + DIGEST
    assert answers == [[head + b"\0\0\0\0abcd"], [head + b"efghefgh"], [head + b"efghijkl"], [head + b"efghmnop"]]

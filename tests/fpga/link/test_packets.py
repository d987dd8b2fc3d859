"""lutra_hw.board.packets: beats, acknowledgements and the status, put together."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from lutra_hw.board.packets import PacketWriter
from tests.fpga.link.bench import packets, simulate, sink, source, stalls


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

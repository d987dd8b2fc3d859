"""lutra_hw.board.uart: a line from a transmitter to a receiver, and the receiver alone."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.sim import Simulator

from lutra_hw.board.uart import BREAK_BITS, Receiver, Transmitter


def line(data: list[int], divisor: float, gap: int = 0) -> list[int]:
    """The level of a line in each cycle while it carries ``data``, one bit time in ``divisor`` cycles."""
    bits = [bit for byte in data for bit in [0, *(byte >> place & 1 for place in range(8)), 1, *[1] * gap]]
    edges = [round(number * divisor) for number in range(len(bits) + 1)]
    return [bit for bit, start, end in zip(bits, edges, edges[1:], strict=False) for _ in range(end - start)]


def received(levels: list[int], divisor: int) -> list[int]:
    """What the receiver makes of a line with these levels."""
    dut, result = Receiver(divisor), []

    async def testbench(ctx: Any) -> None:
        ctx.set(dut.o.ready, 1)
        for level in [*levels, *[1] * (12 * divisor)]:
            ctx.set(dut.rx, level)
            *_, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                result.append(payload)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return result


def some_bytes(seed: int, count: int) -> list[int]:
    return np.random.default_rng(seed).integers(0, 256, count).tolist()


@pytest.mark.parametrize("divisor", [4, 5, 16, 25])
def test_transmitter_sends_what_the_receiver_takes(divisor: int) -> None:
    top = Module()
    top.submodules.sender, top.submodules.receiver = sender, receiver = Transmitter(divisor), Receiver(divisor)
    top.d.comb += receiver.rx.eq(sender.tx)
    sent, result = [0x00, 0xFF, 0x55, *some_bytes(divisor, 8)], []

    async def send(ctx: Any) -> None:
        for byte in sent:
            ctx.set(sender.i.payload, byte)
            ctx.set(sender.i.valid, 1)
            await ctx.tick().until(sender.i.ready)
        ctx.set(sender.i.valid, 0)

    async def take(ctx: Any) -> None:
        ctx.set(receiver.o.ready, 1)
        for _ in range(10 * divisor * (len(sent) + 1)):
            _, _, valid, payload = await ctx.tick().sample(receiver.o.valid, receiver.o.payload)
            if valid:
                result.append(payload)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send)
    simulator.add_testbench(take)
    simulator.run()
    assert result == sent


@pytest.mark.parametrize("divisor", [7, 12])
def test_transmitter_holds_each_bit_for_the_divisor(divisor: int) -> None:
    dut, levels = Transmitter(divisor), []

    async def testbench(ctx: Any) -> None:
        ctx.set(dut.i.valid, 1)
        for byte in [0xA5, 0x3C]:
            ctx.set(dut.i.payload, byte)
            ready = False
            while not ready:
                _, _, ready, tx = await ctx.tick().sample(dut.i.ready, dut.tx)
                levels.append(tx)
        ctx.set(dut.i.valid, 0)
        for _ in range(10 * divisor):
            levels.append((await ctx.tick().sample(dut.tx))[2])

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert levels == [1, *line([0xA5, 0x3C], divisor)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("divisor", "error"), [(16, 0.98), (16, 1.02), (25, 0.98), (25, 1.02), (50, 1.03)])
def test_a_sender_with_another_clock_is_understood(divisor: int, error: float, seed: int) -> None:
    sent = [0x00, 0xFF, *some_bytes(seed, 10)]
    assert received(line(sent, divisor * error), divisor) == sent


def test_a_sender_too_far_off_is_not_understood() -> None:
    sent = some_bytes(0, 10)
    assert received(line(sent, 25 * 1.1), 25) != sent


def test_glitches_are_no_start_bits() -> None:
    assert received([*[1] * 9, *[0] * 5, *[1] * 40, *line([0x42], 16)], 16) == [0x42]


@pytest.mark.parametrize("low", [10, 13, 30])
def test_a_byte_without_stop_bit_is_dropped(low: int) -> None:
    assert received([*line([0x42], 8), *[0] * (8 * low + 3), *[1] * 100, *line([0x17], 8)], 8) == [0x42, 0x17]


def test_a_break_is_seen_while_it_lasts() -> None:
    dut, seen = Receiver(4), []

    async def testbench(ctx: Any) -> None:
        for level in [*line([0x00, 0x00], 4), *[0] * (4 * BREAK_BITS + 8), *[1] * 8]:
            ctx.set(dut.rx, level)
            seen.append((await ctx.tick().sample(dut.line_break))[2])

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert not any(seen[:80 + 4 * BREAK_BITS])
    assert sum(seen[80 + 4 * BREAK_BITS:-8]) >= 5
    assert not seen[-1]


@pytest.mark.parametrize("part", [Receiver, Transmitter])
def test_too_small_a_divisor_is_refused(part: type) -> None:
    with pytest.raises(ValueError, match=r"^divisor must be at least 4, not 3$"):
        part(3)

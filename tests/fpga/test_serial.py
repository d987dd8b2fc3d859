"""The machine behind link and serial line, in Amaranth's simulator, against the golden model.

The host's bytes go down one line in the order of lutra_model.link; a deadlock or an overrun ends in a timeout.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutra_hw.board.top import LinkedMachine, SerialMachine, serial_divisor
from lutra_model.host import unpack
from lutra_model.link import WINDOW_BYTES, Exchange, frames, interleave
from lutra_model.params import Array, Layer
from lutra_sim.case import Case
from lutra_sim.cases import random_layer

TINY = Array(rows=2, columns=3, encoders=2, length=2, entries=4, codebooks=7, block_rows=3, index_words=8)
NARROW = Array(rows=3, columns=1, encoders=1, length=1, entries=2, codebooks=9, block_rows=2, index_words=4)
MAC = Array.mac(rows=3, columns=2, encoders=2, codebooks=8, block_rows=4, index_words=6)
SILENT = 400  # cycles, or bytes on a serial line, without a byte in either direction


def on_streams(array: Array, cases: list[Case]) -> list[np.ndarray]:
    """Layers one after the other on the machine and its link, a byte in every cycle."""
    dut, results = LinkedMachine(array), []

    async def testbench(ctx: Any) -> None:
        ctx.set(dut.o.ready, 1)
        for case in cases:
            exchange, queue, silent = Exchange(case.schedule, case.traffic), b"", 0
            while not exchange.complete:
                queue += exchange.send()
                ctx.set(dut.i.valid, bool(queue))
                ctx.set(dut.i.payload, queue[0] if queue else 0)
                _, _, taken, valid, payload = await ctx.tick().sample(dut.i.ready, dut.o.valid, dut.o.payload)
                taken = taken and queue
                queue = queue[1:] if taken else queue
                if valid:
                    exchange.feed(bytes([payload]))
                silent = 0 if taken or valid else silent + 1
                assert silent < SILENT, f"deadlock: {exchange}"
            ctx.set(dut.i.valid, 0)
            results.append(unpack(case.schedule, exchange.beats))

    simulate(dut, testbench)
    return results


def on_pins(array: Array, cases: list[Case], divisor: int) -> list[np.ndarray]:
    """Layers one after the other behind a serial line; before the second, half a frame is cut off by a break."""
    dut, results = SerialMachine(array, divisor), []
    incoming: list[int] = []

    async def listen(ctx: Any) -> None:
        while True:
            await ctx.negedge(dut.tx)
            await ctx.tick().repeat(divisor // 2)
            byte = 0
            for place in range(8):
                await ctx.tick().repeat(divisor)
                byte |= ctx.get(dut.tx) << place
            await ctx.tick().repeat(divisor)
            assert ctx.get(dut.tx)
            incoming.append(byte)

    async def send(ctx: Any, byte: int) -> None:
        for bit in [0, *(byte >> place & 1 for place in range(8)), 1]:
            ctx.set(dut.rx, bit)
            await ctx.tick().repeat(divisor)

    async def testbench(ctx: Any) -> None:
        for number, case in enumerate(cases):
            if number == 1:
                for byte in interleave(case.schedule, case.traffic)[:50]:
                    await send(ctx, byte)
                ctx.set(dut.rx, 0)
                await ctx.tick().repeat(30 * divisor)
                ctx.set(dut.rx, 1)
                await ctx.tick().repeat(30 * divisor)
                incoming.clear()
            exchange, silent = Exchange(case.schedule, case.traffic), 0
            while not exchange.complete:
                for byte in exchange.send():
                    await send(ctx, byte)
                await ctx.tick().repeat(10 * divisor)
                silent = 0 if incoming else silent + 1
                assert silent < SILENT, f"deadlock: {exchange}"
                exchange.feed(bytes(incoming))
                incoming.clear()
            results.append(unpack(case.schedule, exchange.beats))

    simulate(dut, testbench, listen)
    return results


def simulate(dut: Any, testbench: Callable[..., Any], *background: Callable[..., Any]) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    for process in background:
        simulator.add_testbench(process, background=True)
    simulator.run()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("array", [TINY, NARROW, MAC], ids=["tiny", "narrow", "mac"])
def test_ragged_layers_never_deadlock(array: Array, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases = [Case(array=array, layer=random_layer(array, rng), seed=10 * seed + number) for number in range(3)]
    for case, result in zip(cases, on_streams(array, cases), strict=True):
        assert result.tolist() == case.expected.tolist(), case


def test_serial_line_equals_golden() -> None:
    layers = [Layer(rows=4, codebooks=3, columns=4, length=2, entries=4, reduction=5),
              Layer(rows=2, codebooks=2, columns=2, length=1, entries=3)]
    cases = [Case(array=TINY, layer=layer, seed=seed) for seed, layer in enumerate(layers)]
    for case, result in zip(cases, on_pins(TINY, cases, divisor=4), strict=True):
        assert result.tolist() == case.expected.tolist(), case


@pytest.mark.parametrize("tables_first", [False, True])
def test_the_order_matters(tables_first: bool) -> None:
    """Sent without pause, the layer's frames pass for ever; with all tables first, the line stands still."""
    case = Case(array=TINY, layer=Layer(rows=3, codebooks=5, columns=7, length=2, entries=4))
    order = frames(case.schedule, case.traffic)
    if tables_first:
        order.sort(key=lambda frame: [0, 2, 1][frame[0]])
    data, dut = b"".join(order) * 6, LinkedMachine(TINY)
    assert len(data) > WINDOW_BYTES + 2 * len(b"".join(order))
    taken = []

    async def testbench(ctx: Any) -> None:
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.i.valid, 1)
        for byte in data:
            ctx.set(dut.i.payload, byte)
            for _ in range(SILENT):
                if (await ctx.tick().sample(dut.i.ready))[2]:
                    taken.append(byte)
                    break
            else:
                return

    simulate(dut, testbench)
    assert (len(taken) == len(data)) == (not tables_first)


@pytest.mark.parametrize(("clock_mhz", "divisor"), [(25, 25), (50, 50), (4, 4), (33.25, 33)])
def test_divisor(clock_mhz: float, divisor: int) -> None:
    assert serial_divisor(clock_mhz, 1_000_000) == divisor


@pytest.mark.parametrize("clock_mhz", [3, 10.4])
def test_a_clock_that_the_line_cannot_use_is_refused(clock_mhz: float) -> None:
    with pytest.raises(ValueError, match="^clock must be at least 4 times the 1000000 baud of the serial line and "
                                         f"within 1% of a multiple, not {clock_mhz} MHz$"):
        serial_divisor(clock_mhz, 1_000_000)

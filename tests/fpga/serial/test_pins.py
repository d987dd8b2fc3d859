"""The machine behind link and serial line, on its pins, against the golden model."""

from typing import Any

import pytest

from lutra_hw.board.top import SerialMachine, serial_divisor
from lutra_model.exchange import Exchange
from lutra_model.link import Line
from lutra_model.params import Array
from lutra_sim.fpga.host import loading_job, running_job
from tests.fpga.serial.machines import ALL, NONCE, SILENT, TINY, a_case, check, simulate


def on_a_serial_line(array: Array, most: int = 700) -> None:
    """A network on pins; half a frame is cut off by a break, after which all is as at first."""
    case, divisor = a_case(array, 0, streamed=True, most=most), 4
    dut, line = SerialMachine(array, divisor), Line()
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

    async def on_pins(ctx: Any, job: list[bytes]) -> Exchange:
        exchange, silent = Exchange(job, array, line), 0
        while not exchange.complete:
            for byte in exchange.send():
                await send(ctx, byte)
            await ctx.tick().repeat(10 * divisor)
            silent = 0 if incoming else silent + 1
            assert silent < SILENT // 10, f"deadlock: {exchange}"
            exchange.feed(bytes(incoming))
            incoming.clear()
        return exchange

    async def testbench(ctx: Any) -> None:
        for byte in b"".join(map(Line().sealed, loading_job(case.program, NONCE)))[:50]:
            await send(ctx, byte)
        ctx.set(dut.rx, 0)
        await ctx.tick().repeat(30 * divisor)
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(30 * divisor)
        incoming.clear()
        await on_pins(ctx, loading_job(case.program, NONCE))
        check(case, await on_pins(ctx, running_job(case.program, case.inputs, NONCE)))

    simulate(dut, testbench, listen)


def test_serial_line_equals_golden() -> None:
    on_a_serial_line(TINY)


@pytest.mark.slow
@pytest.mark.parametrize("array", ALL.values(), ids=ALL)
def test_every_engine_on_a_serial_line(array: Array) -> None:
    on_a_serial_line(array, most=1500)


@pytest.mark.parametrize(("clock_mhz", "divisor"), [(25, 25), (50, 50), (4, 4), (33.25, 33)])
def test_divisor(clock_mhz: float, divisor: int) -> None:
    assert serial_divisor(clock_mhz, 1_000_000) == divisor


@pytest.mark.parametrize("clock_mhz", [3, 10.4])
def test_a_clock_that_the_line_cannot_use_is_refused(clock_mhz: float) -> None:
    with pytest.raises(ValueError, match="^clock must be at least 4 times the 1000000 baud of the serial line and "
                                         f"within 1% of a multiple, not {clock_mhz} MHz$"):
        serial_divisor(clock_mhz, 1_000_000)

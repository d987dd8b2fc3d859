"""The machine behind link and serial line, in Amaranth's simulator, against the golden model.

The host's bytes go down one line in the order of lutra_sim.fpga.host; a deadlock or an overrun ends in a timeout.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutra_hw.board.top import LinkedMachine, SerialMachine, serial_divisor
from lutra_model.exchange import Exchange
from lutra_model.link import LAST, Line, frames, hello
from lutra_model.operation import Error, State
from lutra_model.params import Array, Metric
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.fpga.host import loading_job, running_job

MEMORIES = {"codebooks": 64, "block_rows": 4, "index_words": 8, "activation_words": 512, "table_words": 64,
            "codebook_words": 64, "program_words": 512}
TINY = Array(rows=2, columns=3, encoders=2, length=2, entries=4, **MEMORIES)
WORDS = Array(rows=4, columns=4, encoders=2, length=1, entries=2, fill=2, **MEMORIES)
MAC = Array.mac(rows=4, columns=2, **MEMORIES)
ENGINES = {
    "tree": replace(TINY, metric=Metric.TREE),
    "lut-tc": Array(engine="lut-tc", rows=2, columns=2, encoders=1, length=4, entries=2, lanes=4, **MEMORIES),
    "dln-row": Array(engine="dln-row", rows=4, columns=2, encoders=2, length=1, entries=4, weight_levels=8, **MEMORIES),
    "dln-column": Array(engine="dln-column", rows=4, columns=2, encoders=2, length=1, entries=4, weight_levels=8,
                        **MEMORIES),
    "vec-lut": Array(engine="vec-lut", rows=2, columns=3, encoders=1, length=3, entries=1, **MEMORIES),
    "sign-flip": Array(engine="sign-flip", rows=4, columns=2, encoders=2, length=1, entries=1, **MEMORIES),
    "int4": Array.mac(rows=4, columns=2, weight_bits=4, **MEMORIES),
}
ALL = ENGINES | {"functions": Array.mac(rows=2, columns=2, functions=3, **MEMORIES)}
NONCE = b"once"
SILENT = 3000  # cycles, or bytes on a serial line, without a byte in either direction


def a_case(array: Array, seed: int, *, streamed: bool, most: int = 1500) -> Case:
    """The first random case from ``seed`` on with streamed or resident tables whose jobs are ``most`` bytes at most."""
    for number in range(seed, seed + 1000):
        case = random_case(array, number)
        tables = len(case.program.streamed)
        job = loading_job(case.program, NONCE) + running_job(case.program, case.inputs, NONCE)
        if (tables if streamed else not tables and len(case.program.tables)) and sum(map(len, job)) <= most:
            return case
    raise AssertionError("no such case")


async def on_streams(ctx: Any, dut: LinkedMachine, line: Line, job: list[bytes]) -> Exchange:
    """One job on the machine and its link, a byte in every cycle."""
    exchange, queue, silent = Exchange(job, dut.array, line), b"", 0
    ctx.set(dut.o.ready, 1)
    while not exchange.complete:
        queue += exchange.send()
        ctx.set(dut.i.valid, bool(queue))
        ctx.set(dut.i.payload, queue[0] if queue else 0)
        _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
        silent = 0 if queue or valid else silent + 1
        queue = queue[1:]
        if valid:
            exchange.feed(bytes([payload]))
        assert silent < SILENT, f"deadlock: {exchange}"
    ctx.set(dut.i.valid, 0)
    return exchange


def check(case: Case, exchange: Exchange) -> None:
    """Every bit is right, and the machine has counted the runs."""
    assert exchange.status == len(case.inputs) << 8, f"{case}: status {exchange.status:#x}"
    assert case.program.outputs(exchange.beats).tolist() == case.expected.tolist(), case


def simulate(dut: Any, testbench: Callable[..., Any], *background: Callable[..., Any]) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    for process in background:
        simulator.add_testbench(process, background=True)
    simulator.run()


def never_deadlock(array: Array, seed: int) -> None:
    """A network with streamed tables, then one with resident tables, on one machine."""
    dut, line = LinkedMachine(array), Line()
    cases = [a_case(array, 100 * seed, streamed=streamed) for streamed in (True, False)]

    async def testbench(ctx: Any) -> None:
        for case in cases:
            loaded = await on_streams(ctx, dut, line, loading_job(case.program, NONCE))
            assert loaded.status is not None
            assert loaded.status & 3 == State.IDLE
            check(case, await on_streams(ctx, dut, line, running_job(case.program, case.inputs, NONCE)))

    simulate(dut, testbench)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("array", [TINY, WORDS, MAC], ids=["tiny", "words", "mac"])
def test_networks_never_deadlock(array: Array, seed: int) -> None:
    never_deadlock(array, seed)


@pytest.mark.parametrize("array", ENGINES.values(), ids=ENGINES)
def test_every_engine_behind_the_link(array: Array) -> None:
    never_deadlock(array, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("array", ALL.values(), ids=ALL)
def test_every_engine_behind_the_link_again(array: Array, seed: int) -> None:
    never_deadlock(array, seed)


def error_of(exchange: Exchange) -> Error:
    """What the status says."""
    assert exchange.failed
    assert exchange.status is not None
    return Error(exchange.status >> 2 & 63)


def test_a_host_learns_of_errors_and_goes_on() -> None:
    """Wrong ends, missing beats, a program that is none: each job says so, and the next one is right."""
    case, dut, line = a_case(TINY, 0, streamed=True), LinkedMachine(TINY), Line()
    good = running_job(case.program, case.inputs, NONCE, timeout=500)
    place = next(number for number, frame in enumerate(good) if frame[0] == 1 | LAST)
    table = next(number for number, frame in enumerate(good) if frame[0] == 2 | LAST)
    beyond = frames("command", np.array([0x4C000001, 10**6, 1, 0], "<u4").view(np.uint8).reshape(-1, 4))
    wrong = {
        Error.LONG: [*good[:place], bytes([1]) + good[place][1:], *good[place + 1:]],
        Error.WATCHDOG: good[:table],
        Error.COMMAND: [hello(NONCE), *frames("command", np.full((1, 4), 7, np.uint8)), *frames("status")],
        Error.PROGRAM: [hello(NONCE), *beyond, *frames("status")]}

    async def testbench(ctx: Any) -> None:
        await on_streams(ctx, dut, line, loading_job(case.program, NONCE))
        for error, job in wrong.items():
            assert error_of(await on_streams(ctx, dut, line, job)) is error
            check(case, await on_streams(ctx, dut, line, good))

    simulate(dut, testbench)


def test_the_order_matters() -> None:
    """With all tables first, the line stands still until the watchdog ends the run."""
    case, dut, line = a_case(TINY, 0, streamed=True), LinkedMachine(TINY), Line()
    good = running_job(case.program, case.inputs, NONCE, timeout=500)
    tables_first = sorted(good, key=lambda frame: [1, 3, 2, 0][frame[0] & ~LAST])
    assert tables_first != good

    async def testbench(ctx: Any) -> None:
        await on_streams(ctx, dut, line, loading_job(case.program, NONCE))
        assert error_of(await on_streams(ctx, dut, line, tables_first)) is Error.WATCHDOG
        check(case, await on_streams(ctx, dut, line, good))

    simulate(dut, testbench)


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

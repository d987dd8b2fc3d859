"""The machine behind the link, in Amaranth's simulator, against the golden model.

The host's bytes go down one line in the order of lutra_sim.fpga.host; a deadlock or an overrun ends in a timeout.
"""

from typing import Any

import numpy as np
import pytest

from lutra_hw.board.top import LinkedMachine
from lutra_model.exchange import Exchange
from lutra_model.link import LAST, Line, frames, hello
from lutra_model.operation import Error, State
from lutra_model.params import Array
from lutra_sim.fpga.host import loading_job, running_job
from tests.fpga.serial.machines import ALL, ENGINES, MAC, NONCE, SILENT, TINY, WORDS, a_case, check, simulate


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

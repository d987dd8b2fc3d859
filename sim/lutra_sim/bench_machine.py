"""The machine on cocotb's bench: AXI4-Stream drivers of cocotbext-axi on all four streams.

Runs inside the simulator; the cases come through the environment.
"""

import logging
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from numpy.typing import NDArray

from lutra_model.operation import Error, State
from lutra_sim import commands
from lutra_sim.case import Case, cases_from_environment
from lutra_sim.faults import faults
from lutra_sim.stalls import bursts
from lutra_sim.traffic import Traffic, loading, running

PERIOD_NS = 10
PATIENCE = 50_000  # cycles that a run may take

__all__ = ["Bench", "Monitor", "started"]

logging.getLogger("cocotb.lutra").setLevel(logging.WARNING)


@dataclass
class Monitor:
    """Watches the machine cycle by cycle: the rules of ``m_axis``, and when a run begins and ends."""

    dut: Any
    cycle: int = 0
    begin: int = 0
    cycles: int = 0
    beats: int = 0

    async def run(self) -> None:
        """Follow the machine for ever."""
        dut, held, state = self.dut, None, State.IDLE
        while True:
            await RisingEdge(dut.clk)
            self.cycle += 1
            if int(dut.rst.value):
                held, state = None, State.IDLE
                continue
            before, state = state, State(int(dut.status.value) & 3)
            if before is State.RUNNING is not state:
                self.cycles = self.cycle - self.begin
            if int(dut.s_axis_cmd_tvalid.value) and int(dut.s_axis_cmd_tready.value):
                self.begin = self.cycle
            valid, ready = int(dut.m_axis_tvalid.value), int(dut.m_axis_tready.value)
            offer = tuple(int(port.value) for port in (dut.m_axis_tdata, dut.m_axis_tkeep, dut.m_axis_tlast))
            assert held is None or (valid and offer == held), "m_axis must keep a beat until it is taken"
            held = offer if valid and not ready else None
            self.beats += valid and ready


def _frames(beats: NDArray[np.uint8], last: NDArray[np.bool_]) -> list[bytes]:
    """Beats cut behind each ``tlast``. A source marks the end of all it sends: one more beat follows where none is."""
    if len(last) and not last[-1]:
        beats, last = np.concatenate([beats, beats[-1:]]), np.append(last, True)
    ends = [0, *(np.flatnonzero(last) + 1).tolist()]
    return [beats[a:b].tobytes() for a, b in pairwise(ends)]


class Bench:
    """Clock, reset, three sources and a sink, and a monitor unless only speed counts."""

    def __init__(self, dut: Any, *, watch: bool = True) -> None:
        self.dut = dut
        dut.rst.value = 1
        Clock(dut.clk, PERIOD_NS, unit="ns").start()

        def end(kind: type, prefix: str) -> Any:
            return kind(AxiStreamBus.from_prefix(dut, prefix), dut.clk, dut.rst)

        self.sources = [end(AxiStreamSource, f"s_axis_{name}") for name in ("cmd", "act", "table")]
        self.sink = end(AxiStreamSink, "m_axis")
        self.monitor = Monitor(dut)
        if watch:
            cocotb.start_soon(self.monitor.run())

    @property
    def state(self) -> State:
        """The machine's state now."""
        return State(int(self.dut.status.value) & 3)

    async def reset(self) -> None:
        """Reset the machine and drop everything in flight."""
        self.dut.rst.value = 1
        for end in (*self.sources, self.sink):
            end.clear()
        await ClockCycles(self.dut.clk, 3)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    def stall(self, seed: int | None) -> None:
        """Stall every end in bursts of its own, or none."""
        for number, end in enumerate((*self.sources, self.sink)):
            end.set_pause_generator(None if seed is None else bursts(seed, number))
            end.pause = False

    def send(self, *work: Traffic) -> None:
        """Queue jobs on the three input streams, one behind the other."""
        for traffic in work:
            self.sources[0].send_nowait(AxiStreamFrame(np.array(traffic.command, "<u4").tobytes()))
            for source, beats, last in ((self.sources[1], traffic.activations, traffic.activations_last),
                                        (self.sources[2], traffic.tables, traffic.tables_last)):
                for frame in _frames(beats, last):
                    source.send_nowait(AxiStreamFrame(frame))

    async def until(self, *states: State) -> None:
        """Wait until the machine is in one of these states."""
        for _ in range(PATIENCE):
            await RisingEdge(self.dut.clk)
            if self.state in states:
                return
        raise AssertionError(f"the machine is {self.state.name} after {PATIENCE} cycles, "
                             f"with {self.monitor.beats} output beats")

    async def receive(self, case: Case, what: str = "") -> NDArray[np.int8]:
        """The network's outputs; checks ``tkeep`` and where ``tlast`` is."""
        columns, beats = case.array.columns, case.program.output_beats
        used = running(case.program, case.inputs).used.reshape(-1, beats)
        received = []
        for run in used:
            try:
                frame = await with_timeout(self.sink.recv(compact=False), PERIOD_NS * PATIENCE, "ns")
            except cocotb.triggers.SimTimeoutError:
                raise AssertionError(f"{self.monitor.beats} output beats so far{what}, a run has {beats}, the machine "
                                     f"is {self.state.name}") from None
            assert list(frame.tkeep) == (np.arange(columns) < run[:, None]).ravel().astype(int).tolist()
            received.append(np.frombuffer(bytes(frame.tdata), np.uint8).reshape(beats, columns))
        return case.program.outputs(np.concatenate(received))

    async def check(self, case: Case, what: str = "") -> None:
        """What was sent gives the golden model's outputs, and leaves nothing on any stream."""
        got = await self.receive(case, what)
        assert np.array_equal(got, case.expected), f"{case} differs from the golden model{what}"
        await self.until(State.IDLE)
        assert all(source.idle() for source in self.sources)
        assert self.sink.empty()


async def started(dut: Any, *, watch: bool = True) -> Bench:
    """A bench whose machine has been reset."""
    bench = Bench(dut, watch=watch)
    await bench.reset()
    return bench


def work(case: Case) -> tuple[Traffic, Traffic]:
    """Everything that the host sends."""
    return loading(case.program), running(case.program, case.inputs)


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    """Network after network, without a reset between them; without stalls also as many cycles as predicted."""
    bench = await started(dut)
    for case in cases_from_environment():
        bench.stall(case.stalls)
        bench.send(*work(case))
        await bench.check(case)
        await ClockCycles(dut.clk, 2)
        if case.stalls is None:
            predicted = case.latency.cycles
            assert bench.monitor.cycles == predicted, f"{case}: {bench.monitor.cycles}, not {predicted}"


@cocotb.test()
async def networks_queue_behind_each_other(dut: Any) -> None:
    """Streams that run on into the next network disturb neither."""
    bench, cases = await started(dut), cases_from_environment()
    bench.stall(None)
    for case in cases:
        bench.send(*work(case))
    for number, case in enumerate(cases):
        assert np.array_equal(await bench.receive(case), case.expected), f"network {number}, {case}"


@cocotb.test()
async def survives_reset_in_mid_stream(dut: Any) -> None:
    """A run that a reset cuts off leaves nothing behind."""
    bench, cases = await started(dut), cases_from_environment()
    rng = np.random.default_rng(cases[0].seed)
    for case in cases:
        bench.stall(case.stalls)
        bench.send(*work(case))
        await ClockCycles(dut.clk, int(rng.integers(1, case.latency.cycles)))
        await bench.reset()
        bench.send(*work(case))
        await bench.check(case, " after a reset")


@cocotb.test()
async def valid_does_not_wait_for_ready(dut: Any) -> None:
    """With a reader that never is ready the machine offers its first beat and keeps it."""
    bench, case = await started(dut), cases_from_environment()[0]
    bench.sink.pause = True
    bench.send(*work(case))
    for _ in range(PATIENCE):
        await RisingEdge(dut.clk)
        await ReadOnly()
        if int(dut.m_axis_tvalid.value):
            break
    else:
        raise AssertionError("no output beat is offered")
    await ClockCycles(dut.clk, 100)
    bench.sink.pause = False
    await bench.check(case)


@cocotb.test()
async def goes_on_after_every_error(dut: Any) -> None:
    """The error that each fault is, and a good run behind it, without a reset."""
    bench, case = await started(dut), cases_from_environment()[0]
    bench.stall(None)
    for fault in faults(case):
        bench.send(*fault.work)
        await bench.until(State.FAILED)
        status = int(dut.status.value)
        assert Error(status >> 2 & 63) is fault.error, f"{fault.name}: {Error(status >> 2 & 63).name}"
        while not all(source.idle() for source in bench.sources):  # what was sent is dropped
            await ClockCycles(dut.clk, 10)
        await ClockCycles(dut.clk, 50)
        bench.sink.clear()
        bench.sink.assert_reset()  # forgets the beats of a run that ended before its last one
        bench.send(Traffic(commands.write_program(case.program.words)))  # its first word ends the dropping of beats
        await bench.until(State.IDLE)
        bench.send(*work(case))
        await bench.check(case, f" after {fault.name}")

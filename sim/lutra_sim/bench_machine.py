"""The machine on cocotb's bench: AXI4-Stream drivers of cocotbext-axi on all four streams.

Runs inside the simulator; the cases come through the environment.
"""

import logging
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource
from numpy.typing import NDArray

from lutra_model.host import Traffic, unpack
from lutra_sim.case import Case, cases_from_environment
from lutra_sim.stalls import bursts

PERIOD_NS = 10
PATIENCE = 20_000  # cycles without an output beat

__all__ = ["Bench", "Monitor", "started"]

logging.getLogger("cocotb.lutra").setLevel(logging.WARNING)


@dataclass
class Monitor:
    """Watches the streams cycle by cycle: the rules of ``m_axis``, and when a layer begins and ends."""

    dut: Any
    cycle: int = 0
    begin: int = -1
    end: int = -1
    beats: int = 0

    async def run(self) -> None:
        """Follow the machine for ever."""
        dut, held = self.dut, None
        while True:
            await RisingEdge(dut.clk)
            self.cycle += 1
            if int(dut.rst.value):
                held, self.begin = None, -1
                continue
            if self.begin < 0 and int(dut.s_axis_cmd_tvalid.value) and int(dut.s_axis_cmd_tready.value):
                self.begin = self.cycle
            valid, ready = int(dut.m_axis_tvalid.value), int(dut.m_axis_tready.value)
            offer = tuple(int(port.value) for port in (dut.m_axis_tdata, dut.m_axis_tkeep, dut.m_axis_tlast))
            assert held is None or (valid and offer == held), "m_axis must keep a beat until it is taken"
            held = offer if valid and not ready else None
            if valid and ready:
                self.beats += 1
                if offer[2]:
                    self.end = self.cycle

    def cycles(self) -> int:
        """Cycles of the layer that has ended; the next one begins with its first command word."""
        cycles, self.begin = self.end - self.begin + 1, -1
        return cycles


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

    def send(self, traffic: Traffic) -> None:
        """Queue a layer on the three input streams."""
        command = np.array(traffic.command, "<u4")
        for source, beats in zip(self.sources, (command, traffic.activations, traffic.tables), strict=True):
            source.send_nowait(beats.tobytes())

    async def receive(self, case: Case) -> NDArray[np.int8]:
        """The layer's outputs; checks ``tkeep``, and that nothing is left on any stream."""
        try:
            frame = await with_timeout(self.sink.recv(compact=False), PERIOD_NS * (PATIENCE + 60 * case.beats), "ns")
        except cocotb.triggers.SimTimeoutError:
            raise AssertionError(f"{self.monitor.beats} output beats so far, the layer has {case.beats}") from None
        columns, schedule = case.array.columns, case.schedule
        used = [columns] * (schedule.column_tiles - 1) + [schedule.last_columns]
        keep = [int(c < width) for size in schedule.block_sizes for width in used for _ in range(size)
                for c in range(columns)]
        assert list(frame.tkeep) == keep
        assert all(source.idle() for source in self.sources)
        return unpack(schedule, np.frombuffer(bytes(frame.tdata), np.uint8).reshape(-1, columns))


async def started(dut: Any, *, watch: bool = True) -> Bench:
    """A bench whose machine has been reset."""
    bench = Bench(dut, watch=watch)
    await bench.reset()
    return bench


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    """Layer after layer, without a reset between them; without stalls also as many cycles as predicted."""
    bench = await started(dut)
    for case in cases_from_environment():
        bench.stall(case.stalls)
        bench.send(case.traffic)
        got = await bench.receive(case)
        assert np.array_equal(got, case.expected), f"{case} differs from the golden model"
        cycles = bench.monitor.cycles()
        if case.stalls is None:
            predicted = case.predicted.cycles
            assert cycles == predicted, f"{case}: {cycles} cycles, not {predicted}"


@cocotb.test()
async def layers_queue_behind_each_other(dut: Any) -> None:
    """Streams that run on into the next layer disturb neither layer."""
    bench, cases = await started(dut), cases_from_environment()
    bench.stall(None)
    for case in cases:
        bench.send(case.traffic)
    for number, case in enumerate(cases):
        frame = await with_timeout(bench.sink.recv(compact=False), PERIOD_NS * PATIENCE, "ns")
        beats = np.frombuffer(bytes(frame.tdata), np.uint8).reshape(-1, case.array.columns)
        assert np.array_equal(unpack(case.schedule, beats), case.expected), f"layer {number}, {case}"


@cocotb.test()
async def survives_reset_in_mid_stream(dut: Any) -> None:
    """A layer that a reset cuts off leaves nothing behind."""
    bench, cases = await started(dut), cases_from_environment()
    rng = np.random.default_rng(cases[0].seed)
    for case in cases:
        bench.stall(case.stalls)
        bench.send(case.traffic)
        await ClockCycles(dut.clk, int(rng.integers(1, case.predicted.cycles)))
        await bench.reset()
        bench.send(case.traffic)
        assert np.array_equal(await bench.receive(case), case.expected), f"{case} after a reset"
        bench.monitor.begin = -1


@cocotb.test()
async def valid_does_not_wait_for_ready(dut: Any) -> None:
    """With a reader that never is ready the machine offers its first beat and keeps it."""
    bench, case = await started(dut), cases_from_environment()[0]
    bench.sink.pause = True
    bench.send(case.traffic)
    for _ in range(case.predicted.cycles):
        await RisingEdge(dut.clk)
        await ReadOnly()
        if int(dut.m_axis_tvalid.value):
            break
    else:
        raise AssertionError("no output beat is offered")
    await ClockCycles(dut.clk, 100)
    bench.sink.pause = False
    assert np.array_equal(await bench.receive(case), case.expected)

"""What the ports of parts of a machine do, clock by clock, while it runs a program."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from amaranth.sim import Simulator, SimulatorContext
from numpy.typing import NDArray

from lutra_hw.machine import Machine
from lutra_model.program import Program

from ..interpreted import drive
from ..traffic import loading, running
from .carve import Design, Part

__all__ = ["Recording", "record"]

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Recording:
    """A run of a program, seen at ports.

    Parameters
    ----------
    outputs : what the machine answered, int8 ``(count, *output_shape)``.
    ports : of each part, by the name of a port, its bytes in every clock cycle just before the edge, lowest first,
        ``(cycles, bytes)``; cycle 0 offers the first command word.
    """

    outputs: NDArray[np.int8]
    ports: dict[str, dict[str, Bytes]]

    @property
    def cycles(self) -> int:
        """Cycles recorded."""
        return len(next(iter(next(iter(self.ports.values())).values())))


def record(design: Design, parts: Mapping[str, Part], program: Program, inputs: NDArray[np.int8]) -> Recording:
    """Load a program into the machine and run it on some inputs, ``(count, *input_shape)``.

    The ports are recorded while it runs, not while it is loaded. Streams never stall.
    """
    machine, received = design.top, list[int]()
    assert isinstance(machine, Machine)
    seen = [(signal, list[int]()) for part in parts.values() for signal in part.ports.values()]

    def watch(ctx: SimulatorContext) -> bool:
        for signal, values in seen:
            values.append(ctx.get(signal))
        return False

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(machine.m_axis_tready, 1)
        await drive(ctx, machine, loading(program), received, lambda _: False)
        await drive(ctx, machine, running(program, inputs), received, watch)

    simulator = Simulator(design.fragment)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    beats = b"".join(beat.to_bytes(program.array.columns, "little") for beat in received)
    values = iter(seen)
    return Recording(program.outputs(np.frombuffer(beats, np.uint8).reshape(-1, program.array.columns)), {
        name: {port: _bytes(next(values)[1], len(signal)) for port, signal in part.ports.items()}
        for name, part in parts.items()})


def _bytes(values: list[int], bits: int) -> Bytes:
    width, mask = max(1, -(-bits // 8)), (1 << bits) - 1
    data = b"".join((value & mask).to_bytes(width, "little") for value in values)
    return np.frombuffer(data, np.uint8).reshape(-1, width)

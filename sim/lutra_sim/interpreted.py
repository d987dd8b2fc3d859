"""The machine in Amaranth's own simulator: not compiled, any signal can be watched; some 500 cycles a second."""

from collections.abc import Callable

import numpy as np
from amaranth.sim import SimulatorContext
from numpy.typing import NDArray

from lutra_hw.machine import Machine
from lutra_model.operation import State

from .traffic import Traffic

__all__ = ["drive"]

Watch = Callable[[SimulatorContext], bool]


async def drive(ctx: SimulatorContext, machine: Machine, traffic: Traffic, received: list[int], watch: Watch) -> None:
    """One job, cycle by cycle, until everything is taken and the machine is idle.

    Parameters
    ----------
    received : output beats are appended, column 0 lowest.
    watch : called in every cycle, when all signals have settled; true ends the job.
    """
    left = {"cmd": [(word, 0) for word in traffic.command],
            "act": _numbers(traffic.activations, traffic.activations_last),
            "table": _numbers(traffic.tables, traffic.tables_last)}
    while True:
        for name, beats in left.items():
            ctx.set(getattr(machine, f"s_axis_{name}_tvalid"), bool(beats))
            if beats:
                ctx.set(getattr(machine, f"s_axis_{name}_tdata"), beats[0][0])
                if name != "cmd":
                    ctx.set(getattr(machine, f"s_axis_{name}_tlast"), beats[0][1])
        if watch(ctx):
            return
        for name, beats in left.items():
            if beats and ctx.get(getattr(machine, f"s_axis_{name}_tready")):
                beats.pop(0)
        if ctx.get(machine.m_axis_tvalid):
            received.append(ctx.get(machine.m_axis_tdata))
        await ctx.tick()
        if not any(left.values()) and ctx.get(machine.status) & 3 == State.IDLE:
            return


def _numbers(beats: NDArray[np.uint8], last: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Data and ``tlast`` of each beat."""
    return [(int.from_bytes(beat.tobytes(), "little"), int(end)) for beat, end in zip(beats, last, strict=True)]

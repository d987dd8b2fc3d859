"""One measurement: a block of a machine, recorded in a run, made of a library's cells and replayed on them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.events import Events
from lutra_model.params import Array
from lutra_model.structure import Structure

from . import simulate
from .bits import to_bits
from .blocks import Block
from .carve import Part
from .netlist import Netlist

__all__ = ["IDLE", "Finding", "Ports", "measure"]

IDLE = "idle"       # the workload of a block whose inputs stand still
SETTLING, IDLE_CYCLES = 16, 100
SLACK = 1.05        # a block too slow for the clock runs at a period so much longer than its longest path
Bytes = NDArray[np.uint8]
Ports = Mapping[str, Bytes]


@dataclass(frozen=True)
class Finding:
    """What gates say of a block's run, energies in picojoules.

    Parameters
    ----------
    toggles : changes of one bit of a port in a cycle, on average, by port; of ports that changed at all.
    energy : with the gates' delays, by part. zero_delay : the whole with gates that take no time.
    quiet : nets that never changed, of so many. period_ns : of the clock that it ran at.
    """

    cycles: int
    area_um2: float
    delay_ns: float
    cells: dict[str, int]
    toggles: dict[str, float]
    energy: dict[str, float]
    zero_delay: float
    quiet: int
    nets: int
    period_ns: float

    def as_dict(self, block: Block, array: Array, storage: str, workload: Mapping[str, str], events: Events,
                activity: Mapping[str, float]) -> dict[str, Any]:
        """As the measurement file has it; ``activity`` of components, see `Block.toggles`."""
        structure = Structure(array)
        return {"block": block.name, "engine": array.engine, "array": asdict(array), "storage": storage,
                "workload": dict(workload), "cycles": self.cycles,
                "counts": {name: count for name, count in vars(events).items() if count and name != "dram"},
                "events": block.charges(events, self.cycles, structure), "activity": activity, "ports": self.toggles,
                "area_um2": self.area_um2, "area_parts": block.area_parts(structure), "delay_ns": self.delay_ns,
                "cells": self.cells, "energy_pj": self.energy, "energy_zero_delay_pj": self.zero_delay,
                "equal": True, "quiet": self.quiet, "nets": self.nets, "period_ns": self.period_ns}


def _extended(values: Bytes, before: int, after: int) -> Bytes:
    """With its first cycle and its last so many times again."""
    return np.concatenate([np.repeat(values[:1], before, axis=0), values, np.repeat(values[-1:], after, axis=0)])


def measure(part: Part, netlist: Netlist, ports: Ports, *, period_ns: float, what: str, idle: bool = False,
            rest: int = 0) -> Finding:
    """Replay a recording on a netlist; every output must be the recorded one at every clock edge.

    Parameters
    ----------
    period_ns : of the clock, if the netlist is not too slow for it.
    idle : what counts comes after the recording, when the inputs stand still.
    rest : cycles before the recording in which the inputs are its first ones.

    Raises ``ValueError`` that names the first port and cycle where an output differs.
    """
    after = SETTLING + IDLE_CYCLES if idle else 0
    given = {name: _extended(ports[name], rest, after) for name in part.inputs}
    cycles = rest + len(next(iter(ports.values())))
    skip, period_ns = cycles + SETTLING if idle else rest + 1, max(period_ns, SLACK * netlist.delay_ns)
    run = simulate.run(netlist, given, period_ns=period_ns, skip=skip)
    _check(part, ports, run, what, rest)
    if not idle and not run.toggles[~netlist.clocked].any():
        raise ValueError(f"{what}: the workload never changes any of the block's {len(netlist.nets)} nets")
    at_once = simulate.run(netlist, given, period_ns=period_ns, skip=skip, delays=False)
    _check(part, ports, at_once, f"{what}, without delays", rest)
    energy = {name: float(getattr(run.energy, name)) for name in ("internal", "switching", "clock", "leakage")}
    toggles = {name: rate for name in part.ports if name in netlist.ports and (rate := run.activity(name))}
    return Finding(run.cycles, netlist.area_um2, netlist.delay_ns, dict(netlist.cells), toggles, energy,
                   float(at_once.energy.total), len(run.quiet), len(netlist.nets), period_ns)


def _check(part: Part, ports: Ports, run: simulate.Run, what: str, rest: int) -> None:
    """Raise ``ValueError`` unless the outputs are the recorded ones, from cycle ``rest`` on."""
    for name in part.outputs:
        width, want = len(part.ports[name]), ports[name]
        got = to_bits(run.outputs[name], width)[rest:rest + len(want)]
        wrong = np.flatnonzero((got != to_bits(want, width)).any(axis=1))
        if len(wrong):
            cycle = int(wrong[0])
            values = [int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
                      for bits in (to_bits(want, width)[cycle], got[cycle])]
            raise ValueError(f"{what}: output {name} must be {values[0]:#x} in cycle {cycle}, its gates give "
                             f"{values[1]:#x} ({len(wrong)} of {len(want)} cycles differ)")

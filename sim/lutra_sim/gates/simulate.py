"""Runs of a netlist: what it answers in each cycle, how often its nets change, and what energy that takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .bits import Bits, to_bits, to_values
from .engine import Job, loaded
from .netlist import CLOCK, Netlist
from .records import RESOLUTION_NS, design, job

__all__ = ["Energy", "Run", "run"]

RESET = "rst"  # low unless given


@dataclass(frozen=True)
class Energy:
    """Energy of a run in pJ.

    Parameters
    ----------
    internal : of cells, without their clock pins and the clock gates. switching : of nets' capacitances, those of
        inputs included, without clocks. clock : of clock nets, clock pins and clock gates. leakage : of all cells.
    """

    internal: float
    switching: float
    clock: float
    leakage: float

    @property
    def total(self) -> float:
        return self.internal + self.switching + self.clock + self.leakage


@dataclass(frozen=True, eq=False)
class Run:
    """What a netlist did.

    Parameters
    ----------
    outputs : of each output port, a value for each cycle, as it is before the next edge: uint64 ``(cycles,)``, or uint8
        ``(cycles, bytes)`` little-endian for ports wider than 64 bits. All cycles are here, the skipped ones too.
    toggles : transitions of each net in the counted cycles, int64 ``(nets,)``. cycles : how many those are.
    late : counted cycles that ended with transitions under way: above 0 the period is too short.
    cell_energy_pj : of each cell, with the switching energy of the nets that it drives.
    """

    netlist: Netlist
    outputs: dict[str, NDArray[np.unsignedinteger]]
    toggles: NDArray[np.int64]
    cycles: int
    energy: Energy
    late: int
    cell_energy_pj: NDArray[np.float64] = field(repr=False)

    @cached_property
    def quiet(self) -> list[str]:
        """Names of the nets that never changed, clocks and constants apart."""
        silent = (self.toggles == 0) & ~self.netlist.clocked
        return [self.netlist.nets[net] for net in np.flatnonzero(silent) if net > 1]

    def activity(self, port: str) -> float:
        """Transitions per bit and cycle of a port."""
        return float(self.toggles[self.netlist.ports[port].nets].mean()) / self.cycles

    def same(self, port: str, values: NDArray[np.integer]) -> bool:
        """Whether an output port answered with those values in every cycle."""
        width = self.netlist.ports[port].width
        return bool((to_bits(self.outputs[port], width) == to_bits(np.asarray(values), width)).all())


def run(netlist: Netlist, inputs: Mapping[str, NDArray[np.integer]], *, period_ns: float, delays: bool = True,
        skip: int = 1) -> Run:
    """Simulate the netlist with those inputs, one value for each cycle; ``clk`` runs by itself.

    Parameters
    ----------
    inputs : of each input port but ``clk``, integers ``(cycles,)`` of any sign, or uint8 ``(cycles, bytes)``
        little-endian for ports wider than 64 bits; ``rst`` is low unless given. An input changes a flip-flop's delay
        after the edge that begins its cycle.
    delays : with them, every arc has its delay, and glitches count that are longer than the delay of what they would
        change; without, a net changes at most once after each edge of the clock.
    skip : the first cycles, 1 at least, whose energy and transitions are not counted. In cycle 0 registers hold their
        initial values; no edge begins it.
    """
    if period_ns <= 0:
        raise ValueError(f"a clock's period must be positive, not {period_ns} ns")
    given = _given(netlist, inputs)
    cycles = len(next(iter(given.values()), []))
    if not 1 <= skip < cycles:
        raise ValueError(f"a run must skip 1 cycle and count 1 at least, not skip {skip} of {cycles}")
    units = max(2, round(period_ns / RESOLUTION_NS)) if delays else 2 * (int(netlist.levels.max(initial=0)) + 4)
    made = job(netlist, given, skip=skip, units=units, delays=delays)
    loaded().gates_run(design(netlist, units), made)
    return _run(netlist, made, period_ns / units)


def _given(netlist: Netlist, inputs: Mapping[str, NDArray[np.integer]]) -> dict[str, Bits]:
    """The bits of all inputs but the clock."""
    names = [name for name, port in netlist.ports.items() if port.is_input and name != CLOCK]
    for name in inputs:
        if name not in names:
            raise ValueError(f"an input of {netlist.name} must be one of {', '.join(names)}, not {name}")
    given = {name: to_bits(np.asarray(values), netlist.ports[name].width) for name, values in inputs.items()}
    lengths = sorted({len(bits) for bits in given.values()})
    if len(lengths) != 1:
        raise ValueError(f"the inputs of {netlist.name} must have one value for each cycle, all as many, not {lengths}")
    for name in names:
        if name not in given and name != RESET:
            raise ValueError(f"the input {name} of {netlist.name} must be given")
    return {name: given.get(name, np.zeros((lengths[0], netlist.ports[name].width), np.uint8)) for name in names}


def _run(netlist: Netlist, done: Job, unit_ns: float) -> Run:
    kept, clocked = done.kept, netlist.clocked
    answers = {name: port.width for name, port in netlist.ports.items() if not port.is_input}
    parts = np.split(kept["output"], np.cumsum(list(answers.values()))[:-1], axis=1)
    switching = kept["toggles"] * netlist.power.switching_fj
    leakage = kept["leakage"] * unit_ns / 1e3  # nW ns is 1e-3 fJ
    taken = netlist.outputs >= 0
    drivers = np.repeat(np.arange(len(netlist.type)), np.diff(netlist.output_start))[taken]
    driving = np.bincount(drivers, switching[netlist.outputs[taken]], len(netlist.type))
    energy = Energy(float(kept["internal"].sum()) / 1e3, float(switching[~clocked].sum()) / 1e3,
                    float(kept["clocks"].sum() + switching[clocked].sum()) / 1e3, float(leakage.sum()) / 1e3)
    by_cell = (kept["internal"] + kept["clocks"] + leakage + driving) / 1e3
    return Run(netlist, {name: to_values(part) for name, part in zip(answers, parts, strict=True)}, kept["toggles"],
               done.cycles - done.skip, energy, done.late, by_cell)

"""Runs of a netlist: what it answers in each cycle, how often its nets change, and what energy that takes."""

from collections.abc import Mapping
from ctypes import c_void_p, cast
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .engine import CellType, Design, Job, loaded, record
from .netlist import CLOCK, Netlist, Port

__all__ = ["Energy", "Run", "run", "to_bits", "to_values"]

RESOLUTION_NS = 1e-4  # of events' times: 100 fs
DEFAULTS = ("clk", "rst")  # inputs that are low unless given

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Energy:
    """Energy of a run in pJ.

    Parameters
    ----------
    internal : of cells, without what their clock pins and the clock gates take. switching : of nets' capacitances, those of
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
    outputs : of each output port, a value for each cycle: uint64 ``(cycles,)``, or uint8 ``(cycles, bytes)`` little-endian
        for ports wider than 64 bits. Values are those at the cycle's end, before the next edge.
    toggles : transitions of each net in the counted cycles, int64 ``(nets,)``. cycles : how many those are.
    late : counted cycles that ended with transitions under way: above 0 the period is too short.
    cell_energy_pj : internal, clock-pin and leakage energy of each cell, and the switching energy of what it drives.
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
        return bool((to_bits(self.outputs[port], width) == to_bits(values, width)).all())


def run(netlist: Netlist, inputs: Mapping[str, NDArray[np.integer]], *, period_ns: float, delays: bool = True,
        skip: int = 1) -> Run:
    """Simulate the netlist with those inputs, one value for each cycle; ``clk`` runs by itself and ``rst`` is low.

    Parameters
    ----------
    inputs : of each input port, integers ``(cycles,)`` of any sign, or uint8 ``(cycles, bytes)`` little-endian for ports
        wider than 64 bits. They change a flip-flop's delay after the clock's edge that begins their cycle.
    delays : with them, every arc has its delay and glitches count unless they are shorter than the delay of what they
        would change; without, every net changes once in a cycle at most.
    skip : the first cycles, 1 at least, whose energy and transitions are not counted. Before cycle 0 registers hold their
        initial values; no edge begins cycle 0.
    """
    if period_ns <= 0:
        raise ValueError(f"a clock's period must be positive, not {period_ns} ns")
    names = [name for name, port in netlist.ports.items() if port.is_input and name != CLOCK]
    given = _given(netlist, inputs, names)
    cycles = next(iter(given.values())).shape[0] if given else 0
    if not 1 <= skip < cycles:
        raise ValueError(f"a run must have more cycles than the {skip} that are not counted, 1 at least, not {cycles}")
    answers = [port for port in netlist.ports.values() if not port.is_input]
    units = max(2, round(period_ns / RESOLUTION_NS)) if delays else 2 * (int(netlist.levels.max(initial=0)) + 4)
    job, design = _job(netlist, names, given, cycles, skip, units, delays, answers), _design(netlist, units)
    loaded().gates_run(design, job)
    bits = np.split(job.kept["output"], np.cumsum([port.width for port in answers])[:-1], axis=1)
    named = [name for name, port in netlist.ports.items() if not port.is_input]
    return _run(netlist, job, {name: to_values(part) for name, part in zip(named, bits, strict=True)}, period_ns, units)


def _given(netlist: Netlist, inputs: Mapping[str, NDArray[np.integer]], names: list[str]) -> dict[str, Bits]:
    for name in inputs:
        if name not in names:
            raise ValueError(f"an input of {netlist.name} must be one of {', '.join(names)}, not {name}")
    given = {name: to_bits(np.asarray(values), netlist.ports[name].width) for name, values in inputs.items()}
    lengths = {len(bits) for bits in given.values()}
    if len(lengths) > 1:
        raise ValueError(f"the inputs of {netlist.name} must have one value in each cycle, not {sorted(lengths)} values")
    for name in names:
        if name not in given:
            if name not in DEFAULTS or not lengths:
                raise ValueError(f"the input {name} of {netlist.name} must be given")
            given[name] = np.zeros((*lengths, netlist.ports[name].width), np.uint8)
    return {name: given[name] for name in names}


def to_bits(values: NDArray[np.integer], width: int) -> Bits:
    """Bits ``(cycles, width)`` from integers ``(cycles,)`` or little-endian bytes ``(cycles, bytes)``.

    >>> to_bits(np.array([1, -2]), 3).tolist()
    [[1, 0, 0], [0, 1, 1]]
    """
    if values.ndim == 2:
        return np.unpackbits(np.ascontiguousarray(values, np.uint8), axis=1, count=width, bitorder="little")
    if width > 64:
        raise ValueError(f"values of a port of {width} bits must come as bytes, uint8 (cycles, bytes)")
    words = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64).view(np.uint64)
    return (words[:, None] >> np.arange(width, dtype=np.uint64) & np.uint64(1)).astype(np.uint8)


def to_values(bits: Bits) -> NDArray[np.unsignedinteger]:
    """What :func:`to_bits` takes apart: uint64 ``(cycles,)``, or uint8 ``(cycles, bytes)`` above 64 bits."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    if bits.shape[1] > 64:
        return packed
    return np.pad(packed, ((0, 0), (0, 8 - packed.shape[1]))).view("<u8")[:, 0].astype(np.uint64)


def _types(netlist: Netlist) -> tuple[object, list[object]]:
    records = []
    for behaviour in netlist.behaviours:
        as_bytes = {"output": behaviour.outputs, "next": behaviour.next, "open": behaviour.open}
        tables = {name: np.ascontiguousarray(table, np.uint8) for name, table in as_bytes.items()}
        records.append(record(
            CellType, kind=behaviour.kind.value, inputs=len(behaviour.cell.inputs), outputs=len(behaviour.cell.outputs),
            states=len(behaviour.leakage), clock=behaviour.clock, rising=behaviour.rising, initial=behaviour.initial,
            delay_arc=behaviour.delay_arc, output_energy=behaviour.output_energy, input_energy=behaviour.input_energy,
            leakage=behaviour.leakage, **tables))
    return (CellType * len(records))(*records), records


def _design(netlist: Netlist, period: int) -> Design:
    """The netlist for the simulator; the ring holds a period and the longest delay."""
    timing = netlist.timing
    power = netlist.power
    delay = np.maximum(1, np.rint(timing.delays / RESOLUTION_NS)).astype(np.int32)
    units = 1 << int(period + delay.max(initial=1) + 2).bit_length()
    types, kept = _types(netlist)
    logic = np.flatnonzero(netlist.levels > 0)
    order = np.concatenate([logic[np.argsort(netlist.levels[logic], kind="stable")], [-1]]).astype(np.int32)
    start, cells, pins = netlist.sinks
    made = record(Design, cells=len(netlist.type), nets=len(netlist.nets), types=len(netlist.types), units=units,
                  type_of=netlist.type, inputs=netlist.inputs, input_start=netlist.input_start, outputs=netlist.outputs,
                  output_start=netlist.output_start, sink_start=start, sink_cell=cells, sink_pin=pins,
                  clocked=netlist.clocked.astype(np.uint8), delay_start=timing.arc_start,
                  output_energy_start=power.output_start, input_energy_start=power.input_start, delay=delay,
                  output_energy=power.outputs, input_energy=power.inputs, level=netlist.levels, order=order)
    made.type = cast(types, c_void_p)
    made.kept |= {"types": types, "records": kept}
    return made


def _job(netlist: Netlist, names: list[str], given: Mapping[str, Bits], cycles: int, skip: int, units: int, delays: bool,
         answers: list[Port]) -> Job:
    def nets(ports: list[Port]) -> NDArray[np.int32]:
        return np.concatenate([port.nets for port in ports] or [np.zeros(0, np.int32)])

    stimuli = np.ascontiguousarray(np.concatenate([given[name] for name in names], axis=1))
    sources, sinks = nets([netlist.ports[name] for name in names]), nets(answers)
    cells = [np.zeros(len(netlist.type)) for _ in range(3)]
    clock = int(netlist.ports[CLOCK].nets[0]) if CLOCK in netlist.ports else -1
    return record(Job, cycles=cycles, skip=skip, period=units, launch=max(1, round(netlist.timing.launch_ns / RESOLUTION_NS)),
                  zero_delay=not delays, input_bits=len(sources), output_bits=len(sinks), clock=clock, input_nets=sources,
                  output_nets=sinks, input=stimuli, output=np.zeros((cycles, len(sinks)), np.uint8),
                  toggles=np.zeros(len(netlist.nets), np.int64), internal=cells[0], clocks=cells[1], leakage=cells[2])


def _run(netlist: Netlist, job: Job, outputs: dict[str, NDArray[np.unsignedinteger]], period_ns: float, units: int) -> Run:
    kept = job.kept
    toggles, clocked = kept["toggles"], netlist.clocked
    switching = toggles * netlist.power.switching_fj
    leakage = kept["leakage"] * period_ns / units * 1e-3  # nW ns is 1e-3 fJ
    driven = np.repeat(np.arange(len(netlist.type)), np.diff(netlist.output_start))
    taken = netlist.outputs >= 0
    driving = np.bincount(driven[taken], switching[netlist.outputs[taken]], len(netlist.type))
    energy = Energy(float(kept["internal"].sum()) / 1e3, float(switching[~clocked].sum()) / 1e3,
                    float(kept["clocks"].sum() + switching[clocked].sum()) / 1e3, float(leakage.sum()) / 1e3)
    return Run(netlist, outputs, toggles, job.cycles - job.skip, energy, job.late,
               (kept["internal"] + kept["clocks"] + leakage + driving) / 1e3)

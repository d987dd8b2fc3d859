"""A netlist and a run of it, as the compiled simulator takes them."""

from collections.abc import Mapping
from ctypes import Array, c_void_p, cast

import numpy as np
from numpy.typing import NDArray

from .bits import Bits
from .engine import CellType, Design, Job, record
from .netlist import CLOCK, Netlist, Port

__all__ = ["RESOLUTION_NS", "design", "job"]

RESOLUTION_NS = 1e-4  # of events' times: 100 fs


def _types(netlist: Netlist) -> tuple["Array[CellType]", list[CellType]]:
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


def design(netlist: Netlist, period: int) -> Design:
    """The netlist; the ring of times holds a ``period``, in its units, and the longest delay."""
    timing, power = netlist.timing, netlist.power
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


def job(netlist: Netlist, given: Mapping[str, Bits], *, skip: int, units: int, delays: bool) -> Job:
    """The run of those inputs, ``(cycles, width)`` each, with a period of that many units of time."""
    stimuli = np.ascontiguousarray(np.concatenate(list(given.values()), axis=1))
    sources = _nets([netlist.ports[name] for name in given])
    sinks = _nets([port for port in netlist.ports.values() if not port.is_input])
    internal, clocks, leakage = (np.zeros(len(netlist.type)) for _ in range(3))
    return record(Job, cycles=len(stimuli), skip=skip, period=units, zero_delay=not delays, input_bits=len(sources),
                  launch=max(1, round(netlist.timing.launch_ns / RESOLUTION_NS)), output_bits=len(sinks),
                  clock=int(netlist.ports[CLOCK].nets[0]) if CLOCK in netlist.ports else -1, input_nets=sources,
                  output_nets=sinks, input=stimuli, output=np.zeros((len(stimuli), len(sinks)), np.uint8),
                  toggles=np.zeros(len(netlist.nets), np.int64), internal=internal, clocks=clocks, leakage=leakage)


def _nets(ports: list[Port]) -> NDArray[np.int32]:
    return np.concatenate([port.nets for port in ports] or [np.zeros(0, np.int32)])

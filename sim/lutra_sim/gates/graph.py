"""What follows from a netlist's connections: the clock's nets, and the order of the logic."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .cell import Kind

if TYPE_CHECKING:
    from .netlist import Netlist

__all__ = ["CLOCK", "OPEN", "clocked", "levels"]

CLOCK = "clk"
OPEN = -1  # an output that nothing takes


def clocked(netlist: "Netlist") -> NDArray[np.bool_]:
    """Which nets are the clock, or the clock behind gates, buffers and inverters: ``(nets,)``."""
    found = np.zeros(len(netlist.nets), bool)
    waiting = netlist.ports[CLOCK].nets.tolist() if CLOCK in netlist.ports else []
    start, cells, pins = netlist.sinks
    while waiting:
        net = waiting.pop()
        found[net] = True
        for cell, pin in zip(cells[start[net]:start[net + 1]], pins[start[net]:start[net + 1]], strict=True):
            behaviour = netlist.behaviours[netlist.type[cell]]
            gate = behaviour.cell.gate and behaviour.clock == pin
            if gate or (behaviour.kind is Kind.LOGIC and len(behaviour.cell.inputs) == 1):
                outputs = netlist.outputs[netlist.output_start[cell]:netlist.output_start[cell + 1]]
                waiting += [int(output) for output in outputs if output != OPEN and not found[output]]
    return found


def levels(netlist: "Netlist") -> NDArray[np.int64]:
    """Of each cell: 0 for flip-flops, latches and clock gates, else one more than the cells before it."""
    kinds = np.array([behaviour.kind.value for behaviour in netlist.behaviours], np.int64)[netlist.type]
    logic = kinds == Kind.LOGIC.value
    driver = np.full(len(netlist.nets), -1)
    of = np.repeat(np.arange(len(kinds)), np.diff(netlist.output_start))
    driver[netlist.outputs[netlist.outputs != OPEN]] = of[netlist.outputs != OPEN]
    sources = driver[netlist.inputs]
    sinks = np.repeat(np.arange(len(kinds)), np.diff(netlist.input_start))
    counted = (sources >= 0) & logic[sources] & logic[sinks]
    sources, sinks = sources[counted], sinks[counted]
    order = np.argsort(sources, kind="stable")
    start, after = np.searchsorted(sources[order], np.arange(len(kinds) + 1)), sinks[order]
    missing = np.bincount(sinks, minlength=len(kinds))
    result = np.zeros(len(kinds), np.int64)
    ready, level = np.flatnonzero(logic & (missing == 0)), 0
    while len(ready):
        level += 1
        result[ready] = level
        following = np.concatenate([after[start[cell]:start[cell + 1]] for cell in ready])
        np.subtract.at(missing, following, 1)
        following = np.unique(following)
        ready = following[missing[following] == 0]
    if (logic & (result == 0)).any():
        cell = netlist.instances[int(np.argmax(logic & (result == 0)))]
        raise ValueError(f"the netlist of {netlist.name} must not have loops of logic, as at {cell}")
    return result

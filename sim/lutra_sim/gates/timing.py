"""A static pass over a netlist: loads, transition times, delays of every arc, the longest path."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .cell import Arc, Kind
from .choice import Choice
from .lookup import Tables
from .netlist import OPEN, Netlist

__all__ = ["Timing"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
SENSES = {"positive_unate": 1, "negative_unate": -1}
EDGES = ("rise", "fall")


class Timing:
    """What a static pass finds; a pair of columns is always for the rise and the fall.

    The clock is ideal: it and what is behind clock gates arrive everywhere at once. The clock and the inputs come with
    the transition time of an inverter that drives four of its size.
    """

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self._tables = Tables()
        self.slews = np.zeros((len(netlist.nets), 2))  # ns
        self.arrivals = np.zeros((len(netlist.nets), 2))  # ns after the clock's edge
        self._arcs()
        self._propagate()

    @cached_property
    def port_slew(self) -> float:
        """Transition time of the smallest inverter that drives four of itself, ns."""
        choice = Choice.of(self.netlist.library)
        inverter = self.netlist.library[choice.inverter]
        arc = next(arc for arc in inverter.pins[inverter.outputs[0]].arcs if "rise_transition" in arc.tables)
        tables = [arc.tables[f"{edge}_transition"] for edge in EDGES]
        numbers, slew = np.array([self._tables.add(table) for table in tables]), 0.0
        for _ in range(8):
            slew = float(self._tables.look_up(numbers, np.full(2, slew), np.full(2, choice.load_ff)).mean())
        return slew

    def _arcs(self) -> None:
        """Every arc of every cell: cell, nets, tables, sense."""
        netlist, count = self.netlist, int(self.arc_start[-1])
        self.source, self.target, self.of = (np.full(count, OPEN, np.int64) for _ in range(3))
        self._table = np.full((count, 4), -1)
        self._sense = np.zeros(count, np.int64)
        for number, behaviour in enumerate(netlist.behaviours):
            cells = np.flatnonzero(netlist.type == number)
            for place, (output, pin, arc) in enumerate(behaviour.delays):
                at = self.arc_start[cells] + place
                self.of[at] = cells
                self.source[at] = netlist.inputs[netlist.input_start[cells] + pin]
                self.target[at] = netlist.outputs[netlist.output_start[cells] + output]
                self._table[at] = self._numbers(arc)
                self._sense[at] = SENSES.get(arc.sense, 0)

    def _numbers(self, arc: Arc) -> list[int]:
        names = ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
        return [self._tables.add(arc.tables.get(name)) for name in names]

    @cached_property
    def arc_start(self) -> Numbers:
        """The first arc of each cell, ``(cells + 1,)``."""
        counts = np.array([len(behaviour.delays) for behaviour in self.netlist.behaviours], np.int64)
        return np.concatenate([[0], np.cumsum(counts[self.netlist.type])]).astype(np.int64)

    def _propagate(self) -> None:
        netlist = self.netlist
        self.delays = np.zeros((len(self.source), 2))  # ns of every arc
        self.slews[:] = 0.0
        self.slews[netlist.clocked] = self.port_slew
        for port in netlist.ports.values():
            if port.is_input:
                self.slews[port.nets] = self.port_slew
        kinds = np.array([behaviour.kind.value for behaviour in netlist.behaviours])[netlist.type]
        clocks = np.array([behaviour.clock for behaviour in netlist.behaviours])[netlist.type]
        pin_net = np.append(netlist.inputs, OPEN)[np.where(clocks < 0, len(netlist.inputs),
                                                           netlist.input_start[:-1] + clocks)]
        timed = (self.target != OPEN) & ~netlist.clocked[self.target]
        level = netlist.levels[self.of]
        logic = kinds[self.of] == Kind.LOGIC.value
        launched = ~logic & (self.source == pin_net[self.of])
        for stage in range(int(netlist.levels.max(initial=0)) + 1):
            self._stage(np.flatnonzero(timed & (launched if not stage else logic & (level == stage))), True)
        self._stage(np.flatnonzero(timed & ~logic & ~launched), False)

    def _stage(self, arcs: Numbers, onward: bool) -> None:
        """Delays of those arcs; with ``onward``, transition times and arrivals at their targets too."""
        source, target, sense = self.source[arcs], self.target[arcs], self._sense[arcs]
        loads = self.netlist.load_ff[target]
        for edge in (0, 1):
            slew, arrival = (np.choose(sense + 1, [part[:, 1 - edge], part.max(axis=1), part[:, edge]])
                             for part in (self.slews[source], self.arrivals[source]))
            delay = self._tables.look_up(self._table[arcs, edge], slew, loads)
            self.delays[arcs, edge] = delay
            if onward:
                after = self._tables.look_up(self._table[arcs, 2 + edge], slew, loads)
                np.maximum.at(self.slews[:, edge], target, after)
                np.maximum.at(self.arrivals[:, edge], target, arrival + delay)

    @cached_property
    def delay_ns(self) -> float:
        """The longest path: to an output, or to a flip-flop, latch or clock gate with its setup time."""
        netlist = self.netlist
        ends = [self.arrivals[port.nets].max(initial=0.0) for port in netlist.ports.values() if not port.is_input]
        for number, behaviour in enumerate(netlist.behaviours):
            cells = np.flatnonzero(netlist.type == number)
            for pin, name in enumerate(behaviour.cell.inputs if behaviour.kind is not Kind.LOGIC else []):
                nets = netlist.inputs[netlist.input_start[cells] + pin]
                for arc in behaviour.cell.pins[name].arcs:
                    if arc.kind.startswith("setup"):
                        ends.append(self._setup(arc, nets))
        return float(max(ends, default=0.0))

    def _setup(self, arc: Arc, nets: NDArray[np.int32]) -> float:
        times = []
        for edge, name in enumerate(EDGES):
            table = np.full(len(nets), self._tables.add(arc.tables.get(f"{name}_constraint")))
            setup = self._tables.look_up(table, np.full(len(nets), self.port_slew), self.slews[nets, edge])
            times.append(np.where(nets > 1, self.arrivals[nets, edge] + setup, 0.0).max(initial=0.0))
        return float(max(times))

    @cached_property
    def launch_ns(self) -> float:
        """When inputs change after the clock's edge: as the library's flip-flop does that drives one inverter."""
        choice = Choice.of(self.netlist.library)
        cell = self.netlist.library[choice.flip_flop]
        arc = next(arc for arc in cell.pins[cell.outputs[0]].arcs if "cell_rise" in arc.tables)
        number = np.array([self._tables.add(arc.tables["cell_rise"])])
        return float(self._tables.look_up(number, np.array([self.port_slew]), np.array([choice.load_ff / 4]))[0])

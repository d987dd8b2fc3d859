"""What each transition of a netlist costs: internal energies of every cell at its own loads and transition times."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .cell import Energy
from .lookup import Tables
from .netlist import OPEN, Netlist
from .timing import Timing

__all__ = ["Power"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Power:
    """Energies in fJ; ``outputs`` and ``inputs`` are ``(arcs, 2)``, for a rise and a fall, cell after cell."""

    def __init__(self, netlist: Netlist, timing: Timing) -> None:
        self.netlist, self.timing = netlist, timing
        self.outputs = np.zeros((int(self.output_start[-1]), 2))
        self.inputs = np.zeros((int(self.input_start[-1]), 2))
        asked = _Asked()
        for number, behaviour in enumerate(netlist.behaviours):
            cells = np.flatnonzero(netlist.type == number)
            for place, (output, pin, groups) in enumerate(behaviour.output_energies):
                slews = timing.slews[netlist.inputs[netlist.input_start[cells] + pin]].max(axis=1, keepdims=True)
                target = netlist.outputs[netlist.output_start[cells] + output]
                loads = np.where(target == OPEN, 0.0, netlist.load_ff[target])
                asked.add(self.outputs, self.output_start[cells] + place, groups, slews.repeat(2, axis=1), loads)
            for place, (pin, groups) in enumerate(behaviour.input_energies):
                slews = timing.slews[netlist.inputs[netlist.input_start[cells] + pin]]
                asked.add(self.inputs, self.input_start[cells] + place, groups, slews, np.zeros(len(cells)))
        asked.answer()

    @cached_property
    def output_start(self) -> Numbers:
        """The first output energy of each cell, ``(cells + 1,)``."""
        return self._starts([len(behaviour.output_energies) for behaviour in self.netlist.behaviours])

    @cached_property
    def input_start(self) -> Numbers:
        """The first input energy of each cell, ``(cells + 1,)``."""
        return self._starts([len(behaviour.input_energies) for behaviour in self.netlist.behaviours])

    def _starts(self, counts: list[int]) -> Numbers:
        return np.concatenate([[0], np.cumsum(np.array(counts, np.int64)[self.netlist.type])]).astype(np.int64)

    @cached_property
    def switching_fj(self) -> Floats:
        """Of one transition of each net, half of C V^2: ``(nets,)``."""
        return 0.5 * self.netlist.load_ff * self.netlist.library.voltage**2


class _Asked:
    """Energies to be looked up, all at once in the end."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.parts: list[tuple[Floats, Numbers, int, int, Floats, Floats]] = []

    def add(self, target: Floats, places: Numbers, groups: tuple[Energy, ...], slews: Floats, loads: Floats) -> None:
        """Ask for the groups' sum at ``target[places]``; slews are ``(cells, 2)``, loads ``(cells,)``."""
        for group in groups:
            for edge, table in enumerate((group.rise, group.fall)):
                if table is not None:
                    self.parts.append((target, places, edge, self.tables.add(table), slews[:, edge], loads))

    def answer(self) -> None:
        if not self.parts:
            return
        numbers = np.concatenate([np.full(len(part[1]), part[3]) for part in self.parts])
        slews, loads = (np.concatenate([part[place] for part in self.parts]) for place in (4, 5))
        values, at = self.tables.look_up(numbers, slews, loads), 0
        for target, places, edge, *_ in self.parts:
            target[places, edge] += values[at:at + len(places)]
            at += len(places)

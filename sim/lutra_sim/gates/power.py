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
        self._tables = Tables()
        for number, behaviour in enumerate(netlist.behaviours):
            cells = np.flatnonzero(netlist.type == number)
            for place, (output, pin, groups) in enumerate(behaviour.output_energies):
                source = netlist.inputs[netlist.input_start[cells] + pin]
                target = netlist.outputs[netlist.output_start[cells] + output]
                loads = np.where(target == OPEN, 0.0, netlist.load_ff[target])
                slews = timing.slews[source].max(axis=1)
                self.outputs[self.output_start[cells] + place] = self._sum(groups, np.stack([slews, slews], 1), loads)
            for place, (pin, groups) in enumerate(behaviour.input_energies):
                source = netlist.inputs[netlist.input_start[cells] + pin]
                self.inputs[self.input_start[cells] + place] = self._sum(groups, timing.slews[source], np.zeros(len(cells)))

    def _sum(self, groups: tuple[Energy, ...], slews: Floats, loads: Floats) -> Floats:
        total = np.zeros((len(loads), 2))
        for group in groups:
            for edge, table in enumerate((group.rise, group.fall)):
                total[:, edge] += self._tables.look_up(np.full(len(loads), self._tables.add(table)), slews[:, edge], loads)
        return total

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

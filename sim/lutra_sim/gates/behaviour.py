"""What a cell does in each of its states, as tables of integers: the same for all its instances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cell import Arc, Cell, Energy, Kind
from .expression import evaluate

__all__ = ["NONE", "Behaviour"]

NONE = 255  # no arc
UNTIMED = ("min_pulse_width", "clear", "preset", "three_state")

States = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Behaviour:
    """A cell's tables. A state's number has the input pins from bit 0 on and, if there is one, the kept bit on top.

    Parameters
    ----------
    outputs : bool ``(outputs, states)``. next, open : what a flip-flop or an open latch takes, where a latch is open.
    clock : the input whose edge counts, -1 without one. rising : whether it is the rise.
    initial : the kept bit at first: as after a clock with all inputs low.
    delays : output, input and group of each timing arc. delay_arc : which of them a pin's change takes to an output,
        uint8 ``(outputs, inputs, states)``, ``NONE`` where there is none.
    output_energies, output_energy : groups that add up, and which of them, of the same shape.
    input_energies, input_energy : for the change of an input itself, uint8 ``(inputs, states)``.
    leakage : nW ``(states,)``.
    """

    cell: Cell
    outputs: States
    next: States
    open: States
    clock: int
    rising: bool
    initial: int
    delays: tuple[tuple[int, int, Arc], ...]
    delay_arc: NDArray[np.uint8]
    output_energies: tuple[tuple[int, int, tuple[Energy, ...]], ...]
    output_energy: NDArray[np.uint8]
    input_energies: tuple[tuple[int, tuple[Energy, ...]], ...]
    input_energy: NDArray[np.uint8]
    leakage: NDArray[np.float64]

    @property
    def kind(self) -> Kind:
        return self.cell.kind

    @classmethod
    def of(cls, cell: Cell) -> "Behaviour":
        """The tables; ``ValueError`` for a cell that the simulation cannot follow, in one sentence."""
        if cell.resets:
            raise ValueError(f"cells with asynchronous resets are not simulated: {cell.name}")
        inputs, keeps = cell.inputs, cell.kind is not Kind.LOGIC
        numbers = np.arange(2**(len(inputs) + keeps))
        pins: dict[str, States] = {pin: (numbers >> place & 1).astype(bool) for place, pin in enumerate(inputs)}
        values = dict(pins)
        if keeps:
            kept = (numbers >> len(inputs) & 1).astype(bool)
            values |= {cell.state[0]: kept} | ({cell.state[1]: ~kept} if cell.state[1:] and cell.state[1] else {})
        nothing = np.zeros(len(numbers), bool)
        outputs = []
        for pin in cell.outputs:
            if not cell.pins[pin].function:
                raise ValueError(f"the output {pin} of the cell {cell.name} must have a function to be simulated")
            outputs.append(np.broadcast_to(evaluate(cell.pins[pin].function, values), numbers.shape))
        values |= dict(zip(cell.outputs, outputs, strict=True))
        following = evaluate(cell.next, values) if keeps else nothing
        opened = evaluate(cell.clock, values) if keeps else nothing
        clock, rising = _clock(cell, pins, opened) if keeps else (-1, True)
        rows = _Rows(cell, values, inputs)
        return cls(cell, np.array(outputs).reshape(-1, len(numbers)), following, opened, clock, rising,
                   int(following[0]) if keeps else 0, *rows.delays(), *rows.output_energies(),
                   *rows.input_energies(), rows.leakage())


def _clock(cell: Cell, pins: dict[str, States], opened: States) -> tuple[int, bool]:
    for place, values in enumerate(pins.values()):
        for rising in (True, False):
            if (opened == (values == rising)).all():
                return place, rising
    raise ValueError(f"the clock of the cell {cell.name} must be one of its pins or its inverse, not {cell.clock}")


@dataclass(frozen=True, eq=False)
class _Rows:
    """Chooses among a pin's groups by their conditions."""

    cell: Cell
    values: dict[str, States]
    inputs: list[str]

    @property
    def states(self) -> int:
        return len(next(iter(self.values.values())))

    def _holds(self, when: str) -> States:
        return np.broadcast_to(evaluate(when, self.values), self.states)

    def _choose(self, groups: Sequence[Arc | Energy]) -> NDArray[np.int64]:
        """The first group whose condition holds in each state, else the first without one, else -1."""
        chosen = np.full(self.states, -1)
        for place, group in sorted(enumerate(groups), key=lambda item: (item[1].when != "", -item[0])):
            chosen[self._holds(group.when) if group.when else slice(None)] = place
        return chosen

    def delays(self) -> tuple[tuple[tuple[int, int, Arc], ...], NDArray[np.uint8]]:
        found: list[tuple[int, int, Arc]] = []
        table = np.full((len(self.cell.outputs), len(self.inputs), self.states), NONE, np.uint8)
        for output, pin in enumerate(self.cell.outputs):
            timed = [arc for arc in self.cell.pins[pin].arcs
                     if (not arc.kind.startswith(UNTIMED) and "cell_rise" in arc.tables) or "cell_fall" in arc.tables]
            for place, name in enumerate(self.inputs):
                arcs = _merged([arc for arc in timed if arc.related == name])
                if not arcs:
                    continue
                chosen = self._choose(arcs)
                chosen[chosen < 0] = 0
                table[output, place] = len(found) + chosen
                found += [(output, place, arc) for arc in arcs]
        if len(found) >= NONE:
            raise ValueError(f"the cell {self.cell.name} has too many timing arcs: {len(found)}")
        return tuple(found), table

    def output_energies(self) -> tuple[tuple[tuple[int, int, tuple[Energy, ...]], ...], NDArray[np.uint8]]:
        found: list[tuple[int, int, tuple[Energy, ...]]] = []
        table = np.full((len(self.cell.outputs), len(self.inputs), self.states), NONE, np.uint8)
        for output, pin in enumerate(self.cell.outputs):
            for place, name in enumerate(self.inputs):
                groups = [energy for energy in self.cell.pins[pin].energies if energy.related in (name, "")]
                for numbers, groups_here in self._sums(groups):
                    table[output, place, numbers] = len(found)
                    found.append((output, place, groups_here))
        return tuple(found), table

    def input_energies(self) -> tuple[tuple[tuple[int, tuple[Energy, ...]], ...], NDArray[np.uint8]]:
        found: list[tuple[int, tuple[Energy, ...]]] = []
        table = np.full((len(self.inputs), self.states), NONE, np.uint8)
        for place, name in enumerate(self.inputs):
            for numbers, groups in self._sums(self.cell.pins[name].energies):
                table[place, numbers] = len(found)
                found.append((place, groups))
        return tuple(found), table

    def _sums(self, groups: Sequence[Energy]) -> list[tuple[States, tuple[Energy, ...]]]:
        """For the states that take the same groups, one of each supply: where they are, and the groups."""
        supplies = sorted({group.supply for group in groups})
        lists = [[group for group in groups if group.supply == supply] for supply in supplies]
        if not lists:
            return []
        chosen = np.array([self._choose(part) for part in lists])
        result = []
        for picks in np.unique(chosen, axis=1).T:
            taken = tuple(part[pick] for part, pick in zip(lists, picks, strict=True) if pick >= 0)
            if taken:
                result.append(((chosen == picks[:, None]).all(axis=0), taken))
        return result

    def leakage(self) -> NDArray[np.float64]:
        total = np.zeros(self.states)
        for supply in {leak.supply for leak in self.cell.leakages}:
            leaks = [leak for leak in self.cell.leakages if leak.supply == supply]
            values = np.full(self.states, next((leak.value for leak in leaks if not leak.when), 0.0))
            for leak in leaks:
                if leak.when:
                    values[self._holds(leak.when)] = leak.value
            total += values
        return total


def _merged(arcs: list[Arc]) -> list[Arc]:
    """Arcs that give only a rise or only a fall, joined with the one that gives the other."""
    whole = [arc for arc in arcs if {"cell_rise", "cell_fall"} <= arc.tables.keys()]
    rises = [arc for arc in arcs if "cell_fall" not in arc.tables]
    falls = [arc for arc in arcs if "cell_rise" not in arc.tables]
    if not rises or not falls:
        return whole or arcs
    return whole + [Arc(rise.related, rise.kind, rise.sense, fall.when if len(falls) > 1 else rise.when,
                        rise.tables | fall.tables) for rise in rises for fall in falls]

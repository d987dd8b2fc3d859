"""One cell of a library: pins, functions, tables of delay and energy, in ns, fF, fJ and nW."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .groups import Group
from .tables import Table, Units

__all__ = ["Arc", "Cell", "Energy", "Kind", "Leakage", "Pin"]

class Kind(Enum):
    """What a cell does with time."""

    LOGIC = 0
    FLIP_FLOP = 1
    LATCH = 2  # clock gates included: a latch and an AND


@dataclass(frozen=True, eq=False)
class Arc:
    """A timing group: from ``related`` to the pin, when ``when`` holds; of ``tables`` a logic arc has four."""

    related: str
    kind: str
    sense: str
    when: str
    tables: dict[str, Table]


@dataclass(frozen=True, eq=False)
class Energy:
    """An internal_power group: of a pin's transition, because of ``related`` if the pin is an output; fJ."""

    related: str
    when: str
    supply: str
    rise: Table | None
    fall: Table | None


@dataclass(frozen=True)
class Leakage:
    """A leakage_power group, in nW."""

    when: str
    supply: str
    value: float


@dataclass(frozen=True, eq=False)
class Pin:
    """A pin: its capacitance in fF and its groups."""

    name: str
    direction: str
    capacitance: float
    function: str
    arcs: tuple[Arc, ...]
    energies: tuple[Energy, ...]

    @classmethod
    def of(cls, group: Group, units: Units, templates: Mapping[str, Group]) -> "Pin":
        rise_fall = [float(group.get(f"{edge}_capacitance", "0")) for edge in ("rise", "fall")]
        capacitance = float(group.get("capacitance", "0")) or max(rise_fall)
        arcs = tuple(arc for timing in group.all("timing") for arc in _arcs(timing, units, templates))
        powers = group.all("internal_power")
        energies = tuple(energy for power in powers for energy in _energies(power, units, templates))
        return cls(group.argument, group.get("direction", "input"), capacitance * units.capacitance_ff,
                   group.get("function", "") or group.get("state_function", ""), arcs, energies)


def _tables(group: Group, units: Units, unit: float, templates: Mapping[str, Group]) -> dict[str, Table]:
    return {part.name: Table.of(part, units, unit, templates) for part in group.groups
            if part.array("values") is not None}


def _arcs(group: Group, units: Units, templates: Mapping[str, Group]) -> list[Arc]:
    tables = _tables(group, units, units.time_ns, templates)
    return [Arc(related, group.get("timing_type", "combinational"), group.get("timing_sense", "non_unate"),
                group.get("when", ""), tables) for related in group.get("related_pin", "").split()]


def _energies(group: Group, units: Units, templates: Mapping[str, Group]) -> list[Energy]:
    tables = _tables(group, units, units.energy_fj, templates)
    rise, fall = (tables.get(name, tables.get("power")) for name in ("rise_power", "fall_power"))
    return [Energy(related, group.get("when", ""), group.get("related_pg_pin", ""), rise, fall)
            for related in group.get("related_pin", "").split() or [""]]


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell: area in square micrometres, and what it does.

    Parameters
    ----------
    state : names of the state and of its inverse, empty for logic. next : what a flip-flop takes at its clock's edge,
        or a latch while it is open. clock : its rise is a flip-flop's edge; a latch is open while it is true.
    gate : the kind of clock gate, empty for other cells. resets : expressions of clear and preset.
    """

    name: str
    area: float
    kind: Kind
    pins: dict[str, Pin]
    leakages: tuple[Leakage, ...]
    state: tuple[str, ...] = ()
    next: str = ""
    clock: str = ""
    gate: str = ""
    resets: tuple[str, ...] = ()
    dont_use: bool = False

    @property
    def inputs(self) -> list[str]:
        return [pin.name for pin in self.pins.values() if pin.direction == "input"]

    @property
    def outputs(self) -> list[str]:
        return [pin.name for pin in self.pins.values() if pin.direction == "output"]

    @classmethod
    def of(cls, group: Group, units: Units, templates: Mapping[str, Group]) -> "Cell":
        pins = {part.argument: Pin.of(part, units, templates) for part in group.all("pin")}
        return cls(group.argument, float(group.get("area", "0")), pins=pins, leakages=_leakages(group, units),
                   dont_use=group.get("dont_use", "") == "true", **_function(group, pins))


def _leakages(group: Group, units: Units) -> tuple[Leakage, ...]:
    """The state-dependent ones, and the cell's own for states that have none."""
    found = [Leakage(part.get("when", ""), part.get("related_pg_pin", ""),
                     float(part.get("value", "0")) * units.leakage_nw) for part in group.all("leakage_power")]
    if not any(not leakage.when for leakage in found):
        own = float(group.get("cell_leakage_power", "0")) * units.leakage_nw
        found.append(Leakage("", found[0].supply if found else "", own))
    return tuple(found)


def _function(group: Group, pins: Mapping[str, Pin]) -> dict[str, Any]:
    gate = group.get("clock_gating_integrated_cell", "")
    if gate:
        clock = [part.argument for part in group.all("pin") if part.get("clock_gate_clock_pin", "") == "true"]
        states = [part.get("internal_node", "") for part in group.all("pin") if part.get("direction", "") == "internal"]
        enables = [pin.name for pin in pins.values() if pin.direction == "input" and pin.name not in clock]
        if gate.startswith("latch_posedge") and len(clock) == 1 and states:
            return {"kind": Kind.LATCH, "state": (states[0], ""), "next": " | ".join(enables), "clock": f"!{clock[0]}",
                    "gate": gate}
    for kind, name, value, clock_name in ((Kind.FLIP_FLOP, "ff", "next_state", "clocked_on"),
                                          (Kind.LATCH, "latch", "data_in", "enable")):
        for part in group.all(name):
            resets = tuple(part.get(reset, "") for reset in ("clear", "preset"))
            return {"kind": kind, "state": tuple(re.findall(r"\w+", part.argument)), "next": part.get(value, ""),
                    "clock": part.get(clock_name, ""), "resets": resets if any(resets) else ()}
    return {"kind": Kind.LOGIC, "gate": gate}

"""One cell of a library: pins, functions, tables of delay and energy, in nanoseconds, femtofarads, femtojoules, nanowatts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .groups import Group

__all__ = ["Arc", "Cell", "Energy", "Kind", "Leakage", "Pin", "Table", "Units", "WireLoad"]

Floats = NDArray[np.float64]
SLEWS = {"input_net_transition", "input_transition_time", "related_pin_transition"}
LOADS = {"total_output_net_capacitance", "equal_or_opposite_output_net_capacitance"}


class Kind(Enum):
    """What a cell does with time."""

    LOGIC = 0
    FLIP_FLOP = 1
    LATCH = 2  # clock gates included: a latch and an AND


@dataclass(frozen=True)
class Units:
    """What 1 means in a file, in the units of this package; an energy's is capacitance times voltage squared."""

    time_ns: float
    capacitance_ff: float
    voltage_v: float
    leakage_nw: float

    @property
    def energy_fj(self) -> float:
        return self.capacitance_ff * self.voltage_v**2


@dataclass(frozen=True, eq=False)
class WireLoad:
    """Capacitance of a net's wires by its fan-out: fF per unit of length, slope beyond the table, ``(fanout, length)``."""

    name: str
    unit_ff: float
    slope: float
    lengths: Floats

    @classmethod
    def of(cls, group: Group, units: Units) -> "WireLoad":
        pairs = [text.split(",") for name, text in group.complexes if name == "fanout_length"]
        table = np.array(sorted((float(pair[0]), float(pair[1])) for pair in pairs)) if pairs else np.zeros((1, 2))
        return cls(group.argument, float(group.get("capacitance", "0")) * units.capacitance_ff,
                   float(group.get("slope", "0")), table)

    def capacitance_ff(self, fanout: NDArray[np.int64]) -> Floats:
        """Of nets with that many sinks; none for a net that nothing takes."""
        last, longest = self.lengths[-1]
        inside = np.interp(fanout, *self.lengths.T)
        length = np.where(fanout > last, longest + (fanout - last) * self.slope, inside)
        return np.where(fanout > 0, length * self.unit_ff, 0.0)


@dataclass(frozen=True, eq=False)
class Table:
    """Values ``(slews, loads)`` at transition times (ns) and loads (fF); one row or column where it does not matter."""

    slews: Floats
    loads: Floats
    values: Floats

    @classmethod
    def of(cls, group: Group, units: Units, unit: float, templates: Mapping[str, Group]) -> "Table":
        template = templates.get(group.argument, Group("", ""))
        values = group.array("values")
        if values is None or not len(values):
            raise ValueError(f"a table {group.name} ({group.argument}) must have values")
        if len(values) == 1:
            return cls(np.zeros(1), np.zeros(1), values.reshape(1, 1) * unit)
        axes = []
        for number in (1, 2):
            variable = template.get(f"variable_{number}", "input_transition_time" if number == 1 else min(LOADS))
            axis = group.array(f"index_{number}")
            axis = template.array(f"index_{number}") if axis is None else axis
            if axis is not None and len(values) > 1:
                axes.append((variable, axis))
        if len(values) == len(axes[0][1]):
            axes = axes[:1]
        table = values.reshape([len(axis) for _, axis in axes]) * unit
        if len(axes) == 1:
            table = table[:, None] if axes[0][0] not in LOADS else table[None]
            axes = [*axes, ("", np.zeros(1))] if axes[0][0] not in LOADS else [("", np.zeros(1)), *axes]
        elif axes[0][0] in LOADS or axes[1][0] in SLEWS:  # of a constraint: clock's slew first, then the data's
            table, axes = table.T, axes[::-1]
        second = units.capacitance_ff if axes[1][0] in LOADS else units.time_ns
        return cls(axes[0][1] * units.time_ns, axes[1][1] * second, np.ascontiguousarray(table))


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
    clock: bool

    @classmethod
    def of(cls, group: Group, units: Units, templates: Mapping[str, Group]) -> "Pin":
        rise_fall = [float(group.get(f"{edge}_capacitance", "0")) for edge in ("rise", "fall")]
        capacitance = float(group.get("capacitance", "0")) or max(rise_fall)
        arcs = tuple(arc for timing in group.all("timing") for arc in _arcs(timing, units, templates))
        energies = tuple(energy for power in group.all("internal_power") for energy in _energies(power, units, templates))
        clock = "true" in (group.get("clock", ""), group.get("clock_gate_clock_pin", ""))
        return cls(group.argument, group.get("direction", "input"), capacitance * units.capacitance_ff,
                   group.get("function", "") or group.get("state_function", ""), arcs, energies, clock)


def _tables(group: Group, units: Units, unit: float, templates: Mapping[str, Group]) -> dict[str, Table]:
    return {part.name: Table.of(part, units, unit, templates) for part in group.groups if part.array("values") is not None}


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
    state : names of the state and of its inverse, empty for logic. next : what a flip-flop takes at its clock's edge, or
        a latch while it is open. clock : expression whose rise is the flip-flop's edge; true while a latch is open.
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
        leakages = [Leakage(part.get("when", ""), part.get("related_pg_pin", ""),
                            float(part.get("value", "0")) * units.leakage_nw) for part in group.all("leakage_power")]
        if not leakages:
            leakages = [Leakage("", "", float(group.get("cell_leakage_power", "0")) * units.leakage_nw)]
        elif all(leakage.when for leakage in leakages) and group.get("cell_leakage_power", ""):
            leakages.append(Leakage("", leakages[0].supply, float(group.get("cell_leakage_power", "0")) * units.leakage_nw))
        return cls(group.argument, float(group.get("area", "0")), pins=pins, leakages=tuple(leakages),
                   dont_use=group.get("dont_use", "") == "true", **_function(group, pins))  # type: ignore[arg-type]


def _function(group: Group, pins: Mapping[str, Pin]) -> dict[str, object]:
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

"""Units of a library, its tables of two axes, and its wires: in ns, fF, fJ and nW."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .groups import Group

__all__ = ["Table", "Units", "WireLoad"]

Floats = NDArray[np.float64]
SLEWS = {"input_net_transition", "input_transition_time", "related_pin_transition"}
LOADS = {"total_output_net_capacitance", "equal_or_opposite_output_net_capacitance"}


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
    """Capacitance of a net's wires by how many pins take it.

    Parameters
    ----------
    unit_ff : fF per unit of length. slope : length per pin beyond the table.
    lengths : ``(points, 2)``, pins and length.
    """

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
    """Values ``(slews, loads)`` at transition times in ns and loads in fF; one row or column if one does not count."""

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

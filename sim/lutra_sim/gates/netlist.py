"""A netlist of library cells as integer arrays: connections, levels, loads, and what follows from them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .behaviour import Behaviour
from .graph import CLOCK, OPEN, clocked, levels
from .liberty import Library

if TYPE_CHECKING:
    from .power import Power
    from .timing import Timing

__all__ = ["CLOCK", "HIGH", "LOW", "OPEN", "Netlist", "Port"]

LOW, HIGH = 0, 1  # the nets that never change

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Port:
    """A port: whether it is an input, and its nets from bit 0 on."""

    is_input: bool
    nets: Ints

    @property
    def width(self) -> int:
        return len(self.nets)


@dataclass(frozen=True, eq=False)
class Netlist:
    """Cells and nets of one flat module; net 0 is always low and net 1 always high.

    Parameters
    ----------
    types : the cell types in it; ``type`` int32 ``(cells,)`` indexes them. instances, nets : names.
    inputs, outputs : nets of all cells' pins in the order of ``Cell.inputs`` and ``Cell.outputs``, one cell after the
        other, int32; ``input_start`` and ``output_start`` are ``(cells + 1,)``. An output that nothing takes is -1: it
        has no transitions and costs nothing.
    ports : by name. wire_load : name of the wire-load model, None for the library's preferred one.
    """

    name: str
    library: Library
    types: tuple[str, ...]
    type: Ints
    instances: tuple[str, ...]
    nets: tuple[str, ...]
    inputs: Ints
    input_start: Ints
    outputs: Ints
    output_start: Ints
    ports: dict[str, Port]
    wire_load: str | None = None

    @classmethod
    def of(cls, module: Mapping[str, Any], library: Library, *, name: str, wire_load: str | None = None) -> "Netlist":
        """The netlist of a module in yosys' JSON. Raises ``ValueError`` for a cell that the library does not have."""
        cells = sorted(module["cells"].items())
        types = tuple(sorted({cell["type"] for _, cell in cells}))
        for kind in types:
            if kind not in library:
                count = sum(cell["type"] == kind for _, cell in cells)
                raise ValueError(f"the netlist of {name} has {count} cells {kind}, which are not in the library "
                                 f"{library.name}")
        numbers: dict[object, int] = {"0": LOW, "x": LOW, "z": LOW, "1": HIGH}

        def number(bit: object) -> int:
            return numbers.setdefault(bit, len(numbers) - 2)  # three names of net 0

        ports = {port: Port(part["direction"] == "input", np.array([number(bit) for bit in part["bits"]], np.int32))
                 for port, part in module["ports"].items()}
        inputs: list[int] = []
        outputs: list[int] = []
        starts = [(0, 0)]
        for _, cell in cells:
            pins, connections = library[cell["type"]], cell["connections"]
            inputs += [number(connections[pin][0]) if connections.get(pin) else LOW for pin in pins.inputs]
            outputs += [number(connections[pin][0]) if connections.get(pin) else OPEN for pin in pins.outputs]
            starts.append((len(inputs), len(outputs)))
        names = [""] * (max(numbers.values()) + 1)
        for net, part in sorted(module["netnames"].items(), key=lambda item: (item[0].startswith("$"), item[0])):
            for place, bit in enumerate(part["bits"]):
                if bit in numbers and not names[numbers[bit]]:
                    names[numbers[bit]] = f"{net}[{place}]" if len(part["bits"]) > 1 else net
        taken = set(inputs) | {net for port in ports.values() if not port.is_input for net in port.nets.tolist()}
        outputs = [net if net in taken else OPEN for net in outputs]
        index = {kind: place for place, kind in enumerate(types)}
        return cls(name, library, types, np.array([index[cell["type"]] for _, cell in cells], np.int32),
                   tuple(instance for instance, _ in cells), tuple(names), np.array(inputs, np.int32),
                   np.array([start for start, _ in starts], np.int32), np.array(outputs, np.int32),
                   np.array([start for _, start in starts], np.int32), ports, wire_load)

    @cached_property
    def behaviours(self) -> tuple[Behaviour, ...]:
        return tuple(Behaviour.of(self.library[kind]) for kind in self.types)

    @cached_property
    def cells(self) -> dict[str, int]:
        """How many cells of each type."""
        counts = Counter(self.type.tolist())
        return {kind: counts[place] for place, kind in enumerate(self.types)}

    @cached_property
    def area_um2(self) -> float:
        """Area of the cells, without wires and filling."""
        return sum(self.library[kind].area * count for kind, count in self.cells.items())

    @cached_property
    def sinks(self) -> tuple[NDArray[np.int64], Ints, Ints]:
        """What takes each net: start of its list ``(nets + 1,)``, and the lists of cells and of their pins."""
        order = np.argsort(self.inputs, kind="stable")
        widths = np.diff(self.input_start)
        cells = np.repeat(np.arange(len(widths)), widths)
        pins = np.arange(len(self.inputs)) - self.input_start[cells]
        counts = np.bincount(self.inputs, minlength=len(self.nets))
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return start, cells[order].astype(np.int32), pins[order].astype(np.int32)

    @cached_property
    def clocked(self) -> NDArray[np.bool_]:
        """Which nets are the clock, or the clock behind gates, buffers and inverters: ``(nets,)``."""
        return clocked(self)

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """Of each cell: 0 for flip-flops, latches and clock gates, else one more than the cells before it."""
        return levels(self)

    @cached_property
    def load_ff(self) -> NDArray[np.float64]:
        """Capacitance of each net's pins and, by the wire-load model, of its wires: fF ``(nets,)``."""
        capacitances = [[behaviour.cell.pins[pin].capacitance for pin in behaviour.cell.inputs]
                        for behaviour in self.behaviours]
        pins = np.array([capacitance for kind in self.type for capacitance in capacitances[kind]])
        loads = np.bincount(self.inputs, pins, len(self.nets)) if len(pins) else np.zeros(len(self.nets))
        loads += self.library.wire_load(self.wire_load).capacitance_ff(np.diff(self.sinks[0]))
        loads[[LOW, HIGH]] = 0.0
        return loads

    @cached_property
    def timing(self) -> "Timing":
        """Transition times, delays and arrivals."""
        from .timing import Timing
        return Timing(self)

    @property
    def delay_ns(self) -> float:
        """The longest path from a register or an input to a register, its setup time included, or to an output."""
        return self.timing.delay_ns

    @cached_property
    def power(self) -> "Power":
        """What each transition costs."""
        from .power import Power
        return Power(self, self.timing)

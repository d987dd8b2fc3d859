"""Which cells of a library synthesis may take, and the text of those cells that yosys reads, without energies."""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from .cell import Cell, Kind
from .expression import evaluate, names
from .liberty import INSIDE, Library

__all__ = ["Adder", "Choice", "lean", "truth"]

# Cells for clock trees, delay, scan, power switching and analogue use; and widths that a good flow avoids.
AVOIDED = re.compile(r"CLKBUF|clkbuf|clkinv|clkdly|dly(gate|metal)|lpflow|probe|bufbuf|bufinv|macro|decap|fill|ANTENNA|"
                     r"WELLTAP|diode|ebuf|einv|TBUF|TINV|xp(25|33|5|67)_ASAP7|x\d*p\d+_ASAP7|^HB\d", re.IGNORECASE)
UNREAD = re.compile(r"(?<!\w)(?:internal_power|leakage_power|pg_pin)" + INSIDE)
RELATED = re.compile(r"related_pin\s*:\s*\"?([^\";]*)\"?")
WHEN = re.compile(r"(?<!\w)when\s*:")
TIMING = re.compile(r"(?<!\w)timing" + INSIDE)


@dataclass(frozen=True)
class Adder:
    """The library's full adder: its pins under the names in full_adder.v, and which outputs are inverted."""

    cell: str
    pins: dict[str, str]
    sum_inverted: bool
    carry_inverted: bool


@dataclass(frozen=True)
class Choice:
    """The cells that synthesis uses: logic, and one of each kind that yosys' abc does not choose by itself.

    ``latches`` are the ones open while their clock is low and high.
    """

    logic: tuple[str, ...]
    flip_flop: str
    clock_gate: str
    latches: tuple[str, str]
    full_adder: Adder | None
    inverter: str
    load_ff: float

    @classmethod
    @cache
    def of(cls, library: Library) -> "Choice":
        """The choice; raises ``ValueError`` when there is no inverter or no flip-flop, or no cell has energies."""
        outlines = [library.outline(name) for name in library]
        cells = [cell for cell in outlines if cell.area > 0 and cell.outputs and not cell.dont_use
                 and not AVOIDED.search(cell.name)]
        logic = [cell for cell in cells if cell.kind is Kind.LOGIC and not cell.gate and len(cell.outputs) == 1
                 and all(cell.pins[pin].function and _reads(cell, pin) for pin in cell.outputs)]
        flip_flops = [cell for cell in cells if cell.kind is Kind.FLIP_FLOP and _plain(cell)]
        inverters = [cell for cell in logic if len(cell.inputs) == 1 and not truth(cell)[0][1] and truth(cell)[0][0]]
        for kind, found in (("inverter", inverters), ("flip-flop without reset", flip_flops)):
            if not found:
                raise ValueError(f"the library {library.name} must have an {kind}" if kind == "inverter" else
                                 f"the library {library.name} must have a {kind} that takes D at the clock's rise")
        if not any("internal_power" in library.texts[cell.name] for cell in (*inverters, *flip_flops)):
            raise ValueError(f"the library {library.name} must have internal_power tables, and has none")
        gates = [cell for cell in outlines if cell.gate and cell.kind is Kind.LATCH]
        inverter = min(inverters, key=_size)
        return cls(tuple(cell.name for cell in logic), min(flip_flops, key=_size).name,
                   min(gates, key=lambda cell: (len(cell.inputs), *_size(cell))).name if gates else "",
                   _latches(cells), _full_adder(cells), inverter.name,
                   4 * inverter.pins[inverter.inputs[0]].capacitance)

    @property
    def constraints(self) -> str:
        """What abc is told about ports: the smallest inverter drives them, and four of it are their load."""
        return f"set_driving_cell {self.inverter}\nset_load {self.load_ff:.3f} [all_outputs]\n"


def truth(cell: Cell) -> np.ndarray:
    """Of a logic cell: bool ``(outputs, 2 ** inputs)``, input 0 is the lowest bit of the column's number."""
    states = np.arange(2**len(cell.inputs))
    values = {pin: (states >> place & 1).astype(bool) for place, pin in enumerate(cell.inputs)}
    return np.array([np.broadcast_to(evaluate(cell.pins[pin].function, values), states.shape) for pin in cell.outputs])


def _size(cell: Cell) -> tuple[float, float, str]:
    return cell.area, sum(pin.capacitance for pin in cell.pins.values()), cell.name


def _reads(cell: Cell, pin: str) -> bool:
    used = names(cell.pins[pin].function)
    return bool(used) and used <= set(cell.inputs)


def _plain(cell: Cell) -> bool:
    """A flip-flop with a clock's rise, data and nothing else."""
    data = cell.next.strip("()! ")
    return not cell.resets and len(cell.inputs) == 2 and {data, cell.clock.strip("() ")} == set(cell.inputs)


def _latches(cells: list[Cell]) -> tuple[str, str]:
    found = ["", ""]
    for cell in sorted(cells, key=_size, reverse=True):
        plain = any(cell.pins[pin].function.strip("() ") == cell.state[0] for pin in cell.outputs if cell.state)
        if cell.kind is Kind.LATCH and not cell.gate and not cell.resets and len(cell.inputs) == 2 and plain:
            values = {pin: np.array([False, True]) for pin in cell.inputs}
            open_when = evaluate(cell.clock, values)
            found[int(open_when[1])] = cell.name
    return found[0], found[1]


def _full_adder(cells: list[Cell]) -> Adder | None:
    ones = np.array([bin(number).count("1") for number in range(8)])
    tables = {"PIN_SUM": ones % 2 == 1, "PIN_CARRY": ones >= 2}
    best: Adder | None = None
    for cell in sorted(cells, key=_size, reverse=True):
        if cell.kind is not Kind.LOGIC or len(cell.inputs) != 3 or len(cell.outputs) != 2:
            continue
        if not all(cell.pins[pin].function and _reads(cell, pin) for pin in cell.outputs):
            continue
        pins, inverted = {}, {}
        for output, values in zip(cell.outputs, truth(cell), strict=True):
            for name, table in tables.items():
                if (values == table).all() or (values == ~table).all():
                    pins[name], inverted[name] = output, bool((values != table).any())
        if len(pins) == 2:
            pins |= dict(zip(("PIN_A", "PIN_B", "PIN_C"), cell.inputs, strict=True))
            best = Adder(cell.name, pins, inverted["PIN_SUM"], inverted["PIN_CARRY"])
    return best


def lean(library: Library, choice: Choice) -> str:
    """Liberty text of the chosen cells, without the groups that yosys and abc do not read."""
    kept = [*choice.logic, choice.flip_flop, *filter(None, (choice.clock_gate, *choice.latches))]
    if choice.full_adder:
        kept.append(choice.full_adder.cell)
    return "\n".join([library.head, *(_lean_cell(library.texts[name]) for name in kept), "}\n"])


def _lean_cell(text: str) -> str:
    text = UNREAD.sub("", text)
    depth = 0
    for match in re.finditer(r"[{}]", text):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            text = text[:match.end()]
            break
    return "".join(_lean_pin(part) for part in re.split(r"(?=\bpin\s*\()", text))


def _lean_pin(text: str) -> str:
    """Of a pin's arcs, those from each other pin by itself; without condition, where there is one without."""
    always = {pin for timing in TIMING.findall(text) if not WHEN.search(timing) for pin in _related(timing)}

    def arcs(match: re.Match[str]) -> str:
        kept = [pin for pin in _related(match[0]) if not (WHEN.search(match[0]) and pin in always)]
        return "\n".join(RELATED.sub(f'related_pin : "{pin}"', match[0]) for pin in kept)

    return TIMING.sub(arcs, text)


def _related(timing: str) -> list[str]:
    match = RELATED.search(timing)
    return match[1].split() if match else []

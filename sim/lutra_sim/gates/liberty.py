"""Reader of Liberty cell libraries: units, cells, pins, functions, leakage, and tables of delay and energy.

Cells are parsed when they are first asked for: a library of 50 MB opens in about a second.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from .cell import Cell
from .groups import Group, parse
from .tables import Units, WireLoad

__all__ = ["INSIDE", "Library", "Source", "read"]

CELL = re.compile(r"(?<!\w)cell\s*\(\s*\"?([^\")\s]+)\"?\s*\)\s*\{")
HEAD = re.compile(r"(?<!\w)library\s*\(\s*\"?([^\")\s]+)\"?\s*\)\s*\{")
INSIDE = r"\s*\([^)]*\)\s*\{(?:[^{}]|\{[^{}]*\})*\}"  # of a group whose groups have none
TABLES = re.compile(r"(?<!\w)(?:internal_power|leakage_power|pg_pin|timing)" + INSIDE)
PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


@dataclass(frozen=True)
class Source:
    """A file that was read: its name and the SHA-256 of its bytes."""

    file: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Library(Mapping[str, Cell]):
    """The cells of one or several Liberty files that belong together, by name.

    Parameters
    ----------
    name : of the first file's library. voltage : V. corner : name of its operating conditions.
    temperature : degrees Celsius. units : of the files. sources : the files. wire_loads : by name.
    default_wire_load : the name of the one that the library prefers; empty if it has none.
    head : the text before the first cell. texts : of each cell.
    """

    name: str
    voltage: float
    corner: str
    temperature: float
    units: Units
    sources: tuple[Source, ...]
    wire_loads: dict[str, WireLoad]
    default_wire_load: str
    head: str = field(repr=False)
    texts: dict[str, str] = field(repr=False)
    templates: dict[str, Group] = field(repr=False)
    _parsed: dict[str, Cell] = field(default_factory=dict, repr=False)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __getitem__(self, name: str) -> Cell:
        if name not in self._parsed:
            if name not in self.texts:
                raise ValueError(f"the library {self.name} has no cell {name}")
            self._parsed[name] = Cell.of(parse(self.texts[name]), self.units, self.templates)
        return self._parsed[name]

    def outline(self, name: str) -> Cell:
        """The cell without its tables and leakages: a small part of the time to parse it."""
        if name in self._parsed:
            return self._parsed[name]
        return Cell.of(parse(TABLES.sub("", self.texts[name])), self.units, self.templates)

    def __contains__(self, name: object) -> bool:
        return name in self.texts

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def digest(self) -> str:
        """What tells this library from any other, for keys of caches."""
        return hashlib.sha256("".join(source.sha256 for source in self.sources).encode()).hexdigest()[:16]

    def wire_load(self, name: str | None = None) -> WireLoad:
        """The wire-load model of that name, or the preferred one; wires without capacitance if there is none."""
        if name is None:
            return self.wire_loads.get(self.default_wire_load, WireLoad("", 0.0, 0.0, np.zeros((1, 2))))
        if name not in self.wire_loads:
            raise ValueError(f"the wire load must be one of {', '.join(self.wire_loads) or 'none at all'}, not {name}")
        return self.wire_loads[name]


def read(paths: Sequence[Path | str]) -> Library:
    """The library in those Liberty files, plain or gzipped; the first one's header counts for all."""
    if not paths:
        raise ValueError("a cell library must be one Liberty file at least, not none")
    texts = [_text(Path(path)) for path in paths]
    heads = [_head(text, Path(path)) for path, (_, text) in zip(paths, texts, strict=True)]
    group = parse(heads[0] + "}")
    units = _units(group, Path(paths[0]))
    for path, head in zip(paths[1:], heads[1:], strict=True):
        if _units(parse(head + "}"), Path(path)) != units:
            raise ValueError(f"files of one cell library must have the same units: {paths[0]} and {path} do not")
    cells: dict[str, str] = {}
    for _, text in texts:
        cells.update(_cells(text))
    templates = {group.argument: group for head in heads for group in parse(head + "}").groups
                 if group.name.endswith("_template")}
    voltage, corner, temperature = _conditions(group, Path(paths[0]))
    wires = {part.argument: WireLoad.of(part, units) for part in group.groups if part.name == "wire_load"}
    return Library(group.argument, voltage, corner, temperature, units, tuple(source for source, _ in texts), wires,
                   group.get("default_wire_load", ""), heads[0], cells, templates)


def _text(path: Path) -> tuple[Source, str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the cell library {path} cannot be read ({error.strerror})") from error
    source = Source(path.name, hashlib.sha256(data).hexdigest())
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise ValueError(f"the cell library {path} is a damaged gzip file ({error})") from error
    text = re.sub(r"/\*.*?\*/", "", data.decode("latin-1"), flags=re.DOTALL)
    return source, re.sub(r"\\\s*\n", " ", text)


def _head(text: str, path: Path) -> str:
    match = HEAD.search(text[:20_000])
    first = CELL.search(text)
    if match is None or first is None:
        what = "the first" if match is None else "the second"
        raise ValueError(f"{path} must be a Liberty file, with `library (NAME) {{` and `cell (NAME) {{`, "
                         f"not one without {what}")
    return text[match.start():first.start()]


def _cells(text: str) -> Iterator[tuple[str, str]]:
    starts = list(CELL.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    for match, end in zip(starts, ends, strict=True):
        yield match[1], text[match.start():end]


def _unit(text: str, of: str) -> float:
    match = re.fullmatch(r"([\d.]+(?:e[+-]?\d+)?)\s*([fpnum]?)" + of, text, re.IGNORECASE)
    if match is None:
        raise ValueError(f"must be a number and a unit of {of}, not {text!r}")
    return float(match[1]) * PREFIXES[match[2].lower()]


def _units(group: Group, path: Path) -> Units:
    try:
        found = {name: group.get(name, "") for name in ("time_unit", "leakage_power_unit", "voltage_unit")}
        for name, text in found.items():
            if not text:
                raise ValueError(f"{name} is missing")
        load = group.complex("capacitive_load_unit")
        if load is None:
            raise ValueError("capacitive_load_unit is missing")
        return Units(time_ns=_unit(found["time_unit"], "s") * 1e9,
                     capacitance_ff=float(load[0]) * _unit("1" + load[1], "F") * 1e15,
                     voltage_v=_unit(found["voltage_unit"], "V"),
                     leakage_nw=_unit(found["leakage_power_unit"], "W") * 1e9)
    except ValueError as error:
        raise ValueError(f"{path}: the library's units must be given: {error}") from None


def _conditions(group: Group, path: Path) -> tuple[float, str, float]:
    """Voltage, corner's name, temperature."""
    corner = group.get("default_operating_conditions", "")
    chosen = [part for part in group.groups if part.name == "operating_conditions" and part.argument == corner]
    voltage = (chosen[0].get("voltage", "") if chosen else "") or group.get("nom_voltage", "")
    temperature = (chosen[0].get("temperature", "") if chosen else "") or group.get("nom_temperature", "25")
    if not voltage:
        raise ValueError(f"{path}: the library must give its voltage, nom_voltage or operating_conditions")
    return float(voltage), corner, float(temperature)

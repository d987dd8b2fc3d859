"""Technologies: named sets of prices, from JSON files that are answered with one sentence where they are wrong."""

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from .components import Quantity, kind_of
from .engines import ENGINES
from .entries import MACROS, REQUIRED, UNITS, Activity, Entry
from .files import parse_json, read_text
from .params import Metric
from .whole import most

__all__ = ["FORMAT", "NAMES", "STATUSES", "USUAL", "Technology", "builtin", "load", "parse"]

FORMAT = "lutra-technology-1"
NAMES = ("horowitz-45", "tpuv4i-7", "nangate45-gates", "asap7-gates", "sky130-gates")
USUAL = NAMES[:4]  # that reports show: a published and a measured one at either node
STATUSES = ("published", "unverified", "measured", "derived")
FIELDS = {"value", "unit", "source", "status", "uncertainty"}
MACRO_BITS = 64        # memories are built of macros this wide
SMALLEST_MACRO = 512   # bytes; smaller ones cost as much


@dataclass(frozen=True)
class Technology:
    """A named set of prices.

    Parameters
    ----------
    node_nm, voltage : of its logic, where known: what scaling to another node starts from.
    """

    name: str
    title: str
    dram_boundary: str
    entries: Mapping[str, Entry]
    node_nm: float | None = None
    voltage: float | None = None

    def entry_of(self, kind: str, component: str, entry: str) -> str | None:
        """Name of the entry that prices so: of one kind of component (`Structure.kind`), of any, or the general one.

        None: it costs nothing in this technology.
        """
        names = (f"{kind}.{component}.{entry}", f"{component}.{entry}", entry)
        return next((name for name in names if name in self.entries), None)

    def price(self, entry: str, *, words: int = 0, toggles: float | None = None) -> float:
        """An entry's value: of ``sram_*`` for one bit of a memory of so many words, built of macros of 64 bits."""
        if entry in MACROS:
            return self.entries[entry].at(most(words * MACRO_BITS // 8, SMALLEST_MACRO)) / MACRO_BITS
        value = self.entries[entry].value
        assert isinstance(value, float)
        return value if toggles is None else self.entries[entry].toggling(toggles)

    def area(self, kind: str, part: Quantity) -> float:
        """Square micrometres of one of a part in such a component."""
        entry = self.entry_of(kind, part.component, f"{part.entry}_area")
        return self.price(entry, words=part.words) if entry else 0.0


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _value(where: str, name: str, value: Any) -> float | tuple[tuple[float, float], ...]:
    if name not in MACROS:
        own = "." in name  # a component may pay for an entry in its other ones
        if not _is_price(value) or (value == 0 and not own):
            raise ValueError(f"{where}: value must be a number {'of at least' if own else 'above'} 0, "
                             f"not {json.dumps(value)}")
        return float(value)
    if (not isinstance(value, list) or not value
            or not all(isinstance(p, list) and len(p) == 2 and all(_is_price(x) and x > 0 for x in p) for p in value)):
        raise ValueError(f"{where}: value must be a list of [bytes, price] points, not {json.dumps(value)}")
    if any(a[0] >= b[0] for a, b in itertools.pairwise(value)):
        raise ValueError(f"{where}: points must be in growing order of bytes, not {json.dumps(value)}")
    return tuple((float(x), float(y)) for x, y in value)


def _activity(where: str, data: Any, value: Any) -> Activity | None:
    if data is None:
        return None
    if not isinstance(data, dict) or set(data) != {"idle", "rate"} or not all(map(_is_price, data.values())):
        raise ValueError(f"{where}: activity must have idle and rate, numbers of at least 0, not {json.dumps(data)}")
    if not data["rate"]:
        raise ValueError(f"{where}: activity: rate must be above 0, not {json.dumps(data['rate'])}")
    if not isinstance(value, float) or data["idle"] > value:
        raise ValueError(f"{where}: activity: idle must be at most the value, not {json.dumps(data['idle'])}")
    return Activity(float(data["idle"]), float(data["rate"]))


def _entry(file: str, name: str, unit: str, data: Any) -> Entry:
    where = f"{file}: entry {name}"
    fields = set(data) if isinstance(data, dict) else set()
    if missing := FIELDS - fields:
        raise ValueError(f"{where}: {' and '.join(sorted(missing))} must be given")
    if unknown := fields - FIELDS - {"activity"}:
        raise ValueError(f"{where} must have {', '.join(sorted(FIELDS))} and perhaps activity, "
                         f"not {', '.join(sorted(unknown))}")
    if data["unit"] != unit:
        raise ValueError(f"{where}: unit must be {unit}, not {json.dumps(data['unit'])}")
    if data["status"] not in STATUSES:
        raise ValueError(f"{where}: status must be one of {', '.join(STATUSES)}, not {json.dumps(data['status'])}")
    if not isinstance(data["source"], str) or not data["source"].strip():
        raise ValueError(f"{where}: source must say where the number is from, not {json.dumps(data['source'])}")
    if not _is_price(data["uncertainty"]) or data["uncertainty"] >= 1:
        raise ValueError(f"{where}: uncertainty must be at least 0 and below 1, not "
                         f"{json.dumps(data['uncertainty'])}")
    value = _value(where, name, data["value"])
    return Entry(value=value, unit=unit, source=data["source"], status=data["status"],
                 uncertainty=float(data["uncertainty"]), activity=_activity(where, data.get("activity"), value))


def _unit(file: str, name: str) -> str:
    """An entry's unit. Refuses one that prices nothing: a component's own are those that it is made of."""
    kind, component, entry = ["", "", *name.rsplit(".", 2)][-3:]
    plain = name.removeprefix(f"{kind}.")
    kinds = {kind_of(engine, metric, component): None for engine in ENGINES for metric in Metric}
    if kind and kind not in kinds:
        raise ValueError(f"{file}: entry {name}: the kind of a component must be one of {', '.join(kinds)}, not {kind}")
    if plain in UNITS:
        return UNITS[plain]
    if not component:
        general = ", ".join(known for known in UNITS if "." not in known)
        raise ValueError(f"{file}: entry {name} is not known; known are {general}")
    if own := [known.rpartition(".")[2] for known in UNITS if known.startswith(f"{component}.")]:
        raise ValueError(f"{file}: entry {name}: {component} has no price of its own for {entry}, only for "
                         f"{', '.join(own)}")
    components = sorted({known.partition(".")[0] for known in UNITS if "." in known})
    raise ValueError(f"{file}: entry {name}: component must be one of {', '.join(components)}, not {component}")


def parse(text: str, file: str) -> Technology:
    """A technology from JSON; ``file`` names it in error messages."""
    data = parse_json(text, file, FORMAT)
    for what in ("name", "title", "dram_boundary"):
        if not isinstance(data.get(what), str) or not data[what]:
            raise ValueError(f"{file}: {what} must be a text, not {json.dumps(data.get(what))}")
    for what in ("node_nm", "voltage"):
        if what in data and not (_is_price(data[what]) and data[what]):
            raise ValueError(f"{file}: {what} must be a number above 0, not {json.dumps(data[what])}")
    entries = data.get("entries")
    if not isinstance(entries, dict):
        raise ValueError(f"{file}: entries must be an object, not {json.dumps(entries)}")
    units = {name: _unit(file, name) for name in entries}
    for name in REQUIRED:
        if name not in entries:
            raise ValueError(f"{file}: entry {name} ({UNITS[name]}) is missing")
    return Technology(data["name"], data["title"], data["dram_boundary"],
                      {name: _entry(file, name, units[name], entry) for name, entry in entries.items()},
                      data.get("node_nm"), data.get("voltage"))


def load(path: str | Path) -> Technology:
    """A technology from a user's file."""
    return parse(read_text(path, "technology file"), str(path))


def builtin(name: str) -> Technology:
    """A technology that comes with Lutra."""
    if name not in NAMES:
        raise ValueError(f"technology must be one of {', '.join(NAMES)}, not {name}")
    return parse((files(__package__) / "technologies" / f"{name}.json").read_text(encoding="utf-8"), name)

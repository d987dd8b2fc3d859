"""Technologies: what one event costs. Every entry carries its source, its status and its uncertainty."""

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

__all__ = ["FORMAT", "NAMES", "OPTIONAL", "REQUIRED", "STATUSES", "Entry", "Technology", "builtin", "load", "parse"]

FORMAT = "lutra-technology-1"
NAMES = ("horowitz-45", "tpuv4i-7", "nangate45-gates")
STATUSES = ("published", "unverified", "measured", "derived")
MACRO_BITS = 64        # memories are built of macros this wide
SMALLEST_MACRO = 512   # bytes; smaller ones cost as much

REQUIRED = {
    "clock_period": "ns",
    "add": "pJ/bit", "compare": "pJ/bit", "multiply": "pJ/8x8bit", "mux": "pJ/bit", "register": "pJ/bit",
    "fp16_multiply": "pJ", "fp16_add": "pJ", "fp32_multiply": "pJ", "fp32_add": "pJ",
    "sram_read": "pJ/64bit", "sram_write": "pJ/64bit", "dram": "pJ/bit",
    "logic_leakage": "pJ/ns/um2", "sram_leakage": "pJ/ns/bit",
    "add_area": "um2/bit", "compare_area": "um2/bit", "multiply_area": "um2/8x8bit", "mux_area": "um2/bit",
    "register_area": "um2/bit", "sram_area": "um2/64bit",
    "fp16_multiply_area": "um2", "fp16_add_area": "um2", "fp32_multiply_area": "um2", "fp32_add_area": "um2",
}
OPTIONAL = {
    "lookup_step": "pJ", "mac_step": "pJ", "table_write": "pJ", "weight_write": "pJ",
    "lookup_cell_area": "um2", "mac_cell_area": "um2",
}
MACROS = ("sram_read", "sram_write", "sram_area")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One price.

    Parameters
    ----------
    value : the price, or for SRAM ``(bytes of a macro, price)`` points in growing order.
    uncertainty : relative; 0.3 means between 0.7 and 1.3 of the value.
    """

    value: float | tuple[tuple[float, float], ...]
    unit: str
    source: str
    status: str
    uncertainty: float

    def at(self, size: float) -> float:
        """Price of a macro of so many bytes: straight lines between the points on logarithmic axes.

        Below the first point the price falls with the square root of the size (word and bit lines both
        shorten), above the last one the last line goes on.
        """
        assert isinstance(self.value, tuple)
        points = self.value
        if size <= points[0][0] or len(points) == 1:
            return points[0][1] * math.sqrt(size / points[0][0])
        pairs = list(itertools.pairwise(points))
        (x0, y0), (x1, y1) = next((pair for pair in pairs if size <= pair[1][0]), pairs[-1])
        return y0 * (size / x0) ** (math.log(y1 / y0) / math.log(x1 / x0))


@dataclass(frozen=True)
class Technology:
    """A named set of prices."""

    name: str
    title: str
    dram_boundary: str
    entries: Mapping[str, Entry]

    def has(self, entry: str) -> bool:
        """Whether an optional entry is given."""
        return entry in self.entries

    def price(self, entry: str) -> float:
        """A plain entry's value."""
        value = self.entries[entry].value
        assert isinstance(value, float)
        return value

    def memory(self, entry: str, words: int) -> float:
        """Price of one bit of a memory of so many words, built of macros of 64 bits."""
        size = max(words * MACRO_BITS // 8, SMALLEST_MACRO)
        return self.entries[entry].at(size) / MACRO_BITS

    def uncertainty(self, entry: str) -> float:
        """An entry's relative uncertainty."""
        return self.entries[entry].uncertainty


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _value(where: str, name: str, value: Any) -> float | tuple[tuple[float, float], ...]:
    if name not in MACROS:
        if not _is_price(value):
            raise ValueError(f"{where}: value must be a number of at least 0, not {json.dumps(value)}")
        return float(value)
    if (not isinstance(value, list) or not value
            or not all(isinstance(p, list) and len(p) == 2 and all(_is_price(x) and x > 0 for x in p) for p in value)):
        raise ValueError(f"{where}: value must be a list of [bytes, price] points, not {json.dumps(value)}")
    if any(a[0] >= b[0] for a, b in itertools.pairwise(value)):
        raise ValueError(f"{where}: points must be in growing order of bytes, not {json.dumps(value)}")
    return tuple((float(x), float(y)) for x, y in value)


def _entry(file: str, name: str, unit: str, data: Any) -> Entry:
    where = f"{file}: entry {name}"
    keys = {"value", "unit", "source", "status", "uncertainty"}
    if not isinstance(data, dict) or set(data) != keys:
        raise ValueError(f"{where} must have exactly {', '.join(sorted(keys))}, not "
                         f"{', '.join(sorted(data)) if isinstance(data, dict) else json.dumps(data)}")
    if data["unit"] != unit:
        raise ValueError(f"{where}: unit must be {unit}, not {json.dumps(data['unit'])}")
    if data["status"] not in STATUSES:
        raise ValueError(f"{where}: status must be one of {', '.join(STATUSES)}, not {json.dumps(data['status'])}")
    if not isinstance(data["source"], str) or not data["source"].strip():
        raise ValueError(f"{where}: source must say where the number is from, not {json.dumps(data['source'])}")
    if not _is_price(data["uncertainty"]) or data["uncertainty"] >= 1:
        raise ValueError(f"{where}: uncertainty must be at least 0 and below 1, not "
                         f"{json.dumps(data['uncertainty'])}")
    return Entry(value=_value(where, name, data["value"]), unit=unit, source=data["source"],
                 status=data["status"], uncertainty=float(data["uncertainty"]))


def parse(text: str, file: str) -> Technology:
    """A technology from JSON; ``file`` names it in error messages."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: line {error.lineno} must be JSON ({error.msg})") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else data
        raise ValueError(f"{file}: format must be {FORMAT}, not {json.dumps(found)}")
    for what in ("name", "title", "dram_boundary"):
        if not isinstance(data.get(what), str) or not data[what]:
            raise ValueError(f"{file}: {what} must be a text, not {json.dumps(data.get(what))}")
    entries = data.get("entries")
    if not isinstance(entries, dict):
        raise ValueError(f"{file}: entries must be an object, not {json.dumps(entries)}")
    units = REQUIRED | OPTIONAL
    for name in entries:
        if name not in units:
            raise ValueError(f"{file}: entry {name} is not known; known are {', '.join(units)}")
    for name in REQUIRED:
        if name not in entries:
            raise ValueError(f"{file}: entry {name} ({units[name]}) is missing")
    return Technology(data["name"], data["title"], data["dram_boundary"],
                      {name: _entry(file, name, units[name], entry) for name, entry in entries.items()})


def load(path: str | Path) -> Technology:
    """A technology from a user's file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"technology file {path} cannot be read: {reason}") from None
    return parse(text, str(path))


def builtin(name: str) -> Technology:
    """A technology that comes with Lutra."""
    if name not in NAMES:
        raise ValueError(f"technology must be one of {', '.join(NAMES)}, not {name}")
    return parse((files(__package__) / "technologies" / f"{name}.json").read_text(encoding="utf-8"), name)

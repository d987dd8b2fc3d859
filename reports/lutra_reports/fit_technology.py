"""A technology file of fitted prices: logic measured, memories by CACTI, DRAM and floating point from elsewhere."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lutra_model.entries import UNITS, Activity, Entry
from lutra_model.sram import sram_entries
from lutra_model.technology import FORMAT, Technology, builtin

from .fit_data import Measurements
from .fit_errors import Errors
from .fit_prices import ACTIVE, Fitted

__all__ = ["technology", "text"]

LAYOUT = 0.2  # uncertainty of gates without placement, long wires and a clock tree
MOST = 0.9
DERIVED = 0.5
FLOATS = ("fp16_multiply", "fp16_add", "fp32_multiply", "fp32_add")
DRAM = Entry(value=8.5, unit="pJ/bit", status="unverified", uncertainty=0.3, source=(
    "LPDDR4, 8 Gb: 8 to 9 pJ/bit, H. Ha, PhD thesis, Stanford 2018, figures 4.8 and 4.9; read in a secondary copy"))
BOUNDARY = "full system (background, row, column, I/O, refresh), LPDDR4"


def _round(value: float) -> float:
    return float(f"{value:.5g}")


def _said(measurements: Measurements) -> str:
    """Where measured numbers are from; the measurement file has files, tools, clock and date."""
    return f"{measurements.library['name']} gates, lutra_model/measurements, {measurements.date}"


def _energy(fitted: Fitted, name: str, source: str, uncertainty: float) -> Entry:
    """One price: its clock pin, what stands, and what follows the data."""
    standing = fitted.clock.get(name, 0.0) + fitted.data.get(name, 0.0)
    value, idle = _round(standing + fitted.data.get(name + ACTIVE, 0.0)), _round(standing)
    rate = fitted.rates.get(_component(name))
    return Entry(value=value, unit=_unit(name), source=source, status="measured", uncertainty=_round(uncertainty),
                 activity=Activity(idle, _round(rate)) if rate and idle < value else None)


def _component(name: str) -> str:
    """``cells`` of ``lookup.cells.mux`` and of ``cells.mux``; nothing of ``mux``."""
    return ["", *name.rsplit(".", 2)][-2]


def _unit(name: str) -> str:
    return UNITS[".".join(name.rsplit(".", 2)[-2:])]


def _logic(fitted: Fitted, errors: Errors, said: str) -> dict[str, Entry]:
    names = {name.removesuffix(ACTIVE): None for name in (*fitted.clock, *fitted.data)}
    found = {}
    for name in names:
        source = f"fitted to {said}" if "." in name else f"mean over all components, fitted to {said}"
        error = errors.worst("energy", _component(name))
        found[name] = _energy(fitted, name, source, min(MOST, math.hypot(LAYOUT, error)))
    return found


def _areas(fitted: Fitted, errors: Errors, said: str) -> dict[str, Entry]:
    found = {}
    for name, price in fitted.area.items():
        error = errors.worst("area", _component(name))
        found[f"{name}_area"] = Entry(
            value=_round(price), unit=_unit(f"{name}_area"), status="measured",
            source=f"{'' if '.' in name else 'mean over all components, '}fitted to {said}",
            uncertainty=_round(min(MOST, math.hypot(LAYOUT, error))))
    return found


def _floats(found: Mapping[str, Entry], published: Technology) -> dict[str, Entry]:
    """Floating point is not in the machine: published values, scaled as the 8-bit product."""
    made = {}
    for suffix in ("", "_area"):
        own, other = found[f"multiply{suffix}"].value, published.price(f"multiply{suffix}")
        assert isinstance(own, float)
        for name in FLOATS:
            made[name + suffix] = Entry(
                value=_round(published.price(name + suffix) * own / other), unit=UNITS[name + suffix], status="derived",
                uncertainty=DERIVED, source=f"{published.name} value times {own / other:.3g}, the ratio of the 8-bit "
                                            "products of the two technologies")
    return made


def technology(name: str, measurements: Measurements, fitted: Fitted, errors: Errors) -> Technology:
    """All entries; ``errors``: of configurations that the fit did not see."""
    said, node, published = _said(measurements), float(measurements.library["process_nm"]), builtin("horowitz-45")
    found = {"clock_period": Entry(value=measurements.period_ns, unit="ns", status="measured", uncertainty=0.0,
                                   source="the clock of the measurements")}
    found |= _logic(fitted, errors, said) | _areas(fitted, errors, said)
    found |= _floats(found, published) | sram_entries(node) | {"dram": DRAM}
    found["logic_leakage"] = Entry(value=_round(fitted.leakage), unit=UNITS["logic_leakage"], status="measured",
                                   source=f"mean of all blocks: {said}", uncertainty=DERIVED)
    ordered = {entry: found[entry] for entry in sorted(found, key=lambda name: (name.count("."), _place(name), name))}
    title = f"{node:g} nm, fitted to gates ({measurements.library['name']}, before layout)"
    return Technology(name, title, BOUNDARY, ordered, node, float(measurements.library["voltage"]))


def _place(name: str) -> int:
    return list(UNITS).index(".".join(name.rsplit(".", 2)[-2:]))


def _entry(entry: Entry) -> dict[str, Any]:
    value = [list(pair) for pair in entry.value] if isinstance(entry.value, tuple) else entry.value
    found = {"value": value, "unit": entry.unit, "status": entry.status, "uncertainty": entry.uncertainty}
    return found | ({"activity": asdict(entry.activity)} if entry.activity else {}) | {"source": entry.source}


def text(made: Technology) -> str:
    """The technology as a file, one entry in a line."""
    head = {"format": FORMAT, "name": made.name, "title": made.title, "dram_boundary": made.dram_boundary}
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    lines += [f'  "node_nm": {made.node_nm:g}, "voltage": {made.voltage:g},'] if made.node_nm and made.voltage else []
    entries = ",\n".join(f"    {json.dumps(name)}: {json.dumps(_entry(entry))}" for name, entry in made.entries.items())
    return "{\n" + "\n".join(lines) + f'\n  "entries": {{\n{entries}\n  }}\n}}\n'

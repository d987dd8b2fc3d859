"""Measurement files: JSON in, measurements with the amounts that a price is fitted to out, or one sentence."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from lutra_model.entries import UNITS
from lutra_model.files import parse_json, read_text

__all__ = ["FORMAT", "Measured", "Measurements", "builtin", "held_out", "parse", "read"]

FORMAT = "lutra-measurements-1"
IDLE = "idle"
NUMBERS = ("cycles", "area_um2", "period_ns", "delay_ns")
PARTS = ("internal", "switching", "clock", "leakage")
STUDIED = ("burnt-tables", "builders", "vector-builder")  # not in the machine, or parts of other blocks
STORAGE = "flip-flop"  # what the machine's tables are made of


@dataclass(frozen=True)
class Measured:
    """One block of one machine under one workload.

    Parameters
    ----------
    machine : what tells it from other configurations of its block: engine, sizes.
    amounts : of the energy bill, by ``component.entry``; areas : the same of the machine's parts, none of a block whose
        area is counted in another's.
    toggles : of a component, changes of a bit of its data at an event.
    clock_pj, data_pj, leakage_pj : energy of clock pins; of all else that moves; of what only stands.
    """

    block: str
    engine: str
    metric: str
    machine: str
    workload: str
    cycles: int
    period_ns: float
    area_um2: float
    amounts: Mapping[str, float]
    areas: Mapping[str, float]
    toggles: Mapping[str, float]
    clock_pj: float
    data_pj: float
    leakage_pj: float

    @property
    def energy_pj(self) -> float:
        """The whole."""
        return self.clock_pj + self.data_pj + self.leakage_pj

    @property
    def configuration(self) -> tuple[str, str]:
        """Block and machine, whatever the workload."""
        return self.block, self.machine


@dataclass(frozen=True)
class Measurements:
    """A measurement file: a library's facts, tools, clock and date, and what was measured."""

    library: Mapping[str, Any]
    tools: Mapping[str, str]
    period_ns: float
    date: str
    measured: tuple[Measured, ...]


def held_out(measured: Sequence[Measured]) -> frozenset[tuple[str, str]]:
    """Configurations that a fit must not see, by a rule: of each block, engine and metric, in order of area, the
    largest of three or more; of five or more also the middle one of each three.

    The largest one is the hardest: what was fitted to smaller ones is carried on.
    """
    kinds: dict[tuple[str, str, str, bool], dict[tuple[str, str], float]] = {}
    for item in measured:
        serial = item.engine == "lut-tc" and " V1" in item.machine  # bits of scalars one by one: no tables
        kinds.setdefault((item.block, item.engine, item.metric, serial), {})[item.configuration] = item.area_um2
    found = set[tuple[str, str]]()
    for sizes in kinds.values():
        ordered = sorted(sizes, key=lambda name: (sizes[name], name))
        if len(ordered) >= 3:
            found.add(ordered[-1])
        if len(ordered) >= 5:
            found.update(ordered[1::3])
    return frozenset(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _amounts(where: str, what: str, data: Any, suffix: str) -> dict[str, float]:
    if not isinstance(data, dict):
        raise ValueError(f"{where}: {what} must be an object, not {json.dumps(data)}")
    for name, amount in data.items():
        if f"{name}{suffix}" not in UNITS:
            raise ValueError(f"{where}: {what}: no technology has a price {name}{suffix}")
        if not _is_number(amount) or amount < 0:
            raise ValueError(f"{where}: {what}: {name} must be a number of at least 0, not {json.dumps(amount)}")
    return {name: float(amount) for name, amount in data.items() if amount}


def _machine(data: Mapping[str, Any]) -> str:
    """Engine and sizes in a line."""
    array = data["array"]
    said = [f"{data['engine']} {array['rows']}x{array['columns']}", f"C{array['entries']}", f"V{array['length']}"]
    said += [str(array["metric"])] * (data["engine"] == "lookup")
    encoders = array.get("encoders", 1)
    said += [f"{encoders} encoders"] * (data["engine"] == "lookup" and encoders > 1)
    said += [f"{array['weight_bits']} bits"] * (array["weight_bits"] != 8)
    said += [f"{array['weight_levels']} levels"] * (array["weight_levels"] != 1)
    said += ["functions"] * bool(array["functions"])
    return " ".join(said)


def _measured(where: str, data: Any) -> Measured:
    wanted = ("block", "engine", "array", "storage", "workload", "events", "activity", "area_parts", "energy_pj",
              *NUMBERS)
    if not isinstance(data, dict) or not all(name in data for name in wanted):
        missing = [name for name in wanted if not isinstance(data, dict) or name not in data]
        raise ValueError(f"{where}: {' and '.join(missing)} must be given")
    for name in NUMBERS:
        if not _is_number(data[name]) or data[name] <= 0:
            raise ValueError(f"{where}: {name} must be a number above 0, not {json.dumps(data[name])}")
    energy = data["energy_pj"]
    for name in PARTS:
        if not _is_number(energy.get(name)) or energy[name] < 0:
            raise ValueError(f"{where}: energy_pj: {name} must be a number of at least 0, "
                             f"not {json.dumps(energy.get(name))}")
    if not data.get("equal"):
        raise ValueError(f"{where}: the netlist's outputs must have equalled the machine's")
    return Measured(
        block=data["block"], engine=data["engine"], metric=data["array"]["metric"], machine=_machine(data),
        workload=data["workload"]["name"],
        cycles=data["cycles"], period_ns=data["period_ns"], area_um2=data["area_um2"],
        amounts=_amounts(where, "events", data["events"], ""),
        areas=_amounts(where, "area_parts", data["area_parts"], "_area"),
        toggles=data["activity"], clock_pj=energy["clock"], data_pj=energy["internal"] + energy["switching"],
        leakage_pj=energy["leakage"])


def parse(text: str, file: str) -> Measurements:
    """From JSON; ``file`` names it in error messages."""
    data = parse_json(text, file, FORMAT)
    for name in ("library", "tools", "period_ns", "date", "measurements"):
        if not data.get(name):
            raise ValueError(f"{file}: {name} must be given")
    found = [_measured(f"{file}: measurement {number}", item) for number, item in enumerate(data["measurements"])
             if not isinstance(item, dict) or (item.get("block") not in STUDIED
                                               and item.get("storage", STORAGE) == STORAGE)]
    return Measurements(data["library"], data["tools"], float(data["period_ns"]), data["date"], tuple(found))


def builtin() -> list[Path]:
    """The measurement files that come with Lutra."""
    return sorted(Path(str(files("lutra_model") / "measurements")).glob("*.json"))


def read(path: str | Path) -> Measurements:
    """From a file that ``lutra characterise`` wrote."""
    return parse(read_text(path, "measurement file"), str(path))

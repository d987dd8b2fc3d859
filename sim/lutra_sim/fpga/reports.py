"""What nextpnr says: its JSON report and its log, as numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["RESOURCES", "Use", "least_cells", "log_use", "report_fmax", "report_use"]

# nextpnr's name of a cell: ours
RESOURCES = {"TRELLIS_COMB": "LUT4 cells", "TRELLIS_RAMW": "distributed RAM blocks", "DP16KD": "block RAMs",
             "MULT18X18D": "multipliers", "TRELLIS_FF": "flip-flops"}
LOG_LINE = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", re.MULTILINE)


@dataclass(frozen=True)
class Use:
    """How many of a resource are used, and how many the part has."""

    used: int
    available: int


def report_use(report: Mapping[str, Any]) -> dict[str, Use]:
    """Resources in nextpnr's JSON report."""
    return {ours: Use(**report["utilization"][name]) for name, ours in RESOURCES.items()}


def report_fmax(report: Mapping[str, Any]) -> float:
    """Frequency in MHz that the slowest clock of nextpnr's JSON report reaches."""
    return round(min(clock["achieved"] for clock in report["fmax"].values()), 2)


def log_use(log: str) -> dict[str, Use]:
    """Resources in nextpnr's log, which has them even when placement fails; empty when it ended before."""
    found = {name: Use(int(used), int(available)) for name, used, available in LOG_LINE.findall(log)}
    return {ours: found[name] for name, ours in RESOURCES.items() if name in found}


def least_cells(cells: Mapping[str, int]) -> dict[str, int]:
    """What the cells of yosys' netlist take at least: carries are two LUT4 cells, a distributed RAM is four."""
    lut4 = cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0) + 4 * cells.get("TRELLIS_DPR16X4", 0)
    counts = {"TRELLIS_COMB": lut4, "TRELLIS_RAMW": cells.get("TRELLIS_DPR16X4", 0),
              **{name: cells.get(name, 0) for name in ("DP16KD", "MULT18X18D", "TRELLIS_FF")}}
    return {ours: counts[name] for name, ours in RESOURCES.items()}

"""What nextpnr says: its JSON report and its log, as numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .families import Family

__all__ = ["Use", "least_cells", "log_use", "report_fmax", "report_use"]

LOG_LINE = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", re.MULTILINE)


@dataclass(frozen=True)
class Use:
    """How many of a resource are used, and how many the part has."""

    used: int
    available: int


def report_use(report: Mapping[str, Any], family: Family) -> dict[str, Use]:
    """Resources in nextpnr's JSON report."""
    return _uses({name: Use(**use) for name, use in report["utilization"].items()}, family)


def _uses(counts: Mapping[str, Use], family: Family) -> dict[str, Use]:
    """By our names; those that the part has."""
    return {ours: Use(sum(weight * counts[name].used for name, weight in theirs.items()),
                      counts[next(iter(theirs))].available)
            for ours, theirs in family.uses.items() if theirs.keys() <= counts.keys()}


def report_fmax(report: Mapping[str, Any]) -> float:
    """Frequency in MHz that the slowest clock of nextpnr's JSON report reaches."""
    return round(min(clock["achieved"] for clock in report["fmax"].values()), 2)


def log_use(log: str, family: Family) -> dict[str, Use]:
    """Resources in nextpnr's log, which has them even when placement fails; empty when it ended before."""
    return _uses({name: Use(int(used), int(available)) for name, used, available in LOG_LINE.findall(log)}, family)


def least_cells(cells: Mapping[str, int], family: Family) -> dict[str, int]:
    """What the cells of yosys' netlist take at least."""
    return {ours: sum(weight * cells.get(name, 0) for name, weight in theirs.items())
            for ours, theirs in family.least.items()}

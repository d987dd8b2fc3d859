"""Gate-level bench of the studies: a component's area and delay, and the energy of what it is driven with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from lutra_sim.gates import liberty, simulate, synthesis
from lutra_sim.gates.facts import facts_of

from ..provenance import tool_versions
from .measured import FORMAT, Measured

__all__ = ["PERIOD_NS", "Bench", "measure"]

PERIOD_NS = 2.0
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Bench:
    """A library and a clock."""

    library: liberty.Library
    period_ns: float = PERIOD_NS

    def netlist(self, component: wiring.Component, name: str, storage: str = "flip-flop") -> Any:
        """The component in cells of the library."""
        return synthesis.synthesise(component, self.library, name=name, period_ns=self.period_ns, storage=storage)

    def run(self, netlist: Any, inputs: Mapping[str, NDArray[Any]]) -> Any:
        """A simulation with gate delays: outputs of every cycle, energy."""
        return simulate.run(netlist, dict(inputs), period_ns=self.period_ns)


def facts(netlist: Any) -> dict[str, Any]:
    """Area, delay, and how many cells a netlist has."""
    return {"area_um2": round(netlist.area_um2, 3), "delay_ns": round(netlist.delay_ns, 4),
            "cells": sum(netlist.cells.values())}


def measure(study: str, points: Callable[[Bench, Progress], Sequence[dict[str, Any]]], files: Sequence[str],
            progress: Progress) -> Measured:
    """A study's points in the library of these files, with where they come from."""
    bench = Bench(liberty.read(files))
    found = points(bench, progress)
    library = facts_of(bench.library, process_nm=0).as_dict(bench.library)  # 0: of an unknown one nobody asks
    head = {"format": FORMAT, "study": study, "library": library,
            "tools": tool_versions(), "date": datetime.now(UTC).date().isoformat(),
            "command": f"lutra study {study} --liberty FILE", "period_ns": bench.period_ns}
    return Measured(library["name"], head, found)


def agree(found: NDArray[Any], wanted: NDArray[np.int64], width: int, name: str) -> None:
    """Raise ``ValueError`` when outputs of ``width`` bits, at most 63, are not what integers give."""
    wrong = int((found.astype(np.int64) != wanted & (1 << width) - 1).sum())
    if wrong:
        raise ValueError(f"the netlist of {name} must give what the integers give, {wrong} of {wanted.size} differ")

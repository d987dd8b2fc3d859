"""Comparisons as plain data: totals, ranges, verdicts, layer by layer and for whole workloads."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lutra_model.compare import Comparison, Priced, Run
from lutra_model.energy import Bill, ratio_range

__all__ = ["BASELINES", "designs", "layers", "ratio", "ratios", "verdict"]

BASELINES = {
    "int8": "INT8 MAC, equal throughput",
    "int8_equal_area": "INT8 MAC, equal area",
    "int8_least_energy": "INT8 MAC, least energy",
    "int8_same_cells": "INT8 MAC, the simulated array",
    "fp16": "FP16 MAC",
    "fp32": "FP32 MAC",
}


def _named(comparison: Comparison, same: Priced | None) -> dict[str, Priced]:
    named: dict[str, Priced | None] = {
        "lookup": comparison.lookup, "int8": comparison.int8, "int8_equal_area": comparison.baselines.area,
        "int8_least_energy": comparison.baselines.energy, "int8_same_cells": same,
        "fp16": comparison.fp16, "fp32": comparison.fp32}
    return {name: priced for name, priced in named.items() if priced}


def _energy(bill: Bill) -> dict[str, float]:
    low, high = bill.range()
    return {"pj": bill.picojoules, "low_pj": low, "high_pj": high}


def _design(priced: Priced) -> dict[str, Any]:
    array = priced.run.design.array
    return {
        "array": {"rows": array.rows, "columns": array.columns, "encoders": array.encoders,
                  "block_rows": array.block_rows, "index_words": array.index_words},
        "number": str(priced.run.design.number),
        "cycles": priced.run.cycles, "milliseconds": priced.milliseconds,
        "area_um2": priced.area, "area_by_component_um2": priced.areas,
        "total": _energy(priced.bill), "on_chip": _energy(priced.bill.on_chip),
        "components_pj": priced.bill.components,
        "pj_per_equivalent_mac": priced.pj_per_mac,
        "operations": sum(events.operations for events in priced.run.events),
    }


def designs(comparison: Comparison, same: Priced | None = None) -> dict[str, Any]:
    """Every design of a comparison by name; ``same`` is the MAC array that was simulated."""
    return {name: _design(priced) for name, priced in _named(comparison, same).items()}


def verdict(low: float, high: float) -> str:
    """Who needs less energy, when lookup is ``low`` to ``high`` times better: one side only beyond all doubt."""
    return "lookup" if low > 1 else "mac" if high < 1 else "open"


def ratio(baseline: Bill, lookup: Bill) -> dict[str, Any]:
    """Baseline's energy over lookup's, its range, and who needs less."""
    low, high = ratio_range(baseline, lookup)
    return {"ratio": baseline.picojoules / lookup.picojoules, "low": low, "high": high, "winner": verdict(low, high)}


def _both(baseline: Bill, lookup: Bill) -> dict[str, Any]:
    return {"total": ratio(baseline, lookup), "on_chip": ratio(baseline.on_chip, lookup.on_chip)}


def ratios(comparison: Comparison, same: Priced | None = None) -> dict[str, Any]:
    """Energy of each baseline over the lookup design's: above 1, lookup needs less."""
    return {name: _both(priced.bill, comparison.lookup.bill)
            for name, priced in _named(comparison, same).items() if name != "lookup"}


def _shape(run: Run, index: int) -> dict[str, Any]:
    layer, events, time = run.works[index].layer, run.events[index], run.latencies[index]
    return {
        "name": layer.name, "rows": layer.rows, "reduction": layer.reduction, "columns": layer.columns,
        "codebooks": layer.codebooks, "length": layer.length, "entries": layer.entries,
        "equivalent_macs": layer.macs, "lookups": events.table_reads, "operations": events.operations,
        "cycles": time.cycles, "binding": time.binding,
        "busy": {"encode": time.encode, "lookup": time.lookup, "load": time.load},
        "events": asdict(events),
    }


def layers(comparisons: Mapping[str, Comparison]) -> list[dict[str, Any]]:
    """Each layer's shape, cycles and events, and in every technology its energy on lookup and INT8 MAC."""
    found = []
    first = next(iter(comparisons.values())).lookup.run
    for index in range(len(first.works)):
        layer = _shape(first, index)
        layer["energy"] = {}
        for name, comparison in comparisons.items():
            lookup, mac = comparison.lookup.bills[index], comparison.int8.bills[index]
            layer["energy"][name] = {"lookup_pj": lookup.picojoules, "int8_pj": mac.picojoules,
                                     "lookup_on_chip_pj": lookup.on_chip.picojoules,
                                     "int8_on_chip_pj": mac.on_chip.picojoules,
                                     "int8_cycles": comparison.int8.run.latencies[index].cycles,
                                     "lookup_components_pj": lookup.components, "ratio": _both(mac, lookup)}
        found.append(layer)
    return found

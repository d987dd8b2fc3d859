"""Comparisons as plain data: totals, ranges, verdicts, layer by layer and for whole workloads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lutra_model.compare import Comparison
from lutra_model.energy import Bill, ratio_range
from lutra_model.events import Events
from lutra_model.runs import Job, Priced, Run
from lutra_model.workloads import Work

__all__ = ["BASELINES", "designs", "layers", "named", "ratio", "ratios", "verdict"]

BASELINES = {
    "int8": "INT8 MAC, equal throughput",
    "int8_equal_area": "INT8 MAC, equal area",
    "int8_least_energy": "INT8 MAC, least energy",
    "int8_same_cells": "INT8 MAC, the simulated array",
    "as_fine": "weights as fine, equal throughput",
    "fp16": "FP16 MAC",
    "fp32": "FP32 MAC",
}


def named(comparison: Comparison, same: Priced | None = None) -> dict[str, Priced]:
    """Every design of a comparison by name; ``same`` is the MAC array that was simulated."""
    found: dict[str, Priced | None] = {
        "lookup": comparison.lookup, "int8": comparison.int8, "int8_equal_area": comparison.baselines.area,
        "int8_least_energy": comparison.baselines.energy, "int8_same_cells": same, "as_fine": comparison.fine,
        "fp16": comparison.fp16, "fp32": comparison.fp32}
    return {name: priced for name, priced in found.items() if priced}


def _energy(bill: Bill) -> dict[str, float]:
    low, high = bill.range()
    return {"pj": bill.picojoules, "low_pj": low, "high_pj": high}


def _design(priced: Priced) -> dict[str, Any]:
    array = priced.run.design.array
    return {
        "name": priced.run.design.name,
        "array": {"rows": array.rows, "columns": array.columns, "encoders": array.encoders,
                  "block_rows": array.block_rows, "index_words": array.index_words,
                  "table_words": array.table_words, "activation_words": array.activation_words},
        "streamed": any(job.operation.stream_tables for job in priced.run.jobs),
        "number": str(priced.run.design.number),
        "cycles": priced.run.cycles, "milliseconds": priced.milliseconds,
        "area_um2": priced.area, "area_by_component_um2": priced.areas,
        "total": _energy(priced.bill), "on_chip": _energy(priced.bill.on_chip),
        "components_pj": priced.bill.components,
        "pj_per_equivalent_mac": priced.pj_per_mac,
        "operations": sum(events.operations for events in priced.run.events),
    }


def designs(comparison: Comparison, same: Priced | None = None) -> dict[str, Any]:
    """Every design of a comparison as plain values, by name."""
    return {name: _design(priced) for name, priced in named(comparison, same).items()}


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
            for name, priced in named(comparison, same).items() if name != "lookup"}


def _grouped(works: Sequence[Work], jobs: Sequence[Job]) -> list[tuple[Work, list[int]]]:
    """Each step with its jobs; a copy that only the machine needs joins the step before it."""
    places = {work.name: place for place, work in enumerate(works)}
    found: list[tuple[Work, list[int]]] = [(work, []) for work in works]
    place = 0
    for number, job in enumerate(jobs):
        place = places.get(job.name, place)
        found[place][1].append(number)
    return [(work, numbers) for work, numbers in found if numbers]


def _sums(items: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for item in items:
        total = {name: total.get(name, 0) + value for name, value in item.items()}
    return total


def _shape(work: Work, run: Run, numbers: Sequence[int]) -> dict[str, Any]:
    jobs, times = [run.jobs[number] for number in numbers], [run.latencies[number] for number in numbers]
    layer, events = work.layer, sum((run.events[number] for number in numbers), Events())
    cycles, causes = sum(item.cycles for item in times), _sums(item.causes for item in times)
    busy = _sums(item.busy for item in times)
    binding = max(busy, key=lambda stage: busy[stage])
    lookups = sum(job.lookups for job in jobs)
    return {
        "name": work.name, "kind": times[0].kind.name.lower(), "rows": layer.rows if layer else 0,
        "reduction": layer.reduction if layer else 0, "columns": layer.columns * work.groups if layer else 0,
        "codebooks": layer.codebooks * work.groups if layer else 0, "length": layer.length if layer else 0,
        "entries": layer.entries if layer else 0, "equivalent_macs": sum(job.macs for job in jobs),
        "lookups": events.table_reads, "operations": events.operations, "cycles": cycles, "binding": binding,
        "binding_busy": min(1.0, busy[binding] / cycles), "cell_utilisation": lookups / (times[0].cells * cycles),
        "ragged": sum(item.ragged(job.lookups) for item, job in zip(times, jobs, strict=True) if job.layer),
        "causes": causes, "busy": busy, "events": asdict(events),
    }


def layers(works: Sequence[Work], comparisons: Mapping[str, Comparison],
           seen: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each step's shape, cycles and events, and in every technology its energy on lookup and INT8 MAC.

    ``seen`` is what the simulation saw of each operation.
    """
    found = []
    run = next(iter(comparisons.values())).lookup.run
    for work, numbers in _grouped(works, run.jobs):
        layer = _shape(work, run, numbers)
        mine = [seen[number] for number in numbers]
        cycles = [item["simulated"] for item in mine]
        layer["rtl"] = {"predicted": sum(item["predicted"] for item in mine),
                        "simulated": None if None in cycles else sum(cycles),
                        "bit_exact": all(item["bit_exact"] for item in mine)}
        layer["energy"] = {name: _energies(work, comparison, numbers) for name, comparison in comparisons.items()}
        found.append(layer)
    return found


def _energies(work: Work, comparison: Comparison, numbers: Sequence[int]) -> dict[str, Any]:
    """Energy of one step on lookup and on INT8 MAC."""
    lookup = Bill.total_of(comparison.lookup.bills[number] for number in numbers)
    place = next(place for place, job in enumerate(comparison.int8.run.jobs) if job.name == work.name)
    mac = comparison.int8.bills[place]
    return {"lookup_pj": lookup.picojoules, "int8_pj": mac.picojoules,
            "lookup_on_chip_pj": lookup.on_chip.picojoules, "int8_on_chip_pj": mac.on_chip.picojoules,
            "int8_cycles": comparison.int8.run.job_cycles[place],
            "lookup_components_pj": lookup.components, "ratio": _both(mac, lookup)}

"""One scheme of a comparison as plain values: what was counted, what it costs in each technology, how good it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lutra_model import compare
from lutra_model.energy import Bill
from lutra_model.events import Events
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.runs import Priced, Run
from lutra_model.schemes import Options, scheme_of
from lutra_model.technology import Technology
from lutra_model.workloads import Work

from . import doubt, estimate
from .subjects import Progress

__all__ = ["Entry", "Found", "refused", "row"]


@dataclass(frozen=True)
class Entry:
    """A scheme with its options; ``network`` is one that needs no conversion."""

    scheme: str
    options: Options
    variant: str = ""
    network: Network | None = None

    @property
    def label(self) -> str:
        """The scheme, and what is special about it."""
        return f"{self.scheme}, {self.variant}" if self.variant else self.scheme


@dataclass(frozen=True)
class Found:
    """A scheme that takes part: its run, what the RTL said, and how good its numbers are."""

    entry: Entry
    run: Run
    works: Sequence[Work]
    rtl: dict[str, Any]
    quality: dict[str, Any]
    weight_levels: int

    @property
    def array(self) -> Array:
        return self.run.design.array


def _energy(bill: Bill, per: int = 1) -> dict[str, Any]:
    return {"nominal": bill.picojoules / per, "range": [value / per for value in bill.range()]}


def _costs(found: Found, technologies: Sequence[Technology]) -> dict[str, Any]:
    """Energy, time and area of all images, by technology."""
    run, priced = found.run, [found.run.priced(technology) for technology in technologies]
    by_name = {item.technology.name: item for item in priced}

    def each(value: Callable[[Priced], Any]) -> dict[str, Any]:
        return {name: value(item) for name, item in by_name.items()}

    return {
        "energy_pj": each(lambda item: _energy(item.bill)),
        "energy_on_chip_pj": each(lambda item: _energy(item.bill.on_chip)),
        "pj_per_equivalent_mac": each(lambda item: _energy(item.bill, run.macs)),
        "pj_per_equivalent_mac_on_chip": each(lambda item: _energy(item.bill.on_chip, run.macs)),
        "components_pj": each(lambda item: item.bill.components),
        "milliseconds": each(lambda item: item.milliseconds),
        "area_um2": each(lambda item: item.area),
        "area_by_component_um2": each(lambda item: item.areas),
        "energy_delay_pj_us": each(lambda item: item.bill.picojoules * item.milliseconds * 1e3),
        "area_delay_mm2_us": each(lambda item: item.area * 1e-6 * item.milliseconds * 1e3),
    }


def _work(run: Run) -> dict[str, Any]:
    """What was counted, of all images."""
    events = sum(run.events, Events())
    busy: dict[str, int] = {}
    for job, latency in zip(run.jobs, run.latencies, strict=True):
        for stage, cycles in latency.busy.items():
            busy[stage] = busy.get(stage, 0) + job.times * cycles
    lookups = run.images * sum(job.times * job.lookups for job in run.jobs)
    return {
        "equivalent_macs": run.macs, "operations_done": events.operations,
        "table_bytes": events.dram.tables // 8, "codebook_bytes": events.dram.codebooks // 8,
        "dram_bytes": events.dram.total // 8, "dram_bytes_per_equivalent_mac": events.dram.total / 8 / run.macs,
        "lookups_or_products": lookups, "utilisation": lookups / (run.design.array.cells * run.cycles),
        "binding": max(busy, key=lambda stage: busy[stage]), "binding_busy": run.binding_busy, "causes": run.causes,
    }


def row(found: Found, technologies: Sequence[Technology], progress: Progress | None) -> dict[str, Any]:
    entry, run, array, scheme = found.entry, found.run, found.array, scheme_of(found.entry.scheme)
    compared = compare.compare(found.works, [run], technologies, images=run.images,
                               progress=progress) if not scheme.baseline else {}
    return {
        "scheme": entry.scheme, "variant": entry.variant, "label": entry.label,
        "title": scheme.title, "engine": array.engine, "looks_up": not scheme.baseline,
        "options": scheme.provenance(entry.options), "refused": None,
        "weight_levels": found.weight_levels,
        "array": {"rows": array.rows, "columns": array.columns, "cells": array.cells, "encoders": array.encoders,
                  "length": array.length, "entries": array.entries},
        "bit_exact": found.rtl["bit_exact"], "cycles_exact": found.rtl["cycles_exact"],
        "simulated_inputs": found.rtl["images"],
        "cycles": {"predicted": sum(run.job_cycles), "simulated": found.rtl["simulated"],
                   "per_equivalent_mac": run.cycles / run.macs},
        **found.quality, **_work(run), **_costs(found, technologies),
        "against_int8": {name: estimate.ratios(item) for name, item in compared.items()},
        "overall": _overall(run, technologies, compared),
    }


def _overall(run: Run, technologies: Sequence[Technology],
             compared: Mapping[str, compare.Comparison]) -> dict[str, Any]:
    """Ranges over all technologies, memories and kinds of DRAM: of the energy, and of an INT8 array's over it."""
    found = doubt.ranges([{"lookup": run.priced(technology), **(
        {"int8": compared[technology.name].int8} if compared else {})} for technology in technologies])
    return {"energy_pj": found["energy_pj"]["lookup"], "against_int8": found["ratios"].get("int8")}


def refused(entry: Entry, sentence: str) -> dict[str, Any]:
    return {"scheme": entry.scheme, "variant": entry.variant, "label": entry.label,
            "title": scheme_of(entry.scheme).title, "refused": sentence}

"""One layer or network in every scheme: correctness, cycles, energy, area and error of each, side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lutra_model import compare, fit
from lutra_model.energy import Bill
from lutra_model.events import Events
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.probe import best_encoders, in_scheme
from lutra_model.runs import Design, Priced, Run, run_programs
from lutra_model.schemes import SCHEMES, Options, scheme_of
from lutra_model.technology import Technology
from lutra_model.workloads import Work, of_network
from lutra_sim.network import simulate
from lutra_sim.stages import stages

from . import estimate
from .provenance import technology_facts, tool_versions
from .report import rounded
from .subjects import Progress, Subject

__all__ = ["FORMAT", "Entry", "Machine", "entries", "make"]

FORMAT = "lutra-compare-1"


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


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The array that every scheme gets, and how it runs.

    Parameters
    ----------
    rows, columns : cells. encoders : their number, or None: the fewest that keep the array busy.
    batch : inputs that pay together for what is loaded once.
    simulate : inputs that run on the RTL; 0: none.
    """

    rows: int = 8
    columns: int = 8
    encoders: int | None = None
    batch: int = 1
    simulate: int = 1


@dataclass(frozen=True)
class _Found:
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


def entries(schemes: Sequence[str] | None, options: Options, bits: Sequence[int] = ()) -> list[Entry]:
    """Schemes by name (all, if not given) in all their variants, for each number of ``bits`` where weights have few.

    Raises ``ValueError`` for unknown schemes.
    """
    found = []
    for name in schemes or SCHEMES:
        scheme = scheme_of(name)
        several = bits if "bits" in scheme.provenance(options) else ()
        for chosen in [replace(options, bits=count) for count in several] or [options]:
            for variant, form in scheme.variants(chosen).items():
                parts = [variant, f"{form.bits} bits" if several else ""]
                found.append(Entry(name, form, ", ".join(filter(None, parts))))
    return found


def _simulated(network: Network, subject: Subject, arrays: Mapping[str, Array], count: int,
               progress: Progress | None) -> dict[str, Any]:
    if not count or subject.inputs is None:
        return {"bit_exact": None, "cycles_exact": None, "simulated": None, "images": 0}
    found = simulate(network, subject.inputs[:count], arrays, progress=progress).as_dict()
    return {"bit_exact": found["bit_exact"], "cycles_exact": found["cycles_exact"],
            "simulated": found["cycles"]["simulated"], "images": count}


def _converted(subject: Subject, entry: Entry, machine: Machine, progress: Progress | None) -> _Found:
    network = entry.network or subject.network(entry.scheme, entry.options, progress)
    arrays = fit.arrays(network, rows=machine.rows, columns=machine.columns, encoders=machine.encoders or "auto")
    programs = [(stage.source, stage.program) for stage in stages(network, arrays) if stage.program]
    design = Design(entry.label, arrays[entry.scheme])
    return _Found(entry, run_programs(design, network, programs, images=machine.batch), of_network(network),
                  _simulated(network, subject, arrays, machine.simulate, progress), subject.quality(network),
                  max(product.coding.weight_levels for product in network.products))


def _shaped(subject: Subject, entry: Entry, machine: Machine) -> _Found:
    works, probes = in_scheme(subject.works, entry.scheme, entry.options)
    found = best_encoders(entry.label, works, probes, machine.rows, machine.columns, encoders=machine.encoders,
                          images=machine.batch)
    nothing = {"bit_exact": None, "cycles_exact": None, "simulated": None, "images": 0}
    return _Found(entry, found, works, nothing, subject.quality(None), max(item.weight_levels for item in probes))


def _energy(bill: Bill, per: int = 1) -> dict[str, Any]:
    return {"nominal": bill.picojoules / per, "range": [value / per for value in bill.range()]}


def _costs(found: _Found, technologies: Sequence[Technology]) -> dict[str, Any]:
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


def _row(found: _Found, technologies: Sequence[Technology], progress: Progress | None) -> dict[str, Any]:
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
    }


def _refused(entry: Entry, sentence: str) -> dict[str, Any]:
    return {"scheme": entry.scheme, "variant": entry.variant, "label": entry.label,
            "title": scheme_of(entry.scheme).title, "refused": sentence}


def _goodness(row: Mapping[str, Any]) -> float | None:
    """What decides whether one scheme's numbers are at least as good as another's; None where nothing is known."""
    for value in (row["accuracy"], row["agreement"], row["error"] and row["error"]["sqnr_db"]):
        if value is not None:
            return float(value)
    return None


def _rivals(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Multiplying schemes of the comparison that are no worse: in what they compute, or, unknown, in weights."""
    own = _goodness(row)
    return [other for other in rows if not other["looks_up"] and
            (other["weight_levels"] >= row["weight_levels"] if own is None or _goodness(other) is None
             else _goodness(other) >= own)]  # type: ignore[operator]


def _against(row: dict[str, Any], rows: Sequence[dict[str, Any]], priced: Mapping[str, Mapping[str, Priced]]) -> None:
    """Against the multiplying schemes on as many cells that are at least as good: the one of least energy."""
    row["best_mac"] = {}
    rivals = _rivals(row, rows) if row["looks_up"] else []
    for technology, machines in priced.items() if rivals else ():
        own, others = machines[row["label"]], [machines[other["label"]] for other in rivals]
        row["best_mac"][technology] = {"total": _cheapest(own, others, lambda item: item.bill),
                                       "on_chip": _cheapest(own, others, lambda item: item.bill.on_chip)}


def _cheapest(own: Priced, others: Sequence[Priced], energy: Callable[[Priced], Bill]) -> dict[str, Any]:
    best = min(others, key=lambda item: energy(item).picojoules)
    return {"scheme": best.run.design.name, "cycles": best.run.cycles, "area_um2": best.area,
            **estimate.ratio(energy(best), energy(own))}


def make(subject: Subject, chosen: Sequence[Entry], *, machine: Machine, technologies: Sequence[Technology],
         progress: Progress | None = None) -> dict[str, Any]:
    """Every scheme on the subject, as plain JSON values with six significant digits.

    A scheme that refuses the subject is listed with its sentence; ``ValueError`` when all of them do.
    """
    rows, runs = list[dict[str, Any]](), dict[str, Run]()
    for entry in chosen:
        try:
            found = (_shaped(subject, entry, machine) if subject.works
                     else _converted(subject, entry, machine, progress))
        except ValueError as error:
            rows.append(_refused(entry, str(error)))
            continue
        rows.append(_row(found, technologies, progress))
        runs[entry.label] = found.run
    if not runs:
        raise ValueError(rows[0]["refused"])
    taking = [row for row in rows if row["refused"] is None]
    priced = {technology.name: {label: run.priced(technology) for label, run in runs.items()}
              for technology in technologies}
    for row in taking:
        _against(row, taking, priced)
    return rounded({
        "format": FORMAT, "subject": {"kind": subject.kind, "name": subject.name, **subject.facts},
        "array": {"rows": machine.rows, "columns": machine.columns}, "batch": machine.batch, "schemes": rows,
        "technologies": technology_facts(technologies), "tools": tool_versions()})

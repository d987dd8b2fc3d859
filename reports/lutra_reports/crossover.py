"""Where lookup starts to pay: every scheme against the best multiplying array, over the shape of a layer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lutra_model.energy import Bill
from lutra_model.families import equal_area, equal_throughput, family, members
from lutra_model.probe import Probe, best_encoders, in_scheme
from lutra_model.runs import Priced, Run
from lutra_model.schemes import SCHEMES, Options, scheme_of
from lutra_model.technology import Technology

from . import estimate
from .crossover_points import AXES, BASE, TITLES, Form, Point, forms, points, taking_part
from .provenance import technology_facts, tool_versions
from .report import rounded

__all__ = ["AXES", "BASE", "FORMAT", "Form", "Point", "make"]

FORMAT = "lutra-crossover-1"
EQUAL = 0.02  # of cycles: as fast as
Progress = Callable[[str, int, int], None]


class _Sweep:
    """Runs of one layer after another; those that several schemes are compared with are made once."""

    def __init__(self, cells: tuple[int, int], technologies: Sequence[Technology], images: int) -> None:
        self.cells, self.technologies, self.images = cells, technologies, images

    def lookup(self, form: Form, point: Point) -> tuple[list[Run], Probe]:
        """A lookup scheme on so many cells, with memories of all sizes, that gather selected entries or do not."""
        works, probes = in_scheme(point.works, form.scheme, form.options(point))
        best = best_encoders(form.label, works, probes, *self.cells, images=self.images, index_words=16384)
        sizes = [(*self.cells, best.design.array.encoders)]
        runs = members(form.label, works, probes, sizes, images=self.images)
        if best.design.array.cell.gathers:
            runs += members(form.label, works, probes, sizes, images=self.images, gather=True)
        return runs or [best], probes[0]

    def macs(self, schemes: Iterable[str], point: Point) -> Iterator[tuple[Run, int]]:
        """All arrays of the multiplying schemes, and the levels that their weights have."""
        for scheme in schemes:
            works, probes = in_scheme(point.works, scheme, point.options)
            for run in members(scheme, works, probes, family(), images=self.images):
                yield run, probes[0].weight_levels

    def point(self, lookups: Sequence[Form], macs: Sequence[str], point: Point) -> dict[str, Any]:
        """Every lookup scheme against the best multiplying array whose weights are at least as fine."""
        made, rivals = {form.label: self.lookup(form, point) for form in lookups}, list(self.macs(macs, point))
        found: dict[str, Any] = {label: {} for label in made}
        for technology in self.technologies:
            priced = [(run.priced(technology), levels) for run, levels in rivals]
            for label, (runs, shape) in made.items():
                fine = [item for item, levels in priced if levels >= shape.weight_levels]
                found[label][technology.name] = _compared([run.priced(technology) for run in runs], fine)
        return found


def _machine(priced: Priced) -> dict[str, Any]:
    run, array = priced.run, priced.run.design.array
    return {"scheme": run.design.name, "array": [array.rows, array.columns], "encoders": array.encoders,
            "gathers": any(job.operation.gather for job in run.jobs), "cycles": run.cycles,
            "cycles_per_mac": run.cycles / run.macs, "area_um2": priced.area,
            "total": _per_mac(priced.bill, run.macs), "on_chip": _per_mac(priced.bill.on_chip, run.macs),
            "dram_bytes_per_mac": sum(events.dram.total for events in run.events) / 8 / run.macs}


def _per_mac(bill: Bill, macs: int) -> list[float]:
    """Picojoules: nominal, low, high."""
    return [bill.picojoules / macs, *(value / macs for value in bill.range())]


def _compared(own: Sequence[Priced], fine: Sequence[Priced]) -> dict[str, Any]:
    """The lookup machine of least energy at equal throughput, the one of least area times delay at equal area."""
    thrifty = min(own, key=lambda item: item.bill.picojoules)
    quick = min(own, key=lambda item: item.area * item.run.cycles)
    rival, same = equal_throughput(thrifty, fine), equal_area(quick, fine)
    found = {"lookup": _machine(thrifty), "baseline": _machine(rival) | {"as_fast": rival.run.cycles <=
                                                                         thrifty.run.cycles},
             "total": estimate.ratio(rival.bill, thrifty.bill),
             "on_chip": estimate.ratio(rival.bill.on_chip, thrifty.bill.on_chip),
             "lookup_quick": _machine(quick), "equal_area": None, "cycles": None}
    if same is not None:
        ratio = same.run.cycles / quick.run.cycles
        winner = estimate.verdict(ratio - EQUAL, ratio + EQUAL)
        found |= {"equal_area": _machine(same), "cycles": {"ratio": ratio, "winner": winner}}
    return found


def make(*, schemes: Sequence[str] | None = None, axes: Sequence[str] | None = None,
         technologies: Sequence[Technology], cells: tuple[int, int] = (16, 16), base: tuple[int, int, int] = BASE,
         options: Options | None = None, batch: int = 1, progress: Progress | None = None,
         values: Mapping[str, Sequence[int]] | None = None) -> dict[str, Any]:
    """Energy and cycles per equivalent MAC over each axis, as plain JSON values with six significant digits.

    Parameters
    ----------
    schemes : lookup schemes; all, if not given. Baselines are all multiplying schemes.
    axes, values : of `AXES`, and other values of them.
    cells : of every lookup array. base : rows, reduction and columns. batch : inputs that share what is loaded once.

    Raises ``ValueError`` for names that are not known, and where no scheme takes part in anything.
    """
    for name in schemes or ():
        scheme_of(name)
    for axis in axes or ():
        if axis not in AXES:
            raise ValueError(f"axis must be {', '.join(AXES)}, not {axis}")
    options = options or Options()
    macs, looks = ([name for name, scheme in SCHEMES.items() if scheme.baseline == kind] for kind in (True, False))
    lookups = forms((name for name in schemes or SCHEMES if name in looks), options)
    if not lookups:
        raise ValueError(f"schemes must include one that looks up ({', '.join(looks)})")
    sweep, found = _Sweep(cells, technologies, batch), dict[str, Any]()
    for axis in axes or AXES:
        layers = list(points(axis, (values or AXES).get(axis, AXES[axis]), base, options))
        taking = taking_part(axis, lookups, layers)
        found[axis] = {"title": TITLES[axis], "points": []}
        for done, (value, point) in enumerate(layers, start=1):
            if here := [form for form, mine in taking.items() if value in mine]:
                found[axis]["points"].append({"x": value, "schemes": sweep.point(here, macs, point)})
            if progress:
                progress(f"sweeping {axis}", done, len(layers))
    return rounded({
        "format": FORMAT, "base": {"rows": base[0], "reduction": base[1], "columns": base[2]},
        "options": vars(options), "cells": list(cells), "batch": batch, "lookups": [form.label for form in lookups],
        "baselines": macs, "axes": found, "technologies": technology_facts(technologies), "tools": tool_versions()})

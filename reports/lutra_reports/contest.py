"""One layer or network in every scheme: correctness, cycles, energy, area and error of each, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lutra_model import fit
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.probe import best_encoders, in_scheme
from lutra_model.runs import Design, Run, run_programs
from lutra_model.schemes import SCHEMES, Options, scheme_of
from lutra_model.technology import Technology
from lutra_model.workloads import of_network
from lutra_sim.network import simulate
from lutra_sim.stages import stages

from . import doubt
from .contest_rivals import against
from .contest_rows import Entry, Found, refused, row
from .provenance import technology_facts, tool_versions
from .report import rounded
from .subjects import Progress, Subject

__all__ = ["FORMAT", "Entry", "Machine", "entries", "make"]

FORMAT = "lutra-compare-1"


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


def _converted(subject: Subject, entry: Entry, machine: Machine, progress: Progress | None) -> Found:
    network = entry.network or subject.network(entry.scheme, entry.options, progress)
    arrays = fit.arrays(network, rows=machine.rows, columns=machine.columns, encoders=machine.encoders or "auto")
    programs = [(stage.source, stage.program) for stage in stages(network, arrays) if stage.program]
    design = Design(entry.label, arrays[entry.scheme])
    return Found(entry, run_programs(design, network, programs, images=machine.batch), of_network(network),
                  _simulated(network, subject, arrays, machine.simulate, progress), subject.quality(network),
                  max(product.coding.weight_levels for product in network.products))


def _shaped(subject: Subject, entry: Entry, machine: Machine) -> Found:
    works, probes = in_scheme(subject.works, entry.scheme, entry.options)
    found = best_encoders(entry.label, works, probes, machine.rows, machine.columns, encoders=machine.encoders,
                          images=machine.batch)
    nothing = {"bit_exact": None, "cycles_exact": None, "simulated": None, "images": 0}
    return Found(entry, found, works, nothing, subject.quality(None), max(item.weight_levels for item in probes))


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
            rows.append(refused(entry, str(error)))
            continue
        rows.append(row(found, technologies, progress))
        runs[entry.label] = found.run
    if not runs:
        raise ValueError(rows[0]["refused"])
    taking = [item for item in rows if item["refused"] is None]
    priced = {technology.name: {label: run.priced(technology) for label, run in runs.items()}
              for technology in technologies}
    for item in taking:
        against(item, taking, priced)
    return rounded({
        "format": FORMAT, "subject": {"kind": subject.kind, "name": subject.name, **subject.facts},
        "array": {"rows": machine.rows, "columns": machine.columns}, "batch": machine.batch, "schemes": rows,
        "technologies": technology_facts(technologies), **doubt.facts(), "tools": tool_versions()})

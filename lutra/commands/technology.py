"""Make technology files: fit prices to gate-level measurements, or run CACTI for the memories.

`fit` takes measurement files (`lutra characterise`) and writes a technology file for each library, prices.json with
what every prediction is off, and the scatter figure. Configurations that are held out follow a rule: of each block and
engine the largest of three or more, and of five or more the middle one of each three. `sram` runs CACTI 7 and writes
the table of memories that comes with Lutra. `show` prints a technology's entries, of a built-in name, a file, or either
at another node: `horowitz-45@28`.
"""

import argparse
from pathlib import Path
from typing import Any

from lutra_model.files import write_whole
from lutra_model.scaling import named

from .common import Outcome, progress, table

NAME = "technology"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    fit = actions.add_parser("fit", help="prices from measurements")
    fit.add_argument("measurements", nargs="*", metavar="FILE",
                     help="what lutra characterise wrote, one for a library (those that come with Lutra)")
    fit.add_argument("--output", default="prices", metavar="FOLDER", help="where the files go (prices)")
    sram = actions.add_parser("sram", help="memories by CACTI")
    sram.add_argument("cacti", metavar="FOLDER", help="the package's folder hwcomponents_cacti, its cacti built")
    sram.add_argument("--devices", action="store_true", help="of other transistors than those of little leakage")
    sram.add_argument("--output", default="cacti-7.csv", metavar="FILE", help="where the table goes (cacti-7.csv)")
    show = actions.add_parser("show", help="a technology's entries")
    show.add_argument("technology", metavar="NAME", help="a built-in name or a file; @NM scales it to another node")


def run(args: argparse.Namespace) -> Outcome:
    """What the action found."""
    match args.action:
        case "fit":
            return _fit(args)
        case "sram":
            return _sram(args)
    return _show(args.technology)


def _fit(args: argparse.Namespace) -> Outcome:
    from lutra_reports import fit, fit_data, fit_technology, write  # slow to import

    write.check(args.output)
    found: dict[str, fit.Found] = {}
    for path in args.measurements or fit_data.builtin():
        one = fit.fitted(fit_data.read(path))
        if one.technology.name in found:
            raise ValueError(f"measurement file {path} must be of another library than those before it, "
                             f"not {one.measurements.library['name']}")
        found[one.technology.name] = one
    data, drawn = fit.data(found), fit.figure(found)
    files = {f"{name}.json": fit_technology.text(one.technology).encode() for name, one in found.items()}
    paths = write.store(files | {"prices.json": write.as_json(data), "prices.svg": drawn.svg, "prices.png": drawn.png},
                        args.output)
    head = ["block", "fitted", "energy", "area", "held out", "energy", "area", "idle"]
    shown = [table(f"{name}: configurations, mean (and largest) errors of predictions in per cent", head,
                   _errors(library["blocks"])) for name, library in data["libraries"].items()]
    return Outcome(data, [*shown, f"written: {len(paths)} files in {args.output}"])


def _errors(blocks: list[dict[str, Any]]) -> list[list[Any]]:
    def percent(row: dict[str, Any], name: str) -> str:
        known = f"{name}_mean" in row
        return f"{100 * row[f'{name}_mean']:.1f} ({100 * row[f'{name}_largest']:.1f})" if known else ""

    return [[row["block"], row["fitted"]["count"], *(percent(row["fitted"], name) for name in ("energy", "area")),
             row["held_out"]["count"] or "", *(percent(row["held_out"], name) for name in ("energy", "area", "idle"))]
            for row in blocks]


def _sram(args: argparse.Namespace) -> Outcome:
    from lutra_sim import cacti

    with progress(quiet=args.json) as show:
        text = (cacti.sweep_devices if args.devices else cacti.sweep)(Path(args.cacti), show)
    write_whole(Path(args.output), lambda part: part.write_text(text))
    return Outcome({"rows": text.count("\n") - 1, "file": args.output}, [f"written: {args.output}"])


def _show(text: str) -> Outcome:
    from lutra_reports.provenance import technology_facts

    found = named(text)
    entries = technology_facts([found])[found.name]["entries"]
    rows = [[name, _value(entry["value"]), entry["unit"], entry["status"], f"{100 * entry['uncertainty']:.0f} %"]
            for name, entry in entries.items()]
    return Outcome(technology_facts([found])[found.name] | {"name": found.name},
                   [table(f"{found.name}: {found.title}", ["entry", "value", "unit", "status", "uncertain by"], rows)])


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else ", ".join(f"{size:g}: {price:.4g}" for size, price in value)

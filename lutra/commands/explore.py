"""Find the best machines for a workload: the front of energy, area and cycles over thousands of designs.

Evaluates every machine of the space at once, with the same events and cycles as the exact model has for one, keeps
those of which none is worse than another one in energy, area and cycles, and runs these by the exact model, operation
by operation (docs/explore.md). Writes explore.json and a figure as SVG and PNG.
"""

import argparse
from typing import Any

from lutra_model import explore, workloads
from lutra_model.params import Metric
from lutra_model.technology import Technology
from lutra_model.workloads import Work

from .. import embedded
from .common import Outcome, network_argument, progress, table, technologies

NAME = "explore"
SIZES = ("rows", "columns", "encoders", "fill", "index_words", "block_rows", "entries", "length")
SHOWN = 12  # machines of each engine in the table


def axis(text: str) -> tuple[str, tuple[int, ...]]:
    """A name and its sizes from ``rows=8,16``."""
    name, _, values = text.partition("=")
    numbers = values.split(",")
    if name not in SIZES or not all(number.isdigit() and int(number) for number in numbers):
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(SIZES)} and its sizes, such as rows=8,16, "
                                         f"not {text}")
    return name, tuple(map(int, numbers))


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    parser.add_argument("--workload", choices=["resnet18", "bert-base"], help="a workload by shape, instead")
    parser.add_argument("--engine", action="append", choices=list(explore.AXES), dest="engines",
                        help="machines that look up, or that multiply; may be repeated (both)")
    parser.add_argument("--axis", action="append", type=axis, metavar="SIZE=A,B", default=[], dest="axes",
                        help=f"what a size ({', '.join(SIZES)}) may be; may be repeated. Entries and lengths make "
                             "other networks, whose accuracy is not looked at (the workload's own)")
    parser.add_argument("--metric", type=Metric, choices=list(Metric), default=Metric.L2,
                        help="the encoder's distance, of a workload by shape (l2)")
    parser.add_argument("--batch", type=int, default=1, metavar="B",
                        help="inputs that pay together for what is loaded once (1)")
    parser.add_argument("--within", type=float, default=0.05, metavar="X",
                        help="a machine stands for those that are better by no more than this share (0.05)")
    parser.add_argument("--technology", metavar="FILE", default="nangate45-gates",
                        help="a technology file or a built-in one's name (nangate45-gates)")
    parser.add_argument("--output", default="explore", metavar="FOLDER", help="where the files go (explore)")


def _works(args: argparse.Namespace) -> tuple[str, tuple[Work, ...], Metric]:
    if args.workload:
        works = {"resnet18": workloads.resnet18, "bert-base": workloads.bert_base}[args.workload]()
        return args.workload, works, args.metric
    network = embedded.network(args.network)
    metrics = [product.metric for product in network.products if product.metric]
    return network.name, workloads.of_network(network), metrics[0] if metrics else args.metric


def _refined(found: explore.Front, works: tuple[Work, ...], technology: Technology, show: Any) -> list[dict[str, Any]]:
    """The front with the exact model's numbers."""
    rows = []
    for done, place in enumerate(found.places, start=1):
        rows.append(found.row(int(place)) | {"exact": explore.exactly(found, int(place), works, technology)})
        show(f"{found.engine}: the front by the exact model", done, len(found.places))
    return rows


def run(args: argparse.Namespace) -> Outcome:
    """The fronts, and where the files lie."""
    from lutra_reports import explore_figure, provenance, write  # slow to import

    write.check(args.output)
    if args.batch < 1:
        raise ValueError(f"batch must be at least 1, not {args.batch}")
    if not 0 <= args.within < 1:
        raise ValueError(f"within must be at least 0 and below 1, not {args.within:g}")
    (technology,), (name, works, metric) = technologies([args.technology]), _works(args)
    data: dict[str, Any] = {"workload": name, "technology": technology.name, "batch": args.batch, "metric": metric,
                            "within": args.within, "tools": provenance.tool_versions(), "engines": {}}
    with progress(quiet=args.json) as show:
        for engine in args.engines or explore.AXES:
            found = explore.explore(works, technology, engine, axes=dict(args.axes), images=args.batch, metric=metric,
                                    within=args.within)
            data["engines"][engine] = {"machines": len(found.points), "front": _refined(found, works, technology, show)}
        drawn = explore_figure.figure(data)
        paths = write.store({"explore.json": write.as_json(data), "explore.svg": drawn.svg, "explore.png": drawn.png},
                            args.output)
    return Outcome(data, [*_shown(data), f"written: {len(paths)} files in {args.output}"])


def _shown(data: dict[str, Any]) -> list[Any]:
    """A table for each engine: some of its front, evenly by cycles."""
    shown = []
    for engine, found in data["engines"].items():
        rows = found["front"]
        some = [rows[round(number * (len(rows) - 1) / max(1, min(SHOWN, len(rows)) - 1))]
                for number in range(min(SHOWN, len(rows)))]
        shown.append(table(
            f"{data['workload']}, {engine}, {data['technology']}: {len(some)} of the {len(rows)} machines that none of "
            f"{found['machines']:,} beats", ["array", "encoders", "fill", "index words", "block rows", "cycles",
                                                "energy, uJ", "area, mm2"],
            [[f"{row['array']['rows']}x{row['array']['columns']}", row["array"]["encoders"], row["array"]["fill"],
              row["array"]["index_words"], row["array"]["block_rows"], f"{row['cycles']:,}",
              f"{row['picojoules'] / 1e6:.4g}", f"{row['area_um2'] / 1e6:.4g}"] for row in some]))
    return shown

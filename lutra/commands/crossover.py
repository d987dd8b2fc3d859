"""Show where lookup starts to pay: energy and cycles of every scheme against the best multiplying array.

Sweeps a layer's rows (M), columns (N), bits of a weight and scalars of one index (V, g, K), each alone, from the cycle
and energy models without simulating: the cycles are the RTL's. Of 60 arrays of each multiplying scheme whose weights
are at least as fine, the energy of the smallest that is at least as fast is drawn, and the cycles of the fastest that
is not larger; the region where lookup loses is shaded. Writes crossover.json and the figures as SVG and PNG.
"""

import argparse
from typing import Any

from .common import Outcome, progress, shape, table, technologies, technology_option
from .compare import layer_shape, options, scheme_options

NAME = "crossover"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    scheme_options(parser)
    parser.add_argument("--axes", type=lambda text: text.split(","), metavar="A,B",
                        help="which of rows, columns, bits, group (all)")
    parser.add_argument("--layer", type=layer_shape, metavar="MxKxN",
                        help="the layer where an axis does not say otherwise (256x576x256)")
    parser.add_argument("--array", type=shape, default=(16, 16), metavar="RxC",
                        help="cells of the lookup arrays (16x16)")
    parser.add_argument("--batch", type=int, default=1, metavar="B",
                        help="inputs that pay together for what is loaded once (1)")
    technology_option(parser)
    parser.add_argument("--output", default="crossover", metavar="FOLDER", help="where the files go (crossover)")


def run(args: argparse.Namespace) -> Outcome:
    """The sweeps' data, where each scheme loses, and where the figures lie."""
    from lutra_reports import crossover, crossover_figures, write  # slow to import

    write.check(args.output)
    if args.batch < 1:
        raise ValueError(f"batch must be at least 1, not {args.batch}")
    with progress(quiet=args.json) as show:
        data = crossover.make(schemes=args.schemes, axes=args.axes, technologies=technologies(args.technology),
                              cells=args.array, base=args.layer or crossover.BASE, options=options(args),
                              batch=args.batch, progress=show)
        files = {"crossover.json": write.as_json(data)}
        for name, drawn in crossover_figures.figures(data).items():
            files |= {f"{name}.svg": drawn.svg, f"{name}.png": drawn.png}
    paths = write.store(files, args.output)
    return Outcome(data, [*_shown(data), f"written: {len(paths)} files in {args.output}"])


def _shown(data: dict[str, Any]) -> list[Any]:
    """For each axis, where each scheme needs less energy for sure, and where less time, in so many technologies."""
    shown = []
    for found in data["axes"].values():
        if found["points"]:
            names = [name for name in data["lookups"] if any(name in point["schemes"] for point in found["points"])]
            shown.append(table(f"{found['title']}: technologies in which lookup needs less energy, with memory outside"
                               " / on the chip / fewer cycles", ["", *names],
                               [[point["x"], *(_wins(point["schemes"].get(name)) for name in names)]
                                for point in found["points"]]))
    return shown


def _wins(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    return " / ".join(str(sum((item[what] or {"winner": "lookup"})["winner"] == "lookup" for item in found.values()))
                      for what in ("total", "on_chip", "cycles"))

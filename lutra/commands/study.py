"""Put a paper's published figures beside ours, and say in words why they differ.

Without a name: lists the studies. Figures that were not read in the authors' own text or code are marked "unverified".
Ours are counted by the machine's models, priced in every technology, or measured at gate level; points that were
measured travel with Lutra, and --liberty measures them again with your own copy of a cell library.
"""

import argparse
from typing import Any

from .common import Outcome, progress, table, technologies, technology_option

NAME = "study"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("study", nargs="?", metavar="NAME", help="the study; none: list them, or write all")
    technology_option(parser)
    parser.add_argument("--liberty", nargs="+", metavar="FILE",
                        help="a cell library's files: measure again what the study measures at gate level")
    parser.add_argument("--output", metavar="FOLDER",
                        help="write tables as JSON and HTML, figures, and points that were measured anew; without NAME "
                             "those of all studies and an overview")


def run(args: argparse.Namespace) -> Outcome:
    """The list of studies, or one study's table."""
    from lutra_reports import studies  # slow to import

    if args.study is None and args.liberty:
        raise ValueError(f"a study must be named, one of {', '.join(studies.STUDIES)}")
    if args.study is None and not args.output:
        return _listed(studies.STUDIES)
    from lutra_reports.studies import run as runner

    priced = technologies(args.technology)
    with progress(quiet=args.json) as show:
        if args.study is None:
            result = runner.run_all(list(studies.STUDIES.values()), priced, args.output, show)
        else:
            result = runner.run(studies.study(args.study), priced, liberty=args.liberty, output=args.output,
                                progress=show)
    written = [f"written: {', '.join(map(str, result.paths))}"] if result.paths else []
    return Outcome(result.data, [result.shown, *written])


def _listed(known: dict[str, Any]) -> Outcome:
    rows = [{"name": item.name, "title": item.title, "source": item.source, "measures": item.measure is not None}
            for item in known.values()]
    return Outcome({"studies": rows}, [table("studies", ["study", "what"], [[row["name"], row["title"]]
                                                                           for row in rows])])

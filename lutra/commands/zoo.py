"""List the zoo: networks trained by recipes on real data, and what their integers score on the full test sets.

A network whose file travels with the package can be named wherever NET stands; the others are made again by the command
in the last column (data sets by "lutra fetch").
"""

import argparse
from collections.abc import Iterator
from typing import Any

from .. import embedded
from .common import Outcome, table

NAME = "zoo"
HEAD = ["network", "data", "score", "before training", "float", "difference", "the paper says", "where"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beyond --json."""


def _rows(records: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for each network of each recipe."""
    for recipe, record in records.items():
        for name, item in record["variants"].items():
            file = next((file for file in (f"{recipe}-{name}", recipe if name == "lut-nn" else "")
                         if file and embedded.path(f"{file}.lutra").is_file()), None)
            yield {"recipe": recipe, "variant": name, "data": record["data"], "unit": record["unit"], "file": file,
                   "test_inputs": record["test_inputs"], "seed": record["seed"], "float": record["float"],
                   "command": f"lutra train {recipe} --variant {name} --seed {record['seed']}", **item}


def run(args: argparse.Namespace) -> Outcome:
    """Every network of the zoo."""
    found = list(_rows(embedded.records()))
    rows = [[f"{row['recipe']} {row['variant']}", row["data"], f"{row['golden']:.2f} {row['unit']}",
             f"{row['untrained']:.2f}" if "untrained" in row else "", f"{row['float']:.2f}",
             f"{row['golden'] - row['float']:+.2f}", row["claim"], row["file"] or row["command"]] for row in found]
    return Outcome({"networks": found}, [table("zoo: golden integers on the full test sets", HEAD, rows)])

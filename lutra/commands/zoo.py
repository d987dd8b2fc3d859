"""List the zoo: networks trained by recipes on real data, and what their integers score on the full test sets.

A network whose file travels with the package can be named wherever NET stands; "lutra train RECIPE --variant NETWORK"
makes the others again (data sets by "lutra fetch").
"""

import argparse
from typing import Any

from .. import embedded
from .common import Outcome, table

NAME = "zoo"
HEAD = ["network", "before training", "score", "against float", "the paper says"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beyond --json."""


def _file(recipe: str, variant: str) -> str | None:
    """Name of the embedded network, if it travels with the package."""
    names = [f"{recipe}-{variant}", *([recipe] if variant == "lut-nn" else [])]
    return next((name for name in names if embedded.path(f"{name}.lutra").is_file()), None)


def _rows(recipe: str, record: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each network of a recipe."""
    shared = {key: record[key] for key in ("recipe", "data", "unit", "test_inputs", "seed", "float")}
    return [{**shared, "variant": name, "file": _file(recipe, name),
             "command": f"lutra train {recipe} --variant {name} --seed {record['seed']}", **item}
            for name, item in record["variants"].items()]


def _shown(rows: list[dict[str, Any]]) -> list[Any]:
    """A recipe's table, and where its networks are."""
    first = rows[0]
    title = (f"{first['recipe']}: float {first['float']:.2f} {first['unit']} on {first['test_inputs']:,} test inputs "
             f"of {first['data']}")
    cells = [[row["variant"], f"{row['untrained']:.2f}" if "untrained" in row else "",
              f"{row['golden']:.2f} {row['unit']}", f"{row['golden'] - row['float']:+.2f}", row["claim"]]
             for row in rows]
    here = [row["file"] for row in rows if row["file"]]
    return [table(title, HEAD, cells), "in the package: " + (", ".join(here) or "none") + "\n"]


def run(args: argparse.Namespace) -> Outcome:
    """Every network of the zoo."""
    found = [_rows(name, record) for name, record in embedded.records().items()]
    return Outcome({"networks": [row for rows in found for row in rows]},
                   [part for rows in found for part in _shown(rows)])

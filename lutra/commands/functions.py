"""Errors of the 16-segment tables that stand for GELU, exp, 1/x and others, at every input.

Every function is put into a table of 16 linear segments with integer slopes, intercepts and breakpoints (NN-LUT, Yu et
al., DAC 2022) over the paper's range, and compared with the real function at every 8-bit and every 16-bit input. With
--lint, the tables that a network holds are listed instead, with what is wrong with them: segments that are empty, that
do not meet, or that run against a function that only rises or only falls.
"""

import argparse
from typing import Any

from lutra_model.nnlut import functions, lint

from .. import embedded
from .common import Outcome, progress, table

NAME = "functions"


def _steps(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a number of steps such as 15000, not {text}")
    return int(text)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--function", action="append", choices=[target.name for target in functions.FUNCTIONS],
                        help="only this function; may be repeated (all)")
    parser.add_argument("--train", type=_steps, default=0, metavar="STEPS",
                        help="also train the paper's ReLU networks for so many steps (15000 in the paper's port), as "
                             "they come, repaired, and with slopes and intercepts fitted anew after rounding")
    parser.add_argument("--seed", type=int, default=0, help="of the training (0)")
    parser.add_argument("--lint", metavar="NET", help="list the tables of a .lutra file and their problems instead")


def _number(value: float) -> str:
    return f"{value:.2e}"


def _row(found: functions.Errors) -> list[Any]:
    told = f"{found.problems[0]}{' ...' if len(found.problems) > 1 else ''}" if found.problems else ""
    return [found.function, found.bits, found.how, found.segments, _number(found.largest), _number(found.mean),
            f"{100 * found.largest / found.full:.3f}%", told]


def _lint(name: str) -> Outcome:
    """The tables of a network, and every problem of each."""
    network = embedded.network(name)
    found = [*lint.held(network)]
    data = [{"node": item.node, "function": item.role, "segments": item.table.segments, "problems": item.problems}
            for item in found]
    count = sum(len(item.problems) for item in found)
    rows = [[item.node, item.role, item.table.segments, "\n".join(item.problems) or "none"] for item in found]
    return Outcome({"tables": data, "problems": count}, [
        table(f"tables of {network.name}", ["node", "function", "segments", "problems"], rows),
        f"{len(found)} tables, {count} problems"])


def run(args: argparse.Namespace) -> Outcome:
    """Largest and mean error of every table, and relative errors where inputs are scaled; or a network's problems."""
    if args.lint:
        return _lint(args.lint)
    chosen = [target for target in functions.FUNCTIONS if target.name in (args.function or [target.name])]
    with progress(quiet=args.json) as show:
        found = functions.study(chosen, steps=args.train, seed=args.seed, progress=show)
    relative = functions.relative_errors()
    data = {"tables": [item._asdict() for item in found], "relative_errors": relative}
    head = ["function", "bits", "table", "segments", "largest error", "mean error", "of full scale", "problems"]
    return Outcome(data, [
        table("tables of 16 segments, over all inputs", head, [_row(item) for item in found]),
        table("largest relative error over all 16-bit inputs", ["table", "error"],
              [[name, f"{100 * error:.3g}%"] for name, error in relative.items()])])

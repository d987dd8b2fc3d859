"""What bare arrays of so many cells take of a board's FPGA, estimated before any synthesis."""

from typing import Any

from lutra_model import footprint
from lutra_model.params import Array

from .common import table

__all__ = ["board_table", "on_board"]


def on_board(name: str, array: Array) -> dict[str, Any]:
    """Estimates for bare arrays of so many cells, behind their host link, of what was measured; their known errors."""
    from lutra_hw.board.boards import board_named  # slow to import
    from lutra_sim.fpga import places

    board, found = board_named(name), []
    for engine, fields in places.KINDS:
        try:
            made = places.array(board, engine, array.rows, array.columns, **fields)
            taken = footprint.estimate(made, board.part.name, board.part.family)
        except ValueError:
            continue
        short = {what: count - board.part.resources[what] for what, count in taken.resources.items()
                 if count > board.part.resources[what]}
        found.append({"engine": engine, **fields, "multipliers_of_cells": max(0, made.multipliers),
                      "resources": dict(taken.resources), "fmax_mhz": taken.fmax_mhz, "short": short})
    if not found:
        raise ValueError(f"board must be of a family that was measured, not {name}: see lutra study fpga")
    return {"board": found, "known_errors": footprint.known_errors(board.part.name)}


def board_table(name: str, data: dict[str, Any]) -> Any:
    """The table of :func:`on_board`."""
    found, errors = data["board"], data["known_errors"]
    names = list(found[0]["resources"])
    rows = [[f"{item['engine']} " + " ".join(f"{key}={item[key]}" for key in ("length", "entries") if key in item),
             *(f"{item['resources'][what]:,}" for what in names),
             f"{item['fmax_mhz']:.0f}" if item["fmax_mhz"] else "unknown",
             ", ".join(f"{count:,} {what} too few" for what, count in item["short"].items()) or "fits"]
            for item in found]
    off = ", ".join(f"{what} {100 * errors[what]:.0f} %" if what in errors else f"{what} unknown"
                    for what in (*footprint.FITTED, "Fmax"))
    return table(f"bare arrays of these cells on {name}, estimated; errors for arrays on this part that nothing was "
                 f"fitted to, at most: {off} (lutra study fpga)", ["array", *names, "Fmax, MHz", "verdict"], rows)

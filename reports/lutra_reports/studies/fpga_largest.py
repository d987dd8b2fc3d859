"""The largest bare arrays that should fit a part, by the estimates of `lutra_model.footprint`; none was made."""

from collections.abc import Iterator
from itertools import product

from lutra_hw.board.boards import Board, board_named
from lutra_model import footprint
from lutra_model.bare import Bare
from lutra_model.footprint import Footprint
from lutra_sim.fpga import measure

from .base import Table

__all__ = ["largest", "table"]

BOARDS = ("tang-nano-9k", "tang-nano-20k", "ulx3s-25f", "ulx3s-45f", "ulx3s-85f")
SIZES = (4, 8, 12, 16, 24, 32, 48, 64)
FULL = 0.85  # of the LUT4 cells: nextpnr rarely routes fuller parts


def largest(board: Board, engine: str, fields: dict[str, int]) -> tuple[Bare, Footprint] | None:
    """The array with the most cells, the squarest of those; None where nothing like it was measured."""
    shapes = sorted(product(SIZES, SIZES), key=lambda shape: (-shape[0] * shape[1], abs(shape[0] - shape[1])))
    for rows, columns in shapes:
        try:
            array = measure.array(board, engine, rows, columns, **fields)
            found = footprint.estimate(array, board.part.name, board.part.family)
        except ValueError:
            return None
        there = board.part.resources | {"LUT4 cells": int(FULL * board.part.lut4)}
        if all(count <= there[name] for name, count in found.resources.items()):
            return array, found
    return None


def _macs(array: Bare, length: int) -> float:
    return array.cells * length / array.cell.issue_cycles(array.entries)


def _lines(board: Board) -> Iterator[list[object]]:
    for engine, fields in measure.KINDS:
        if (best := largest(board, engine, fields)) is None:
            continue
        array, found = best
        for length in (4, 9) if engine == "lookup" else (array.length,):
            macs, cells = _macs(array, length), found.resources["LUT4 cells"]
            name = {"lut-tc": f"lut-tc W{array.entries}", "lookup": f"lookup, V = {length}"}.get(engine, engine)
            yield [board.part.name, name, f"{array.rows} x {array.columns}", f"{cells:,} of {board.part.lut4:,}",
                   found.resources["multipliers"], f"{found.fmax_mhz:.0f}", f"{macs:,.0f}",
                   f"{macs * found.fmax_mhz / 1000:.1f}", f"{1000 * macs / cells:.1f}"]


def table() -> Table:
    """All parts and arrays."""
    rows = [line for name in BOARDS for line in _lines(board_named(name))]
    return Table(f"the largest arrays by estimate, at most {FULL:.0%} of the LUT4 cells: none of these was routed",
                 ("part", "array", "rows x columns", "LUT4 cells", "multipliers", "Fmax, MHz", "MACs a cycle",
                  "GMAC/s", "MACs a cycle for 1000 LUT4 cells"), rows)

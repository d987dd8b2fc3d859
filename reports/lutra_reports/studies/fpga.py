"""Bare arrays on FPGAs: lookup beside multipliers, in the parts of boards that people own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from lutra_hw.board.boards import board_named
from lutra_model import footprint
from lutra_model.bare import LAST, LEARN, LOAD
from lutra_model.footprint import Point
from lutra_model.technology import Technology

from .base import Found, Row, Study, Table
from .measured import Measured

__all__ = ["STUDY", "Speed", "charged", "largest", "speed"]

TILES = 4            # row tiles of the products whose rate is said
LENGTHS = (4, 9)     # of sub-vectors, for a table cell that is told an index
SHARERS = (64, 256)  # columns of a layer that share an encoder's indices
ENCODED = "ecp5"     # the family on which encoders were counted
HEAD = ("part", "array", "rows x columns", "LUT4 cells", "RAM blocks", "block RAMs", "multipliers",
        "Fmax, MHz", "MACs a cycle", "GMAC/s", "in passes", "MACs a cycle for 1000 LUT4 cells")


@dataclass(frozen=True)
class Speed:
    """What an array stands for.

    Parameters
    ----------
    macs : dense multiply-accumulates of a cycle in which a row (or output) is issued.
    busy : share of such cycles in products of `TILES` row tiles and as many rows as there are accumulators.
    """

    macs: float
    busy: float


def speed(point: Point, length: int | None = None) -> Speed:
    """Of an array with sub-vectors of that length, its own if not given."""
    array = point.array
    planes = array.cell.issue_cycles(array.entries)
    rows, entries = array.block_rows, array.columns if array.cell.vector else array.entries
    learn = LEARN * array.engine.startswith("dln")
    flags = [LOAD | learn] * (TILES - 1) + [LOAD | LAST | learn]
    cycles = sum(array.pass_cycles(rows, entries, flag) for flag in flags)
    return Speed(array.cells * (length or array.length) / planes, TILES * rows * planes / cycles)


def charged(point: Point, encoder: int, sharers: int, length: int) -> tuple[float, float]:
    """Encoders for the full rate where so many columns share an index; MACs a cycle for 1000 LUT4 cells with them."""
    encoders = point.array.rows * min(1.0, point.array.columns / sharers)
    cells = point.cells["LUT4 cells"] + encoders * encoder
    return encoders, 1000 * speed(point, length).macs / cells


def _named(point: Point) -> str:
    array = point.array
    if array.engine == "mac":
        return f"INT8 MAC, {array.multipliers} of {array.cells} in multipliers"
    return {"lut-tc": f"lut-tc W{array.entries}", "vec-lut": f"vec-lut, groups of {array.length}",
            "lookup": "lookup"}.get(array.engine, array.engine)


def _kinds(point: Point) -> list[tuple[str, int]]:
    """What a point is compared as: a name and the length of sub-vectors; for lookup, of each length."""
    array = point.array
    if array.engine == "lookup":
        return [(f"lookup, V = {length}", length) for length in LENGTHS]
    return [(_named(point) if array.engine != "mac" else "INT8 MAC", array.length)]


def _lines(point: Point) -> Iterator[list[object]]:
    """A line of the table; for lookup one for each length."""
    array, cells, fmax = point.array, point.cells, point.fmax_mhz
    for name, length in _kinds(point):
        found = speed(point, length)
        yield [point.part, name if array.engine == "lookup" else _named(point), f"{array.rows} x {array.columns}",
               f"{cells['LUT4 cells']:,}", cells.get("distributed RAM blocks", 0), cells["block RAMs"],
               cells.get("multipliers", 0), f"{fmax:.1f}", f"{found.macs:,.0f}", f"{found.macs * fmax / 1000:.2f}",
               f"{found.macs * fmax * found.busy / 1000:.2f}", f"{1000 * found.macs / cells['LUT4 cells']:.1f}"]


def largest(known: Sequence[Point]) -> dict[tuple[str, str], tuple[Point, int]]:
    """The array with the most cells, by part and kind, and the length of its sub-vectors."""
    found: dict[tuple[str, str], tuple[Point, int]] = {}
    for point in known:
        for name, length in _kinds(point):
            before, _ = found.get((point.part, name), (point, 0))
            found[point.part, name] = max(before, point, key=lambda item: item.array.cells), length
    return dict(sorted(found.items(), key=lambda item: item[0][0]))


def _rate(point: Point, length: int) -> float:
    """Equivalent dense multiply-accumulates, in billions a second."""
    return speed(point, length).macs * point.fmax_mhz / 1000


def _density(point: Point, length: int) -> float:
    """Of those, for 1000 LUT4 cells."""
    return 1000 * _rate(point, length) / point.cells["LUT4 cells"]


def _largest(found: dict[tuple[str, str], tuple[Point, int]]) -> Table:
    """Side by side, with the share of the part that each fills."""
    rows = []
    for (part, name), (point, length) in found.items():
        cells, there = point.cells["LUT4 cells"], board_named(point.board).part.lut4
        rows.append([part, name, f"{point.array.rows} x {point.array.columns}",
                     f"{cells:,} of {there:,} ({100 * cells / there:.0f} %)", point.cells.get("multipliers", 0),
                     f"{point.fmax_mhz:.1f}", f"{_rate(point, length):.2f}",
                     f"{1000 * speed(point, length).macs / cells:.1f}", f"{_density(point, length):.2f}"])
    return Table("the largest array of each kind that was routed, encoders not charged",
                 ("part", "array", "rows x columns", "LUT4 cells", "multipliers", "Fmax, MHz", "GMAC/s",
                  "MACs a cycle for 1000 LUT4 cells", "GMAC/s for 1000 LUT4 cells"), rows)


def _encoders(found: dict[tuple[str, str], tuple[Point, int]], encoders: dict[str, int]) -> Table:
    """The largest routed lookup arrays of the parts on which encoders were counted, with these."""
    rows = []
    for name, cells in encoders.items():
        length = int(name.rsplit(" ", 1)[1])
        for (part, kind), (point, _) in found.items():
            if point.family != ENCODED or kind != f"lookup, V = {length}":
                continue
            for sharers in SHARERS:
                count, dense = charged(point, cells, sharers, length)
                fits = point.cells["LUT4 cells"] + ceil(count) * cells <= board_named(point.board).part.lut4
                rows.append([part, f"{point.array.rows} x {point.array.columns}", name, f"{cells:,}", sharers,
                             f"{count:.2f}", f"{dense:.1f}" + " (does not fit)" * (not fits)])
    return Table("encoders charged: as many as keep the array at its full rate",
                 ("part", "lookup array", "encoder, V =", "LUT4 cells of one", "columns that share", "encoders",
                  "MACs a cycle for 1000 LUT4 cells"), rows)


def _errors(known: Sequence[Point]) -> Table:
    """How far the estimates are off, of points that they were fitted to and of others."""
    rows = []
    for point in known:
        try:
            off = footprint.error(point)
        except ValueError:
            continue
        array = point.array
        rows.append([point.part, _named(point), f"{array.rows} x {array.columns}",
                     "held out" if point.held_out else "fitted",
                     *(f"{100 * off[name]:+.1f} %" if name in off else "" for name in (*footprint.FITTED, "Fmax"))])
    return Table("estimates before synthesis: over what was counted, less one",
                 ("part", "array", "rows x columns", "point", *footprint.FITTED, "Fmax"), rows)


def _find(technologies: Sequence[Technology], points: Sequence[Measured]) -> Found:
    known = footprint.points()
    lines = [line for point in known for line in _lines(point)]
    table = Table("bare arrays behind their serial host link", HEAD, lines)
    found = largest(known)
    tables = (table, _largest(found), _encoders(found, footprint.encoders()), _errors(known))
    rows = [Row(f"{name}: the largest routed array on {part}", "GMAC/s", {"nextpnr": _rate(*point)},
                "equivalent dense multiply-accumulates of a cycle times post-route Fmax; encoders are charged in a "
                "table of their own") for (part, name), point in found.items()]
    return Found(rows, [_said(part, found) for part in dict.fromkeys(part for part, _ in found)], tables)


def _said(part: str, found: dict[tuple[str, str], tuple[Point, int]]) -> str:
    """A part's answer, in a sentence."""
    rates = {name: _density(*point) for (where, name), point in found.items() if where == part}
    if "INT8 MAC" not in rates or len(rates) == 1:
        return f"On {part} there is nothing to compare: routed were {', '.join(rates)}."
    mac = rates.pop("INT8 MAC")
    ratios = ", ".join(f"{rate / mac:.1f} ({name})" for name, rate in rates.items())
    return (f"On {part} a LUT4 cell of the largest routed arrays stands for {ratios} times the multiply-accumulates a "
            "second of one of the largest routed INT8 MAC array, before encoders are charged and at another accuracy.")


STUDY = Study("fpga", "lookup arrays and multipliers on FPGAs", "our own bitstreams, placed and routed by nextpnr",
              _find)

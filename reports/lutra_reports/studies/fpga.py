"""Bare arrays on FPGAs: lookup beside multipliers, in the parts of boards that people own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from lutra_hw.board.boards import board_named
from lutra_model import footprint
from lutra_model.bare import LAST, LEARN, LOAD
from lutra_model.footprint import Point
from lutra_model.technology import Technology

from . import fpga_largest
from .base import Found, Row, Study, Table
from .measured import Measured

__all__ = ["STUDY", "Speed", "charged", "speed"]

TILES = 4            # row tiles of the products whose rate is said
LENGTHS = (4, 9)     # of sub-vectors, for a table cell that is told an index
SHARERS = (64, 256)  # columns of a layer that share an encoder's indices
HEAD = ("part", "array", "rows x columns", "state", "LUT4 cells", "RAM blocks", "block RAMs", "multipliers",
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


def _lines(point: Point) -> Iterator[list[object]]:
    """A line of the table; for lookup one for each length."""
    array, cells = point.array, point.cells
    for length in LENGTHS if array.engine == "lookup" else (array.length,):
        found, fmax = speed(point, length), point.fmax_mhz
        rate = f"{found.macs * fmax / 1000:.2f}" if fmax else "not measured"
        sustained = f"{found.macs * fmax * found.busy / 1000:.2f}" if fmax else "not measured"
        yield [point.part, _named(point) + f", V = {length}" * (array.engine == "lookup"),
               f"{array.rows} x {array.columns}", "routed" if fmax else "synthesised only", f"{cells['LUT4 cells']:,}",
               cells.get("distributed RAM blocks", 0), cells["block RAMs"], cells.get("multipliers", 0),
               f"{fmax:.1f}" if fmax else "not measured", f"{found.macs:,.0f}", rate, sustained,
               f"{1000 * found.macs / cells['LUT4 cells']:.1f}"]


def _encoders(known: Sequence[Point], encoders: dict[str, int]) -> Table:
    """The largest routed lookup array of each part, with its encoders."""
    largest: dict[str, Point] = {}
    for point in known:
        if point.array.engine == "lookup" and point.fmax_mhz:
            before = largest.setdefault(point.part, point)
            largest[point.part] = max(before, point, key=lambda item: item.array.cells)
    rows = []
    for part, point in largest.items():
        for name, cells in encoders.items():
            length = int(name.rsplit(" ", 1)[1])
            for sharers in SHARERS:
                count, dense = charged(point, cells, sharers, length)
                fits = point.cells["LUT4 cells"] + ceil(count) * cells <= board_named(point.board).part.lut4
                rows.append([part, f"{point.array.rows} x {point.array.columns}", name, f"{cells:,}", sharers,
                             f"{count:.2f}", f"{dense:.1f}" if fits else "does not fit"])
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
    known, encoders = footprint.points(), footprint.encoders()
    lines = [line for point in known for line in _lines(point)]
    table = Table("bare arrays behind their serial host link", HEAD, lines)
    tables = (table, _encoders(known, encoders), _errors(known), fpga_largest.table())
    best: dict[tuple[str, str], float] = {}
    for point in known:
        if point.fmax_mhz:
            lengths = LENGTHS if point.array.engine == "lookup" else (point.array.length,)
            for length in lengths:
                name = point.array.engine + f", V = {length}" * (point.array.engine == "lookup")
                rate = speed(point, length).macs * point.fmax_mhz / 1000
                best[point.part, name] = max(best.get((point.part, name), 0.0), rate)
    parts = sorted({part for part, _ in best})
    rows = [Row(f"{name}: the fastest routed array on {part}", "GMAC/s", {"nextpnr": rate},
                "equivalent dense multiply-accumulates of a cycle times post-route Fmax; encoders are charged in a "
                "table of their own") for (part, name), rate in best.items()]
    return Found(rows, [_said(part, best) for part in parts], tables)


def _said(part: str, best: dict[tuple[str, str], float]) -> str:
    """A part's answer, in a sentence."""
    rates = {name: rate for (where, name), rate in best.items() if where == part}
    if "mac" not in rates or len(rates) == 1:
        return f"On {part} there is nothing to compare: routed were {', '.join(rates)}."
    ratios = ", ".join(f"{rate / rates['mac']:.1f} ({name})" for name, rate in rates.items() if name != "mac")
    return (f"On {part} the fastest routed arrays stand for {ratios} times the multiply-accumulates a second of the "
            "fastest routed INT8 MAC array, before encoders are charged and at another accuracy.")


STUDY = Study("fpga", "lookup arrays and multipliers on FPGAs", "our own bitstreams, placed and routed by nextpnr",
              _find)

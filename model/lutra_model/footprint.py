"""What a bare array takes of an FPGA before any synthesis: counts by formula, and shares fitted to measured arrays.

Block RAMs, distributed RAM and multipliers follow from sizes. LUT4 cells and flip-flops are sums of shares, one for
each kind of bit below, by least squares over the points of `POINTS` that are not held out; Fmax is that of a period
which grows with the LUT4 cells, over those of the same engine on the same part, for neither carries over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bare import Bare
from .files import parse_json
from .params import Metric

__all__ = ["FITTED", "FORMAT", "POINTS", "Footprint", "Point", "encoders", "error", "estimate", "known_errors",
           "parsed", "points"]

FORMAT, POINTS = "lutra-footprint-1", "footprints.json"
BUFFER_BITS = 2048 * 8  # of the host link
FITTED = ("LUT4 cells", "flip-flops")
DOUBLING = 0.7  # ns
OFF = 0.1  # of an estimate, where a share is off by as much as it is
SHARED = ((1000, 1, 2, 2, 1), (700, 1, 1, 2, 0.5))  # of `_bits`, by their structure: LUT4 cells, flip-flops
OWN = {"lookup": ((1, 4), (8, 4)), "mac": ((80, 2), (24, 24)), "lut-tc": ((55, 130), (12, 90)),
       "vec-lut": ((70, 10), (60, 8)), "dln-row": ((1, 80), (8, 8))}  # of its two own counts: LUT4 cells, flip-flops


@dataclass(frozen=True)
class Point:
    """A bare array behind its host link on a board, as nextpnr counted it after place and route.

    Parameters
    ----------
    cells : by resource. fmax_mhz : that the design reaches.
    held_out : nothing was fitted to it.
    """

    board: str
    part: str
    family: str
    array: Bare
    cells: Mapping[str, int]
    fmax_mhz: float
    held_out: bool


@dataclass(frozen=True)
class Footprint:
    """An estimate: resources by name, and the clock that the array may reach.

    Parameters
    ----------
    fmax_mhz : None where no array of the engine was routed on the part.
    """

    resources: Mapping[str, int]
    fmax_mhz: float | None


def head() -> dict[str, Any]:
    """The file of measured points: tools, date, command, points."""
    return parse_json((files(__package__) / POINTS).read_text(encoding="utf-8"), POINTS, FORMAT)


@lru_cache(maxsize=1)
def points() -> tuple[Point, ...]:
    """The measured points that come with Lutra."""
    return tuple(parsed(item) for item in head()["points"])


def encoders() -> dict[str, int]:
    """LUT4 cells of an encoder on an ECP5, by its metric and the length of its sub-vectors."""
    return {str(name): int(cells) for name, cells in head()["encoders"].items()}


def parsed(item: Mapping[str, Any]) -> Point:
    """A point from its JSON object."""
    array = Bare(**item["array"] | {"metric": Metric(item["array"]["metric"])})
    return Point(item["board"], item["part"], item["family"], array, item["cells"], item["fmax_mhz"], item["held_out"])


def _up(value: int, size: int) -> int:
    return -(-value // size)


def _tree_bits(array: Bare) -> int:
    """Bits of the adders that sum the rows, of all columns."""
    operands, width, found = array.rows, array.cell.term_bits(array), 0
    while operands > 1:
        found, operands, width = found + operands // 2 * (width + 1), _up(operands, 2), width + 1
    return found * array.columns


def ram_blocks(array: Bare) -> int:
    """Distributed RAM blocks of 16 words of 4 bits: one bank of tables, or patterns; the expander's table of levels."""
    if array.engine in ("lookup", "dln-row"):
        words, blocks = array.entries, _up(8 * array.columns, 4)
    elif array.engine == "lut-tc":
        words, blocks = 2 * array.entries, _up(array.length * array.columns, 4)
    elif array.engine == "vec-lut":
        words, blocks = 3**array.length // 2 + 1, array.columns * _up(array.cell.term_bits(array), 4)
    else:
        return 0
    levels = array.engine == "dln-row" and _up(array.weight_levels * 8, 4) * _up(array.entries, 16)
    return levels + (0 if array.block_tables else array.rows * _up(words, 16) * blocks)


def exact(array: Bare, family: str) -> dict[str, int]:
    """Resources that follow from sizes."""
    width, depth = {"ice40": (16, 256)}.get(family, (36, 512))
    sums = _up(array.cell.accumulator_bits(array) * array.columns, width) * _up(array.block_rows, depth)
    tables = array.rows * _up(8 * array.columns, width) if array.block_tables else 0
    buffer = _up(BUFFER_BITS, 4096 if family == "ice40" else 18432)
    return {"distributed RAM blocks": ram_blocks(array), "block RAMs": sums + tables + buffer,
            "multipliers": max(0, array.multipliers)}


def _bits(array: Bare) -> list[float]:
    """One; bits of the link's beats, of output beats, accumulators, adder trees; then each engine's two own counts."""
    held = 8 * max(4, array.activation_bytes, array.beat_bytes)
    shared = [1, held, 8 * array.output_bytes, array.cell.accumulator_bits(array) * array.columns, _tree_bits(array)]
    hard = max(0, array.multipliers)
    own = {"mac": (array.cells - hard, hard), "dln-row": (array.cells, array.columns * array.fill)}.get(
        array.engine, (array.cells, array.rows))
    return [*shared, *(value for engine in OWN for value in (own if engine == array.engine else (0, 0)))]


def _ram_cells(array: Bare, family: str) -> int:
    """LUT4 cells that distributed RAM takes, its write ports included."""
    return ram_blocks(array) * (6 if family == "ecp5" else 4)


def _shares(family: str) -> dict[str, NDArray[np.float64]]:
    """Cells for each of `_bits`, of those of `FITTED` that the family's tools count.

    Few points are known, so shares are drawn to what the structure says, `SHARED` and `OWN`: by its own size a share
    may be off as an estimate may by a tenth.
    """
    known = [point for point in points() if point.family == family and not point.held_out]
    found = {}
    for place, name in enumerate(FITTED):
        if not all(name in point.cells for point in known):
            continue
        prior = np.array([*SHARED[place], *(value for own in OWN.values() for value in own[place])], float)
        whole = np.array([point.cells[name] for point in known])
        terms = np.array([_bits(point.array) for point in known]) / whole[:, None] / OFF
        wanted = whole - np.array([_ram_cells(point.array, family) * (place == 0) for point in known])
        drawn = np.diag(1 / np.maximum(prior, 1))
        found[name] = np.linalg.lstsq(np.concatenate([terms, drawn]),
                                      np.concatenate([wanted / whole / OFF, drawn @ prior]), rcond=None)[0]
    return found


def _period(part: str, engine: str) -> NDArray[np.float64] | None:
    """Nanoseconds: what is always there, and what each doubling of the LUT4 cells adds, drawn to `DOUBLING`."""
    known = [(point.fmax_mhz, point.cells[FITTED[0]]) for point in points()
             if (point.part, point.array.engine) == (part, engine) and not point.held_out]
    if not known:
        return None
    periods = np.array([1000 / fmax for fmax, _ in known])
    terms = np.array([[1, np.log2(cells)] for _, cells in known]) / periods[:, None] / OFF
    found: NDArray[np.float64] = np.linalg.lstsq(np.concatenate([terms, [[0, 1 / DOUBLING]]]),
                                                 np.append(np.full(len(known), 1 / OFF), 1), rcond=None)[0]
    return found


def estimate(array: Bare, part: str, family: str) -> Footprint:
    """What the array takes, link included; raises ``ValueError`` where nothing like it has been measured."""
    known = {point.array.engine for point in points() if point.family == family and not point.held_out}
    if array.engine not in known or array.encoded or (array.engine == "mac" and array.multipliers < 0):
        raise ValueError(f"engine must be one that was measured on {family} ({', '.join(sorted(known)) or 'none'}), "
                         f"without encoders, not {array.engine}")
    bits = np.array(_bits(array))
    found = {name: round(float(bits @ shares)) for name, shares in _shares(family).items()}
    found[FITTED[0]] += _ram_cells(array, family)
    period = _period(part, array.engine)
    fmax = None if period is None else round(1000 / float(period @ [1, np.log2(found[FITTED[0]])]), 1)
    return Footprint({**found, **exact(array, family)}, fmax)


def error(point: Point) -> dict[str, float]:
    """Estimate over count, less one, of a point's resources."""
    found = estimate(point.array, point.part, point.family)
    off = {name: found.resources[name] / point.cells[name] - 1 for name in _shares(point.family)}
    return off | ({"Fmax": found.fmax_mhz / point.fmax_mhz - 1} if found.fmax_mhz else {})


def known_errors(part: str) -> dict[str, float]:
    """The largest `error` on a part, without its sign, of points that are held out: of what they tell."""
    found: dict[str, float] = {}
    for point in points():
        if point.part == part and point.held_out:
            found |= {name: max(abs(off), found.get(name, 0.0)) for name, off in error(point).items()}
    return found

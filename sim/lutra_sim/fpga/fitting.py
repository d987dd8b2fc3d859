"""The largest array of a machine that fits a board and meets its clock."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np

from lutra_hw.board.boards import Board
from lutra_model.params import Array

from .. import library
from .flow import BitstreamReport, TimingFailed, make
from .job import DoesNotFit, Job

__all__ = ["Attempt", "Estimate", "advice", "fit", "outcome", "samples"]

Maker = Callable[[int, int], Array]  # rows, columns; raises ValueError where they make no machine
SIZES = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SHAPES = sorted(product(SIZES, SIZES), key=lambda shape: (-shape[0] * shape[1], shape))  # the most cells first


@dataclass(frozen=True)
class Attempt:
    """An array that was synthesised, placed and routed, and what came of it, in one sentence."""

    rows: int
    columns: int
    outcome: str


class Estimate:
    """What arrays take of a part: a fixed share, one for each row, each column and each cell, by least squares.

    Parameters
    ----------
    measured : of each of some shapes (rows, columns), its needs by resource.
    """

    def __init__(self, measured: dict[tuple[int, int], dict[str, int]]):
        self.shapes = list(measured)
        self.names = sorted({name for needs in measured.values() for name in needs})
        needs = np.array([[found[name] for name in self.names] for found in measured.values()], float)
        self.shares = np.linalg.lstsq(np.array([_terms(*shape) for shape in measured]), needs, rcond=None)[0]

    def needs(self, rows: int, columns: int) -> dict[str, int]:
        """Of an array, by resource."""
        return dict(zip(self.names, np.rint(_terms(rows, columns) @ self.shares).astype(int).tolist(), strict=True))

    def smallest(self, board: Board) -> str:
        """What the smallest measured array lacks, in words."""
        rows, columns = self.shapes[0]
        return f"an array of {rows}x{columns} {self.short(rows, columns, board)}"

    def short(self, rows: int, columns: int, board: Board) -> str:
        """The first resource of which the board has too few, in words; empty where there are enough."""
        needs = self.needs(rows, columns)
        return next((f"needs about {needs[name]} {name}, {board.name} has {have}"
                     for name, have in board.part.resources.items() if needs.get(name, 0) > have), "")


def _terms(rows: int, columns: int) -> list[float]:
    return [1, rows, columns, rows * columns]


def samples(make_array: Maker) -> list[tuple[int, int]]:
    """The smallest shapes that make a machine: two numbers of rows with two of columns."""
    rows = list(islice((rows for rows in SIZES if _makes(make_array, rows, 4)), 2))
    columns = list(islice((columns for columns in SIZES if rows and _makes(make_array, rows[0], columns)), 2))
    if len(rows) < 2 or len(columns) < 2:
        make_array(2, 2)  # says why not
    return list(product(rows, columns))


def _makes(make_array: Maker, rows: int, columns: int) -> bool:
    try:
        make_array(rows, columns)
    except ValueError:
        return False
    return True


def advice(board: Board, make_array: Maker, *, clock_mhz: int | None = None, seed: int = 1,
           progress: library.Progress | None = None, cache: Path | None = None) -> str:
    """Which array should fit, in words, by the estimate of :func:`fit`."""
    clock_mhz = board.clock_mhz if clock_mhz is None else clock_mhz
    estimate = _estimate(board, make_array, clock_mhz, seed, cache or library.cache_folder(), progress)
    for rows, columns in SHAPES:
        if not estimate.short(rows, columns, board) and _makes(make_array, rows, columns):
            return f"by estimate {rows}x{columns} is the largest that fits, --fit makes sure"
    return f"no array fits: {estimate.smallest(board)}"


def outcome(job: Job, cache: Path, out: Path, progress: library.Progress | None) -> str:
    """Why the job has no bitstream, in one sentence; empty where it has one. The cache knows it afterwards."""
    def fill(folder: Path) -> None:
        why = ""
        try:
            make(job, allow_timing_fail=True, out=out, progress=progress, cache=cache)
        except DoesNotFit as error:
            why = str(error)
        (folder / "outcome.json").write_text(json.dumps(why))

    found: str = json.loads((library.cached(cache, f"outcome-{job.key}", fill) / "outcome.json").read_text())
    return found


def fit(board: Board, make_array: Maker, *, clock_mhz: int | None = None, seed: int = 1, out: Path,
        progress: library.Progress | None = None,
        cache: Path | None = None) -> tuple[BitstreamReport, list[Attempt]]:
    """The bitstream of the largest array, and the attempts before it, which were too large or too slow.

    A few small arrays are synthesised; what they take says which shapes cannot fit. The others are tried from the
    largest on; after one that fails, only those that should take fewer LUT4 cells. All of it is cached, so a search
    that was interrupted goes on. Raises :class:`DoesNotFit` where there is none.
    """
    cache, clock_mhz = cache or library.cache_folder(), board.clock_mhz if clock_mhz is None else clock_mhz
    estimate = _estimate(board, make_array, clock_mhz, seed, cache, progress)
    attempts: list[Attempt] = []
    limit = board.part.lut4
    for rows, columns in SHAPES:
        needs = estimate.needs(rows, columns)["LUT4 cells"]
        if needs > limit or estimate.short(rows, columns, board) or not _makes(make_array, rows, columns):
            continue
        try:
            job = Job.of(board, make_array(rows, columns), clock_mhz, seed)
            if why := outcome(job, cache, out, progress):
                raise DoesNotFit(why)
            return make(job, out=out, progress=progress, cache=cache), attempts
        except (DoesNotFit, TimingFailed) as error:
            attempts.append(Attempt(rows, columns, str(error)))
            limit = needs - 1
    why = attempts[-1].outcome if attempts else estimate.smallest(board)
    raise DoesNotFit(f"board {board.name} must be larger, or the machine smaller: {why}")


def _estimate(board: Board, make_array: Maker, clock_mhz: int, seed: int, cache: Path,
              progress: library.Progress | None) -> Estimate:
    measured, shapes = {}, samples(make_array)
    for number, shape in enumerate(shapes):
        if progress:
            progress("synthesis of samples", number, len(shapes))
        measured[shape] = Job.of(board, make_array(*shape), clock_mhz, seed).needs(cache)
    if progress:
        progress("synthesis of samples", len(shapes), len(shapes))
    return Estimate(measured)

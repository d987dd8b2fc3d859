"""lutra_sim.fpga.fitting: the search for the largest array, with tools that answer by rule; and one that is real."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lutra_hw.board.boards import BOARDS, Board
from lutra_hw.board.fit import bare_array, engine_array
from lutra_model.bare import Bare
from lutra_model.engines import ENGINES
from lutra_model.params import Array
from lutra_sim.fpga import DoesNotFit, TimingFailed, advice, fit, fitting
from lutra_sim.fpga.fitting import SHAPES, Estimate, samples

BOARD = BOARDS["ulx3s-25f"]
FIXED, ROW, COLUMN, CELL = 9_000, 100, 700, 90  # LUT4 cells
SAMPLES = [(2, 2), (2, 4), (4, 2), (4, 4)]


def cells(rows: int, columns: int) -> int:
    return FIXED + ROW * rows + COLUMN * columns + CELL * rows * columns


class Tools:
    """Tools by rule: the second part of the cells shows at placement only, wide arrays are slow."""

    def __init__(self, hidden: int = 0, widest: int = 64) -> None:
        self.hidden, self.widest = hidden, widest
        self.ran: list[str] = []

    def of(self, board: Board, array: Array, clock_mhz: int, seed: int) -> Any:
        tools = self

        class Job:
            key = f"{array.rows}x{array.columns}"

            def needs(self, cache: Path) -> dict[str, int]:
                tools.ran.append(f"synthesis {self.key}")
                return {"LUT4 cells": cells(array.rows, array.columns), "multipliers": 2 * array.columns}

        made = Job()
        vars(made)["array"] = array
        return made

    def make(self, job: Any, *, allow_timing_fail: bool = False, **_: Any) -> str:
        if not allow_timing_fail and job.array.columns > self.widest:
            raise TimingFailed(f"array {job.key} reaches 1 MHz")
        self.ran.append(job.key)
        if cells(job.array.rows, job.array.columns) + self.hidden > BOARD.part.lut4:
            raise DoesNotFit(f"array {job.key} is too large to place")
        return f"bitstream {job.key}"


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(tools: Tools) -> Tools:
        monkeypatch.setattr(fitting, "Job", tools)
        monkeypatch.setattr(fitting, "make", tools.make)
        return tools
    return install


def machine(rows: int, columns: int) -> Array:
    return engine_array(BOARD, "lookup", rows=rows, columns=columns)


def best(widest: int = 64, hidden: int = 0) -> tuple[int, int]:
    """By trying all shapes."""
    return next((rows, columns) for rows, columns in SHAPES
                if columns <= min(widest, 14) and cells(rows, columns) + hidden <= BOARD.part.lut4)


def test_the_estimate_is_exact_for_shares_of_rows_columns_and_cells() -> None:
    estimate = Estimate({shape: {"LUT4 cells": cells(*shape)} for shape in SAMPLES})
    for shape in SHAPES:
        assert estimate.needs(*shape) == {"LUT4 cells": cells(*shape)}
    assert estimate.short(2, 2, BOARD) == ""
    assert estimate.short(64, 64, BOARD) == f"needs about {cells(64, 64)} LUT4 cells, ulx3s-25f has 24288"


@pytest.mark.parametrize("make", [engine_array, bare_array])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_samples(make: Any, engine: str) -> None:
    shapes = samples(lambda rows, columns: make(BOARD, engine, rows=rows, columns=columns))
    assert shapes == ([(4, 2), (4, 4), (8, 2), (8, 4)] if engine == "sign-flip" else SAMPLES)


def test_the_largest_that_fits_is_found_at_once(stand_in: Any, tmp_path: Path) -> None:
    """Multipliers and cells limit it; what cannot fit is not tried."""
    tools = stand_in(Tools())
    made, attempts = fit(BOARD, machine, out=tmp_path, cache=tmp_path)
    rows, columns = best()
    assert made == f"bitstream {rows}x{columns}"  # type: ignore[comparison-overlap]
    assert attempts == []
    assert tools.ran == [*(f"synthesis {rows}x{columns}" for rows, columns in SAMPLES), *2 * [f"{rows}x{columns}"]]


def test_slow_arrays_are_passed_over(stand_in: Any, tmp_path: Path) -> None:
    stand_in(Tools(widest=4))
    made, attempts = fit(BOARD, machine, out=tmp_path, cache=tmp_path)
    _, columns = map(int, str(made).removeprefix("bitstream ").split("x"))
    assert columns <= 4
    assert attempts
    sizes = [cells(attempt.rows, attempt.columns) for attempt in attempts]
    assert sizes == sorted(sizes, reverse=True)
    assert all(attempt.outcome.endswith("reaches 1 MHz") for attempt in attempts)


def test_a_search_goes_on_where_it_was_interrupted(stand_in: Any, tmp_path: Path) -> None:
    tools = stand_in(Tools(hidden=3_000))
    made, attempts = fit(BOARD, machine, out=tmp_path, cache=tmp_path)
    assert attempts[0].outcome.endswith("is too large to place")
    tools.ran.clear()
    assert fit(BOARD, machine, out=tmp_path, cache=tmp_path) == (made, attempts)
    assert [name for name in tools.ran if "synthesis" not in name] == [str(made).removeprefix("bitstream ")]


def test_a_machine_that_is_too_large(stand_in: Any, tmp_path: Path) -> None:
    stand_in(Tools(hidden=30_000))
    with pytest.raises(DoesNotFit, match=r"^board ulx3s-25f must be larger, or the machine smaller: array \d+x\d+ is "
                                         r"too large to place$"):
        fit(BOARD, machine, out=tmp_path, cache=tmp_path)
    small = replace(BOARD, part=replace(BOARD.part, lut4=5_000))
    with pytest.raises(DoesNotFit, match=r"^board ulx3s-25f must be larger, or the machine smaller: an array of 2x2 "
                                         r"needs about 10960 LUT4 cells, ulx3s-25f has 5000$"):
        fit(small, machine, out=tmp_path, cache=tmp_path)


def test_advice_for_an_array_that_is_too_large(stand_in: Any, tmp_path: Path) -> None:
    stand_in(Tools())
    rows, columns = best()
    assert advice(BOARD, machine, cache=tmp_path) == (
        f"by estimate {rows}x{columns} is the largest that fits, --fit makes sure")
    small = replace(BOARD, part=replace(BOARD.part, lut4=5_000))
    assert advice(small, machine, cache=tmp_path) == (
        "no array fits: an array of 2x2 needs about 10960 LUT4 cells, ulx3s-25f has 5000")


@pytest.mark.slow
def test_a_bare_array_on_an_ice40(tmp_path: Path) -> None:
    """The real tools: the array found fits, the next one does not."""
    board = BOARDS["icebreaker"]
    made, attempts = fit(board, lambda rows, columns: bare_array(board, "lookup", rows=rows, columns=columns),
                         out=tmp_path, cache=tmp_path)
    assert isinstance(made.array, Bare)
    assert made.meets_timing
    assert made.array.cells >= 8
    for attempt in attempts:
        assert attempt.rows * attempt.columns >= made.array.cells

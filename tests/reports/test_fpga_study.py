"""studies.fpga: what an array stands for, and what encoders add, worked out by hand."""

import json
from typing import Any

import pytest

from lutra.cli import main
from lutra_model import footprint
from lutra_model.bare import Bare
from lutra_model.footprint import Point
from lutra_reports.studies.fpga import STUDY, charged, speed

SIZES: dict[str, Any] = {"rows": 8, "columns": 4, "encoders": 1, "block_rows": 512, "codebooks": 512}


def point(**fields: Any) -> Point:
    return Point("ulx3s-25f", "LFE5U-25F", "ecp5", Bare(**SIZES | fields), {"LUT4 cells": 2000}, 100.0, False)


@pytest.mark.parametrize(("fields", "macs"), [
    ({"length": 9}, 8 * 4 * 9), ({"engine": "mac", "length": 1, "entries": 1}, 8 * 4),
    ({"engine": "lut-tc", "length": 4, "entries": 2}, 8 * 4 * 4 / 2),
    ({"engine": "vec-lut", "length": 4, "entries": 1}, 8 * 4 * 4)])
def test_what_a_cycle_stands_for(fields: dict[str, Any], macs: float) -> None:
    assert speed(point(**fields)).macs == macs


def test_the_share_of_cycles_that_issue() -> None:
    """Four passes of 512 rows, each after 128 table beats; the last is followed by 512 output beats and 2."""
    found = speed(point(length=9, fill=1))
    assert found.busy == 4 * 512 / (4 * (128 + 2 + 512 + 4 + 2) + 512 + 2)


def test_encoders_for_the_full_rate() -> None:
    count, dense = charged(point(length=9), 1000, 64, 9)
    assert count == 8 * 4 / 64
    assert dense == pytest.approx(1000 * 8 * 4 * 9 / (2000 + 500))
    assert charged(point(length=9), 1000, 2, 9)[0] == 8  # one for each row is enough


def test_the_study_tells_of_every_point(capsys: pytest.CaptureFixture[str]) -> None:
    found = STUDY.find([], [])
    arrays = found.tables[0]
    assert len(arrays.rows) == sum(1 + (item.array.engine == "lookup") for item in footprint.points())
    assert {row[3] for row in arrays.rows} <= {"routed", "synthesised only"}
    assert main(["estimate", "--product", "64x64x16", "--board", "ulx3s-25f", "--array", "8x4", "--json"]) == 0
    board = json.loads(capsys.readouterr().out)["board"]
    assert {item["engine"] for item in board} >= {"lookup", "mac"}
    assert all(not item["short"] for item in board if item["engine"] == "lookup")


def test_a_part_that_was_never_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "points", lambda: ())
    assert main(["estimate", "--product", "64x64x16", "--board", "ulx3s-25f"]) == 2
    assert capsys.readouterr().err == ("lutra: board must be of a family that was measured, not ulx3s-25f: see lutra "
                                       "study fpga\n")

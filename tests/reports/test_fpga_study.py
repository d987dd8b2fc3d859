"""studies.fpga: what an array stands for, and what encoders add, worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from lutra.cli import main
from lutra_model import footprint
from lutra_model.bare import Bare
from lutra_model.footprint import Point
from lutra_reports.studies.fpga import STUDY, charged, largest, speed

SIZES: dict[str, Any] = {"rows": 8, "columns": 4, "encoders": 1, "block_rows": 512, "codebooks": 512}
CELLS = {"LUT4 cells": 2000, "flip-flops": 1000, "block RAMs": 3}


def point(fmax_mhz: float = 100.0, **fields: Any) -> Point:
    return Point("ulx3s-25f", "LFE5U-25F", "ecp5", Bare(**SIZES | fields), CELLS, fmax_mhz, False)


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


def test_the_largest_of_each_kind() -> None:
    small, large = point(length=9), point(length=9, columns=8)
    one, two = (point(engine="lut-tc", length=4, entries=entries) for entries in (1, 2))
    found = largest([small, large, small, one, two])
    assert found == {("LFE5U-25F", "lookup, V = 4"): (large, 4), ("LFE5U-25F", "lookup, V = 9"): (large, 9),
                     ("LFE5U-25F", "lut-tc W1"): (one, 4), ("LFE5U-25F", "lut-tc W2"): (two, 4)}


def test_the_study_compares_with_the_largest_mac_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """288 a cycle at 100 MHz over 32 at 50 MHz, each from 2000 LUT4 cells."""
    mac = {"engine": "mac", "length": 1, "entries": 1, "multipliers": 28}
    monkeypatch.setattr(footprint, "points", lambda: (point(length=9), point(50.0, **mac)))
    found = STUDY.find([], [])
    assert [row[-1] for row in found.tables[1].rows] == ["6.40", "14.40", "0.80"]
    assert found.answer == ["On LFE5U-25F a LUT4 cell of the largest routed arrays stands for 8.0 (lookup, V = 4), "
                            "18.0 (lookup, V = 9) times the multiply-accumulates a second of one of the largest routed "
                            "INT8 MAC array, before encoders are charged and at another accuracy."]


def test_the_study_tells_of_every_point(capsys: pytest.CaptureFixture[str]) -> None:
    found = STUDY.find([], [])
    arrays = found.tables[0]
    assert len(arrays.rows) == sum(1 + (item.array.engine == "lookup") for item in footprint.points())
    assert main(["estimate", "--product", "64x64x16", "--board", "ulx3s-25f", "--array", "8x4", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {item["engine"] for item in data["board"]} >= {"lookup", "mac"}
    assert all(not item["short"] for item in data["board"] if item["engine"] == "lookup")
    assert data["known_errors"] == footprint.known_errors("LFE5U-25F")


def test_the_page_shows_what_the_study_finds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "fpga-arrays.md").read_text()
    for found in STUDY.find([], []).tables:
        for row in (found.head, *found.rows):
            assert f"| {' | '.join(map(str, row))} |" in page.splitlines()


def test_an_estimate_says_its_known_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """No array was routed on an 85F: LUT4 cells are those of the family, no clock is said."""
    assert main(["estimate", "--product", "64x64x16", "--board", "ulx3s-85f", "--array", "8x4"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "at most: LUT4 cells unknown, flip-flops unknown, Fmax unknown (lutra study fpga)" in shown
    assert shown.count("unknown fits") == 6
    assert main(["estimate", "--product", "64x64x16", "--board", "ulx3s-25f", "--array", "8x4"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    off = footprint.known_errors("LFE5U-25F")
    assert f"at most: LUT4 cells {100 * off['LUT4 cells']:.0f} %, flip-flops " in shown


def test_a_part_that_was_never_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "points", lambda: ())
    assert main(["estimate", "--product", "64x64x16", "--board", "ulx3s-25f"]) == 2
    assert capsys.readouterr().err == ("lutra: board must be of a family that was measured, not ulx3s-25f: see lutra "
                                       "study fpga\n")

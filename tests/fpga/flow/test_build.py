"""lutra_sim.fpga.build: reports, and the errors of users."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lutra_hw.board.boards import BOARDS
from lutra_sim.fpga import DoesNotFit, TimingFailed, build, tools
from lutra_sim.fpga import job as jobs
from lutra_sim.fpga.families import ECP5
from tests.fpga.flow.inputs import LOGS, SMALL


def test_an_unknown_board(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^board must be one of ulx3s-85f, ulx3s-45f, .*, tang-nano-9k, not arty$"):
        build("arty", out=tmp_path)


def test_a_clock_that_the_board_cannot_make(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^clock must be a small ratio of the board's 25 MHz, from 10 to 400 MHz, "
                                         r"not 401 MHz$"):
        build("ulx3s-25f", SMALL, clock_mhz=401, out=tmp_path)


def test_timing_that_fails(tmp_path: Path, no_tools: list[str]) -> None:
    with pytest.raises(TimingFailed, match=r"^array 2x2 reaches 121.51 MHz on ulx3s-25f, not 150 MHz; choose a lower "
                                           r"--clock, or --allow-timing-fail$"):
        build("ulx3s-25f", SMALL, clock_mhz=150, out=tmp_path / "out", cache=tmp_path / "cache")
    assert not (tmp_path / "out" / "ulx3s-25f-lutra.bit").exists()
    assert (tmp_path / "out" / "ulx3s-25f-report.json").exists()
    report = build("ulx3s-25f", SMALL, clock_mhz=150, allow_timing_fail=True, out=tmp_path / "out",
                   cache=tmp_path / "cache")
    assert not report.meets_timing
    assert report.bitstream.read_bytes() == b"bits"
    assert no_tools == ["yosys", "nextpnr-ecp5", "ecppack"]


def test_what_a_report_says(tmp_path: Path, no_tools: list[str]) -> None:
    told: list[tuple[str, int, int]] = []
    report = build("icepi-zero", SMALL, out=tmp_path, cache=tmp_path, progress=lambda *step: told.append(step))
    plain = json.loads(json.dumps(report.as_dict()))
    assert plain["fmax_mhz"] == 121.51
    assert plain["clock_mhz"] == BOARDS["icepi-zero"].clock_mhz
    assert plain["resources"]["block RAMs"] == {"used": 1, "available": 56}
    assert plain["array"]["columns"] == 2
    assert set(plain["tools"]) == {"yosys", "nextpnr-ecp5", "ecppack"}
    assert told == [(f"array 2x2: {step}", number, 3)
                    for number, step in enumerate(["synthesis", "place and route", "bitstream"])]


def test_too_many_cells_after_synthesis(tmp_path: Path, no_tools: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "synthesise", lambda *arguments: {"LUT4": 40_000, "CCU2C": 10_000})
    with pytest.raises(DoesNotFit, match=r"^array 2x2 needs 60000 LUT4 cells, ulx3s-25f has 24288, 35712 too few$"):
        build("ulx3s-25f", SMALL, out=tmp_path, cache=tmp_path)


def failing(log: str) -> Callable[..., str]:
    """A tool that fails after it has written its log."""
    def run(tool: tools.Tool, arguments: list[str], folder: Path, name: str) -> str:
        (folder / name).write_text(log)
        raise tools.ToolFailed("nextpnr-ecp5 failed")
    return run


def test_too_many_cells_for_placement(tmp_path: Path, no_tools: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    log = (LOGS / "nextpnr_full.log").read_text()
    monkeypatch.setattr(tools, "run", failing(log))
    with pytest.raises(DoesNotFit, match=r"^array 2x2 needs 24310 LUT4 cells, ulx3s-25f has 24288, 22 too few$"):
        build("ulx3s-25f", SMALL, out=tmp_path, cache=tmp_path)
    assert (tmp_path / "ulx3s-25f-nextpnr.log").read_text() == log
    monkeypatch.setattr(tools, "run", failing(log.replace("24310", "23000")))
    with pytest.raises(DoesNotFit, match=r"^array 2x2 needs 23000 of the 24288 LUT4 cells of ulx3s-25f, too many to "
                                         r"place$"):
        build("ulx3s-25f", SMALL, out=tmp_path, cache=tmp_path)
    monkeypatch.setattr(tools, "run", failing("ERROR: something else"))
    with pytest.raises(tools.ToolFailed, match=r"^nextpnr-ecp5 failed$"):
        build("ulx3s-25f", SMALL, out=tmp_path, cache=tmp_path)


def test_a_missing_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^nextpnr-ecp5 must be installed to make a bitstream: run `pip install "
                                         r"no-such-package`$"):
        tools.tool(replace(ECP5.nextpnr, oldest=None, package="no-such-package"))

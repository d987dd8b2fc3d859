"""lutra_sim.fpga.reports and tools: what archived reports and version lines of the tools say."""

import json
from pathlib import Path

import pytest

from lutra_sim.fpga.families import ECP5, GOWIN, ICE40, Family
from lutra_sim.fpga.reports import Use, least_cells, log_use, report_fmax, report_use
from lutra_sim.fpga.tools import native_version

LOGS = Path(__file__).parent / "logs"


def test_json_report() -> None:
    report = json.loads((LOGS / "nextpnr_report.json").read_text())
    assert report_fmax(report) == 121.51
    assert report_use(report, ECP5) == {
        "LUT4 cells": Use(439, 24288), "distributed RAM blocks": Use(0, 3036), "block RAMs": Use(1, 56),
        "multipliers": Use(0, 28), "flip-flops": Use(310, 24288)}


def test_the_slowest_clock_counts() -> None:
    clocks = {"a": {"achieved": 80.0, "constraint": 25}, "b": {"achieved": 61.237, "constraint": 50}}
    assert report_fmax({"fmax": clocks}) == 61.24


def test_log_of_a_placement_that_failed() -> None:
    use = log_use((LOGS / "nextpnr_full.log").read_text(), ECP5)
    assert use["LUT4 cells"] == Use(24310, 24288)
    assert use["block RAMs"] == Use(43, 56)
    assert len(use) == 5


@pytest.mark.parametrize(("family", "log", "expected"), [
    (GOWIN, "nextpnr_gowin.log", {
        "LUT4 cells": Use(2200 + 454 + 4 * 64, 8640), "distributed RAM blocks": Use(64, 270), "block RAMs": Use(3, 26),
        "multipliers": Use(0, 40), "flip-flops": Use(1752, 6480)}),
    (ICE40, "nextpnr_ice40.log", {"LUT4 cells": Use(2812, 7680), "block RAMs": Use(24, 32)})])
def test_logs_of_other_families(family: Family, log: str, expected: dict[str, Use]) -> None:
    """Gowin's carries and distributed RAM take LUT4 cells beside those that it calls so; an HX8K has no multipliers."""
    assert log_use((LOGS / log).read_text(), family) == expected


def test_log_that_ended_early() -> None:
    assert log_use("ERROR: Failed to open file\n", ECP5) == {}


def test_cells_of_a_netlist() -> None:
    cells = {"LUT4": 100, "CCU2C": 10, "TRELLIS_DPR16X4": 3, "TRELLIS_FF": 7, "$scopeinfo": 5, "DP16KD": 2}
    assert least_cells(cells, ECP5) == {"LUT4 cells": 132, "distributed RAM blocks": 3, "block RAMs": 2,
                                        "multipliers": 0, "flip-flops": 7}


@pytest.mark.parametrize(("text", "version"), [
    ("Yosys 0.55+12 (git sha1 9871e9b17, clang++ 14.0.0)", (0, 55)),
    ('"nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-0.8-20-g1a2b3c4d)', (0, 8)),
    ("Project Trellis ecppack Version 1.4-59-gb3d3b85", (1, 4)),
    ("usage: ecppack", None)])
def test_versions_of_native_tools(text: str, version: tuple[int, int] | None) -> None:
    assert native_version(text) == version

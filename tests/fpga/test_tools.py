"""fpga.tools: what a tool says is kept, also after ABC has run inside yosys."""

from pathlib import Path

import pytest

from lutra_sim.fpga import tools

DESIGN = "module top (input [3:0] a, b, output y); assign y = ^(a & b); endmodule\n"


def run(folder: Path, last: str) -> str:
    (folder / "design.v").write_text(DESIGN)
    (folder / "synthesis.ys").write_text(f"read_verilog design.v\nsynth_ecp5 -top top\n{last}\n")
    return tools.run(tools.yosys(), ["synthesis.ys"], folder, "yosys.log")


def test_what_yosys_says_after_abc(tmp_path: Path) -> None:
    said = run(tmp_path, "log the end")
    assert "\nthe end\n" in said
    assert (tmp_path / "yosys.log").read_text() in said


def test_why_yosys_failed_after_abc(tmp_path: Path) -> None:
    with pytest.raises(tools.ToolFailed, match="Assertion failed: selection is not empty: t:LUT4"):
        run(tmp_path, "select -assert-none t:LUT4")

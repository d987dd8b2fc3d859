"""The squares in logic, proved equal to a multiplication for every difference of two INT8 values."""

from pathlib import Path

import pytest

from lutra_sim.fpga import tools
from lutra_sim.fpga.synthesis import SQUARES, squares

DESIGN = """
module gold (input [8:0] x, output [16:0] y);
  wire signed [8:0] d = x == 9'h100 ? 9'sd0 : x;  // -256 is no such difference
  assign y = d * d;
endmodule
"""
PROOF = f"""
read_verilog design.v
proc
copy gold gate
techmap -autoproc -map {SQUARES} gate
select -assert-none gate/t:$mul
read_verilog +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh
proc
hierarchy
proc
flatten gate
memory_map
opt -full gate
miter -equiv -flatten -make_outputs gold gate miter
sat -verify -prove trigger 0 miter
"""


def prove(folder: Path, text: str) -> str:
    (folder / "design.v").write_text(DESIGN)
    (folder / SQUARES).write_text(text)
    (folder / "proof.ys").write_text(PROOF)
    return tools.run(tools.yosys(), ["proof.ys"], folder, "yosys.log")


def test_every_square_is_right(tmp_path: Path) -> None:
    assert "SAT proof finished - no model found: SUCCESS!" in prove(tmp_path, squares())


@pytest.mark.parametrize(("right", "wrong"), [("7: y = 49", "7: y = 48"), (".a(u[7:4])", ".a(u[6:3])"),
                                              (".INIT1(16'h7888)", ".INIT1(16'h7880)")])
def test_one_wrong_bit_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    planted = squares().replace(right, wrong, 1)
    assert planted != squares()
    with pytest.raises(tools.ToolFailed, match="proof did fail"):
        prove(tmp_path, planted)

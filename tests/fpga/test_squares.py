"""Maps of yosys, proved: squares equal a multiplication for every difference of INT8 values; words are chosen right."""

from pathlib import Path

import pytest

from lutra_sim.fpga import tools
from lutra_sim.fpga.synthesis import SELECT, SQUARES, maps

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
    assert "SAT proof finished - no model found: SUCCESS!" in prove(tmp_path, maps()[SQUARES])


@pytest.mark.parametrize(("right", "wrong"), [("7: y = 49", "7: y = 48"), (".a(u[7:4])", ".a(u[6:3])"),
                                              (".INIT1(16'h7888)", ".INIT1(16'h7880)")])
def test_one_wrong_bit_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    planted = maps()[SQUARES].replace(right, wrong, 1)
    assert planted != maps()[SQUARES]
    with pytest.raises(tools.ToolFailed, match="proof did fail"):
        prove(tmp_path, planted)


CHOICE = """
module gold (input [47:0] words, input [3:0] number, output [2:0] y);
  \\$bmux #(.WIDTH(3), .S_WIDTH(4)) choice (.A(words), .S(number), .Y(y));
endmodule
"""
CHOSEN = f"""
read_verilog -icells design.v
copy gold gate
techmap -map {SELECT} gate
select -assert-none gate/t:$bmux
select -assert-count 24 gate/t:LUT4
read_verilog +/ecp5/common_sim.vh
proc
hierarchy
flatten gate
bmuxmap gold
opt -full
miter -equiv -flatten -make_outputs gold gate miter
sat -verify -prove trigger 0 miter
"""


def test_the_right_word_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "design.v").write_text(CHOICE)
    (tmp_path / SELECT).write_text(maps()[SELECT])
    (tmp_path / "proof.ys").write_text(CHOSEN)
    said = tools.run(tools.yosys(), ["proof.ys"], tmp_path, "yosys.log")
    assert "SAT proof finished - no model found: SUCCESS!" in said

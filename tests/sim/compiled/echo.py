"""A hand-written design whose every cycle is known, and work for it."""

from pathlib import Path

import numpy as np

from lutra_model.params import Array
from lutra_sim import commands
from lutra_sim.compiled import CompiledMachine
from lutra_sim.library import library
from lutra_sim.traffic import Traffic

__all__ = ["ARRAY", "ECHO", "echo", "expected", "traffic"]

ARRAY = Array(rows=1, columns=3, encoders=1, length=1, entries=2, fill=1)
# Knows RUN (its address is a number of beats) and WRITE_TABLES. A run takes pairs of beats and offers their exclusive
# or one cycle later. RUN's timeout is the number of a bug, a mistake from then on.
ECHO = """
module lutra(input clk, input rst,
    input [31:0] s_axis_cmd_tdata, input s_axis_cmd_tvalid, output s_axis_cmd_tready,
    input [23:0] s_axis_act_tdata, input s_axis_act_tlast, input s_axis_act_tvalid, output s_axis_act_tready,
    input [23:0] s_axis_table_tdata, input s_axis_table_tlast, input s_axis_table_tvalid, output s_axis_table_tready,
    output [23:0] m_axis_tdata, output [2:0] m_axis_tkeep, output m_axis_tlast, output m_axis_tvalid,
    input m_axis_tready, output [31:0] status);
  reg [31:0] bug;
  reg [2:0] words; reg [31:0] address, size, count; reg writing, running, failed, full, last, odd; reg [23:0] held;
  reg [23:0] finished;
  assign s_axis_cmd_tready = ~running & ~(writing & words == 3);
  wire take = running & s_axis_act_tvalid & s_axis_table_tvalid & (~full | m_axis_tready);
  wire write = writing & words == 3 & s_axis_table_tvalid;
  assign s_axis_act_tready = take | failed;
  assign s_axis_table_tready = take | write | failed;
  assign m_axis_tvalid = full & ~(bug == 1 & odd) | bug == 3 & ~running & words == 0
                       | bug == 6 & m_axis_tready & running;
  assign m_axis_tdata = held ^ (bug == 2 & odd);
  assign m_axis_tkeep = bug == 4 ? 7 : 3;
  assign m_axis_tlast = bug == 5 ? count == 3 : last;
  assign status = {failed ? 24'd64 : finished, failed ? 6'd10 : 6'd0, failed ? 2'd2 : {1'b0, running}};
  always @(posedge clk) begin
    odd <= full & ~m_axis_tready;
    if (s_axis_cmd_tvalid & s_axis_cmd_tready) begin
      failed <= 0;
      words <= words == 3 & ~writing ? 0 : words + 1;
      if (words == 0) writing <= s_axis_cmd_tdata[7:0] == 3;
      if (words == 1) address <= s_axis_cmd_tdata;
      if (words == 2) size <= s_axis_cmd_tdata;
      if (words == 3) begin running <= 1; count <= 0; bug <= s_axis_cmd_tdata; end
    end
    if (write) begin
      if (s_axis_table_tlast) begin words <= 0; writing <= 0; end
    end
    if (full & m_axis_tready) begin
      full <= 0;
      if (last) begin running <= 0; finished <= size; end
    end
    if (take) begin
      full <= 1; held <= s_axis_act_tdata ^ s_axis_table_tdata; count <= count + 1;
      last <= count == address - 1;
      if (s_axis_act_tlast != (count == address - 1)) begin failed <= 1; running <= 0; end
    end
    if (rst) begin words <= 0; running <= 0; full <= 0; odd <= 0; failed <= 0; writing <= 0;
      finished <= 0; bug <= 0; end
  end
endmodule
"""


def echo(cache: Path) -> CompiledMachine:
    return CompiledMachine(library(ECHO, cache=cache), ARRAY)


def traffic(rows: int, seed: int = 0, bug: int = 0) -> Traffic:
    rng = np.random.default_rng(seed)
    activations, tables = (rng.integers(0, 256, (rows, 3), np.uint8) for _ in range(2))
    last = np.arange(rows) == rows - 1
    return Traffic(commands.run(5, address=rows, timeout=bug), activations, last, tables, last, np.full(rows, 2), last)


def expected(work: Traffic) -> list[list[int]]:
    return (work.activations ^ work.tables).tolist()

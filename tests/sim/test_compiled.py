"""lutra_sim.compiled, its driver and its caches, on a hand-written design whose every cycle is known."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra_model.host import Traffic
from lutra_model.params import Array
from lutra_sim import generated
from lutra_sim.compiled import CompiledMachine
from lutra_sim.library import library

# Takes eight words, then pairs of beats; offers their exclusive or one cycle later. BUG plants one mistake.
ECHO = """
module lutra(input clk, input rst,
    input [31:0] s_axis_cmd_tdata, input s_axis_cmd_tvalid, output s_axis_cmd_tready,
    input [23:0] s_axis_act_tdata, input s_axis_act_tvalid, output s_axis_act_tready,
    input [23:0] s_axis_table_tdata, input s_axis_table_tvalid, output s_axis_table_tready,
    output [23:0] m_axis_tdata, output [2:0] m_axis_tkeep, output m_axis_tlast, output m_axis_tvalid,
    input m_axis_tready);
  localparam BUG = %d;
  reg [3:0] words; reg [31:0] count; reg [31:0] rows; reg [15:0] used; reg full; reg [23:0] held; reg last; reg odd;
  assign s_axis_cmd_tready = words < 8;
  wire take = words == 8 & s_axis_act_tvalid & s_axis_table_tvalid & (~full | m_axis_tready);
  assign s_axis_act_tready = take;
  assign s_axis_table_tready = take;
  assign m_axis_tvalid = full & ~(BUG == 1 & odd) | BUG == 3 & words == 0 | BUG == 6 & m_axis_tready & words == 8;
  assign m_axis_tdata = held ^ (BUG == 2 & odd);
  assign m_axis_tkeep = BUG == 4 ? 7 : (1 << used) - 1;
  assign m_axis_tlast = BUG == 5 ? count == 3 : last;
  always @(posedge clk) begin
    odd <= full & ~m_axis_tready;
    if (s_axis_cmd_tvalid & s_axis_cmd_tready) begin
      words <= words + 1;
      if (words == 2) rows <= s_axis_cmd_tdata;
      if (words == 4) used <= s_axis_cmd_tdata[31:16];
    end
    if (full & m_axis_tready) begin
      full <= 0;
      if (last) begin words <= 0; count <= 0; end
    end
    if (take) begin
      full <= 1; held <= s_axis_act_tdata ^ s_axis_table_tdata; last <= count == rows - 1; count <= count + 1;
    end
    if (rst) begin words <= 0; count <= 0; full <= 0; odd <= 0; end
  end
endmodule
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def echo(cache: Path, bug: int = 0) -> CompiledMachine:
    return CompiledMachine(library(ECHO % bug, cache=cache), columns=3)


def traffic(rows: int, seed: int = 0) -> Traffic:
    rng = np.random.default_rng(seed)
    command = [0, rows, rows, 1 << 16, 2 << 16, 2, 0, 0]
    return Traffic(command, *(rng.integers(0, 256, (rows, 3), np.uint8) for _ in range(2)))


@pytest.mark.parametrize(("activations", "tables"), [(1, 1), (3, 1), (1, 2), (2, 5)])
def test_cycles_of_a_period(cache: Path, activations: int, tables: int) -> None:
    work = traffic(rows=10)
    run = echo(cache).run(work, beats=10, activation_period=activations, table_period=tables)
    assert run.beats.tolist() == (work.activations ^ work.tables).tolist()
    assert run.cycles == 8 + 9 * max(activations, tables) + 2


@pytest.mark.parametrize("seed", range(5))
def test_stalls_change_cycles_alone(cache: Path, seed: int) -> None:
    machine, work = echo(cache), traffic(rows=200, seed=seed)
    run = machine.run(work, beats=200, stalls=seed)
    assert run.beats.tolist() == (work.activations ^ work.tables).tolist()
    assert run.cycles > 2 * 200
    assert run.cycles == machine.run(work, beats=200, stalls=seed).cycles


@pytest.mark.parametrize(("bug", "message"), [
    (1, r"the machine withdrew an output beat before it was taken: cycle \d+, after \d+ of 50 output beats"),
    (2, r"the machine changed an output beat before it was taken: cycle \d+, after \d+ of 50 output beats"),
    (3, r"the machine offered an output beat before the first command word: cycle \d+, after 0 of 50 output beats"),
    (4, r"tkeep of beat 0 must mark 2 columns, not \[1, 1, 1\]"),
    (5, r"tlast must mark beat 49 alone, not \[2\]"),
    (6, r"the machine made tvalid wait for tready: cycle \d+, after \d+ of 50 output beats")],
    ids=["withdrawn", "changed", "unasked", "tkeep", "tlast", "waits"])
def test_a_broken_stream_rule_is_reported(cache: Path, bug: int, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"^{message}$"):
        echo(cache, bug).run(traffic(rows=50), beats=50, stalls=1)


def test_a_timeout_says_how_far_it_got_and_resets(cache: Path) -> None:
    machine, whole = echo(cache), traffic(rows=10)
    with pytest.raises(RuntimeError, match=r"^3 of 10 output beats after 1013 cycles$"):
        machine.run(Traffic(whole.command, whole.activations[:3], whole.tables), beats=10, timeout=1000)
    assert machine.run(whole, beats=10).cycles == 19


def test_beats_left_over_are_reported(cache: Path) -> None:
    work = traffic(rows=10)
    longer = Traffic(work.command, np.concatenate([work.activations] * 2), work.tables)
    with pytest.raises(RuntimeError, match=r"^the machine took 10 of 20 activation beats$"):
        echo(cache).run(longer, beats=10)


def test_a_damaged_cache_is_no_cache(cache: Path) -> None:
    path = library(ECHO % 7, cache=cache)
    intact = path.read_bytes()
    path.write_bytes(intact[:1000])
    told: list[tuple[str, int, int]] = []

    def tell(*what: Any) -> None:
        told.append(what)

    again = library(ECHO % 7, cache=cache, progress=tell)
    assert told == [("compiling the machine", 0, 1), ("compiling the machine", 1, 1)]
    assert again.stat().st_size == len(intact)
    told.clear()
    assert library(ECHO % 7, cache=cache, progress=tell) == again
    assert told == []


def test_verilog_is_generated_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = Array(rows=1, columns=1, encoders=1, length=1, entries=2)
    calls: list[tuple[Array, str]] = []

    def verilog(*what: Any) -> str:
        calls.append(what)
        return "module lutra; endmodule"

    monkeypatch.setattr(generated.machine, "verilog", verilog)
    assert generated.generate(array, cache=cache) == generated.generate(array, cache=cache)
    assert calls == [(array, "lutra")]
    generated.generate(array.resized(columns=2), cache=cache)
    monkeypatch.setattr(generated, "SOURCES", ["edited"])
    generated.generate(array, cache=cache)
    assert len(calls) == 3


def test_the_key_of_the_verilog_knows_all_that_the_hardware_imports() -> None:
    texts = "".join(path.read_text() for path in Path(generated.machine.__file__).parent.glob("*.py"))
    known = {module.__name__.split(".")[1] for module in generated.MODEL}
    assert set(re.findall(r"(?:from|import) lutra_model\.?(\w*)", texts)) <= known


def test_a_cache_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = re.escape(f"the cache must be a folder that can be made, not {tmp_path / 'file'} (File exists)")
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        library(ECHO % 0, cache=tmp_path / "file")

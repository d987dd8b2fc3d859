"""lutra_sim.compiled, its driver and its caches, on a hand-written design whose every cycle is known."""

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra_model.operation import Error
from lutra_model.params import Array
from lutra_sim import commands, generated
from lutra_sim.compiled import CompiledMachine, MachineFailed
from lutra_sim.library import library
from lutra_sim.traffic import Traffic

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


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def echo(cache: Path) -> CompiledMachine:
    return CompiledMachine(library(ECHO, cache=cache), ARRAY)


def traffic(rows: int, seed: int = 0, bug: int = 0) -> Traffic:
    rng = np.random.default_rng(seed)
    activations, tables = (rng.integers(0, 256, (rows, 3), np.uint8) for _ in range(2))
    last = np.arange(rows) == rows - 1
    return Traffic(commands.run(5, address=rows, timeout=bug), activations, last, tables, last, np.full(rows, 2), last)


def expected(work: Traffic) -> list[list[int]]:
    return (work.activations ^ work.tables).tolist()


@pytest.mark.parametrize(("activations", "tables"), [(1, 1), (3, 1), (1, 2), (2, 5)])
def test_cycles_of_a_period(cache: Path, activations: int, tables: int) -> None:
    work, period = traffic(rows=10), max(activations, tables)
    run = echo(cache).execute(work, activation_period=activations, table_period=tables)
    assert run.beats.tolist() == expected(work)
    assert run.cycles == 9 * period + 3  # the first pair of beats in cycle 1, the last beat leaves one later
    assert (run.times - run.times[0]).tolist() == [period * beat for beat in range(10)]
    assert run.elapsed == run.times[-1] + 2
    assert run.runs == 5


def test_a_machine_keeps_its_state_between_jobs(cache: Path) -> None:
    machine, tables = echo(cache), np.zeros((7, 3), np.uint8)
    assert machine.execute(Traffic(commands.write_tables(7), tables=tables, tables_last=np.arange(7) == 6)).runs == 0
    for rows in (10, 1, 4):
        assert machine.execute(traffic(rows)).beats.tolist() == expected(traffic(rows))


def test_a_long_job_can_be_watched_and_interrupted(cache: Path) -> None:
    machine, work, seen = echo(cache), traffic(rows=50_000), list[int]()
    machine.execute(work, tick=seen.append)
    assert seen == [20_000, 40_000]

    def interrupt(cycles: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        machine.execute(work, tick=interrupt)
    assert machine.execute(traffic(rows=3)).beats.tolist() == expected(traffic(rows=3))


@pytest.mark.parametrize("seed", range(5))
def test_stalls_change_cycles_alone(cache: Path, seed: int) -> None:
    machine, work = echo(cache), traffic(rows=200, seed=seed)
    run = machine.execute(work, stalls=seed)
    assert run.beats.tolist() == expected(work)
    assert run.cycles > 2 * 200
    assert run.cycles == machine.execute(work, stalls=seed).cycles


@pytest.mark.parametrize(("bug", "message"), [
    (1, r"the machine withdrew an output beat before it was taken: cycle \d+, after \d+ of 50 output beats"),
    (2, r"the machine changed an output beat before it was taken: cycle \d+, after \d+ of 50 output beats"),
    (3, r"the machine offered an output beat that nothing asked for: cycle \d+, after 50 of 50 output beats"),
    (4, r"tkeep of beat 0 must mark 2 bytes, not \[1, 1, 1\]"),
    (5, r"tlast of beat \d+ must be 0, not 1"),
    (6, r"the machine made tvalid wait for tready: cycle \d+, after \d+ of 50 output beats")],
    ids=["withdrawn", "changed", "unasked", "tkeep", "tlast", "waits"])
def test_a_broken_stream_rule_is_reported(cache: Path, bug: int, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"^{message}$"):
        echo(cache).execute(traffic(rows=50, bug=bug), stalls=1)


def cut(work: Traffic, rows: int) -> Traffic:
    return Traffic(work.command, work.activations[:rows], work.activations_last[:rows], work.tables,
                   work.tables_last, work.used, work.last)


def test_a_limit_says_how_far_it_got_and_resets(cache: Path) -> None:
    machine, whole = echo(cache), traffic(rows=10)
    with pytest.raises(RuntimeError, match=r"^the machine is not done after 1000 cycles, with 3 of 10 output beats$"):
        machine.execute(cut(whole, 3), limit=1000)
    assert machine.execute(whole).cycles == 12


def test_beats_left_over_are_reported(cache: Path) -> None:
    work = traffic(rows=10)
    longer = Traffic(work.command, np.concatenate([work.activations] * 2), np.tile(work.activations_last, 2),
                     work.tables, work.tables_last, work.used, work.last)
    with pytest.raises(RuntimeError, match=r"^the machine took 10 of 20 activation beats$"):
        echo(cache).execute(longer)


def test_fewer_beats_than_expected_are_reported(cache: Path) -> None:
    work, more = traffic(rows=10), traffic(rows=11)
    with pytest.raises(RuntimeError, match=r"^the machine is idle after 10 of 11 output beats$"):
        echo(cache).execute(Traffic(work.command, work.activations, work.activations_last, work.tables,
                                    work.tables_last, more.used, more.last))


@pytest.mark.parametrize("stalls", [None, 3])
def test_a_failed_machine_says_why_and_goes_on(cache: Path, stalls: int | None) -> None:
    machine, work = echo(cache), traffic(rows=10)
    short = Traffic(work.command, work.activations, work.activations_last | (np.arange(10) == 4), work.tables,
                    work.tables_last, work.used, work.last)
    with pytest.raises(MachineFailed, match=r"^the machine failed with error SHORT at program address 64$") as failure:
        machine.execute(short, stalls=stalls)
    assert failure.value.error is Error.SHORT
    assert machine.execute(work, stalls=stalls).beats.tolist() == expected(work)


def lz4_block(data: bytes) -> bytes:
    """A block's content, by the format's description: sequences of literals and matches."""
    out, source = bytearray(), iter(data)

    def length(nibble: int) -> int:
        while nibble >= 15:
            more = next(source)
            nibble += more
            if more < 255:
                break
        return nibble

    for token in source:
        out += bytes(next(source) for _ in range(length(token >> 4)))
        for low in source:  # none after the last literals
            offset = low | next(source) << 8
            for _ in range(length(token & 15) + 4):
                out.append(out[-offset])
            break
    return bytes(out)


def test_a_trace_holds_the_cycles_that_were_asked_for(cache: Path, tmp_path: Path) -> None:
    """Value changes of the text format; each cycle is two steps, clock low and clock high."""
    machine, path = CompiledMachine(library(ECHO, trace="vcd", cache=cache), ARRAY), tmp_path / "t.vcd"
    with machine.tracing(path, 3, 6):
        machine.execute(traffic(rows=10))
    text = path.read_text()
    assert "s_axis_act_tdata" in text
    assert [int(step) for step in re.findall(r"^#(\d+)$", text, re.MULTILINE)] == list(range(6, 14))


def test_a_compressed_trace_names_every_port(cache: Path, tmp_path: Path) -> None:
    """FST: blocks of one byte of kind and eight of length; kind 6 is the hierarchy, packed by LZ4."""
    machine, path = CompiledMachine(library(ECHO, trace="fst", cache=cache), ARRAY), tmp_path / "t.fst"
    with machine.tracing(path, 3, 6):
        machine.execute(traffic(rows=10))
    content, at, blocks = path.read_bytes(), 0, dict[int, bytes]()
    while at < len(content):
        size = int.from_bytes(content[at + 1:at + 9], "big")
        blocks[content[at]], at = content[at + 9:at + 1 + size], at + 1 + size
    assert at == len(content)
    assert [int.from_bytes(blocks[0][i:i + 8], "big") for i in (0, 8)] == [6, 13]  # first and last time
    names = lz4_block(blocks[6][8:])
    assert len(names) == int.from_bytes(blocks[6][:8], "big")
    assert all(name in names for name in (b"s_axis_cmd_tdata", b"m_axis_tlast", b"held"))


def test_a_damaged_cache_is_no_cache(cache: Path) -> None:
    path = library(ECHO + "// 7", cache=cache)
    intact = path.read_bytes()
    path.write_bytes(intact[:1000])
    told: list[tuple[str, int, int]] = []

    def tell(*what: Any) -> None:
        told.append(what)

    again = library(ECHO + "// 7", cache=cache, progress=tell)
    assert told == [("compiling the machine", 0, 1), ("compiling the machine", 1, 1)]
    assert again.stat().st_size == len(intact)
    told.clear()
    assert library(ECHO + "// 7", cache=cache, progress=tell) == again
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
        library(ECHO, cache=tmp_path / "file")


@pytest.mark.parametrize("first", [0, 1])
def test_machines_run_side_by_side_and_end_in_any_order(cache: Path, first: int) -> None:
    machines, work, results = [echo(cache), echo(cache)], traffic(rows=30_000), dict[int, list[list[int]]]()

    def run(number: int) -> None:
        results[number] = machines[number].execute(work).beats.tolist()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {0: expected(work), 1: expected(work)}
    del machines[first], machines[0]

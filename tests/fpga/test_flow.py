"""lutra_sim.fpga.build: the errors of users, the cache, and (slowly) bitstreams."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lutra.cli import main
from lutra.commands import bitstream
from lutra_hw.board.boards import BOARDS, Board
from lutra_hw.board.fit import engine_array, network_array
from lutra_model.bare import Bare
from lutra_model.netfile import load
from lutra_model.params import Array, Metric
from lutra_model.program import compile_network
from lutra_sim.fpga import DoesNotFit, TimingFailed, build, tools
from lutra_sim.fpga import job as jobs
from lutra_sim.fpga.families import ECP5
from lutra_sim.fpga.job import Job
from lutra_sim.fpga.synthesis import drop_dangling_carries, script
from tests.answers import refused

LOGS = Path(__file__).parent / "logs"
NETWORK = Path(__file__).parents[2] / "lutra" / "networks" / "fashion-resnet8.lutra"
SMALL = Array(rows=2, columns=2, encoders=1, length=2, entries=2, lanes=2, codebooks=8, block_rows=16, index_words=16)


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tools that write what archived logs say instead of running; the names of those that ran."""
    ran: list[str] = []
    cells: dict[str, int] = {}

    def synthesise(rtlil: str, text: str, top: str, folder: Path) -> dict[str, int]:
        ran.append("yosys")
        (folder / f"{top}.json").write_text('{"modules": {"lutra": {"ports": {}, "cells": {}}}}')
        return cells

    def run(tool: tools.Tool, arguments: list[str], folder: Path, log: str) -> str:
        ran.append(tool.name)
        name = "nextpnr_report.json" if "report.json" in arguments else None
        if name:
            (folder / "report.json").write_text((LOGS / name).read_text())
        (folder / log).write_text("")
        if tool.name == "ecppack":
            (folder / "lutra.bit").write_bytes(b"bits")
        return ""

    monkeypatch.setattr(Job, "of", lambda board, array, clock_mhz, seed: Job(
        board=board, array=array, clock_mhz=clock_mhz, seed=seed, rtlil=repr(array), pins=""))
    monkeypatch.setattr(jobs, "synthesise", synthesise)
    monkeypatch.setattr(tools, "run", run)
    return ran


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


def test_the_large_board_holds_the_default_network() -> None:
    """Program, codebooks and all tables: nothing but images and logits goes over the line."""
    program = compile_network(load(NETWORK), BOARDS["ulx3s-85f"].array, resident=True)
    assert len(program.operations) >= 10
    assert not len(program.streamed)


@pytest.mark.parametrize("name", ["ulx3s-25f", "icepi-zero"])
def test_the_small_boards_say_what_they_do_not_hold(name: str) -> None:
    with pytest.raises(ValueError, match=r"^layer block1_first needs sub-vector length 9, the array holds at most 4$"):
        compile_network(load(NETWORK), BOARDS[name].array)


def chosen(board: Board, *argv: str) -> Array:
    """The machine that the command makes."""
    parser = argparse.ArgumentParser()
    bitstream.arguments(parser)
    args = parser.parse_args(["--board", board.name, *argv])
    return bitstream.chosen_array(board, args, *(args.array or (None, None)))


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_the_boards_own_array_is_the_default(board: Board) -> None:
    """The command changes nothing that the user did not ask for."""
    assert chosen(board) == board.array
    bare = isinstance(board.array, Bare)
    other = chosen(board, "--array", "4x2", "--encoders", "4" if bare else "2")
    sizes = {"encoders": 4, "encoded": True, "word": 2} if bare else {"encoders": 2, "word": 2}
    assert other == replace(board.array, rows=4, columns=2, fill=4, **sizes)


def test_the_command_makes_machines_of_engines_and_networks() -> None:
    board = BOARDS["ulx3s-25f"]
    assert chosen(board, "--set", "metric=tree") == replace(board.array, metric=Metric.TREE, codebook_words=8192)
    assert chosen(board, "--engine", "mac", "--array", "4x2", "--set", "weight_bits=4", "--set", "table_words=512") == \
        engine_array(board, "mac", rows=4, columns=2, weight_bits=4, table_words=512)
    assert chosen(board, "--engine", "lut-tc", "--set", "quantised=1").quantised is True
    assert chosen(board, "--network", "fashion-resnet8-int8", "--array", "4x2") == \
        network_array(board, load(NETWORK.with_stem("fashion-resnet8-int8")), rows=4, columns=2)


def test_the_command_says_what_it_made(tmp_path: Path, no_tools: list[str], capsys: pytest.CaptureFixture[str],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path))
    command = ["bitstream", "--board", "ulx3s-25f", "--engine", "sign-flip", "--array", "4x2",
               "--output", str(tmp_path)]
    assert main([*command, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["engine"], data["fmax_mhz"], data["clock_mhz"]) == ("sign-flip", 121.51, 40)
    assert data["resources"]["LUT4 cells"]["available"] == 24_288
    assert data["array"] == asdict(engine_array(BOARDS["ulx3s-25f"], "sign-flip", rows=4, columns=2))
    assert data["sha256"] == hashlib.sha256(b"bits").hexdigest()
    assert (data["attempts"], data["bare"], data["source"]) == ([], False, "nextpnr-ecp5 --report")
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "4x2 sign-flip cells on ulx3s-25f" in shown
    assert f"SHA-256: {data['sha256']}\n" in shown
    assert f"openFPGALoader -b ulx3s {tmp_path}/ulx3s-25f-lutra.bit" in shown.replace("\n", "")


def test_the_command_says_which_array_would_fit(tmp_path: Path, no_tools: list[str], monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    """16,000 LUT4 cells, and 1,000 for each cell of the array."""
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path))
    monkeypatch.setattr(Job, "needs", lambda job, cache: {"LUT4 cells": 16_000 + 1_000 * job.array.cells})
    monkeypatch.setattr(jobs, "synthesise", lambda *arguments: {"LUT4": 32_000})
    assert refused(capsys, "bitstream", "--board", "ulx3s-25f", "--engine", "sign-flip", "--array", "4x4",
                   "--output", str(tmp_path), "--json") == (
        "array 4x4 needs 32000 LUT4 cells, ulx3s-25f has 24288, 7712 too few; by estimate 4x2 is the largest that "
        "fits, --fit makes sure")


def test_the_command_searches(tmp_path: Path, no_tools: list[str], monkeypatch: pytest.MonkeyPatch,
                              capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path))
    monkeypatch.setattr(Job, "needs", lambda job, cache: {"LUT4 cells": 16_000 + 1_000 * job.array.cells})
    command = ["bitstream", "--board", "ulx3s-25f", "--engine", "sign-flip", "--fit", "--output", str(tmp_path)]
    assert main([*command, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["array"]["rows"] * data["array"]["columns"] == 8
    assert main([*command, "--clock", "150", "--json"]) == 2
    assert "must be larger, or the machine smaller: array 4x2 reaches 121.51 MHz" in capsys.readouterr().err


def test_squares_take_the_multipliers_that_the_columns_leave() -> None:
    array = Array(rows=8, columns=4, encoders=1)
    assert "select -set hard *encoder_0.distance_0 *encoder_0.distance_1\n" in script(array, "lutra", 34, [])
    assert "hard" not in script(array, "lutra", 24, [])
    assert "hard" not in script(replace(array, metric=Metric.L1), "lutra", 28, [])


def test_dangling_carries_are_dropped(tmp_path: Path) -> None:
    def carry(first: int, last: int) -> dict[str, object]:
        return {"type": "CCU2C", "port_directions": {"CIN": "input", "COUT": "output"},
                "connections": {"CIN": [first], "COUT": [last]}}

    path = tmp_path / "n.json"
    path.write_text(json.dumps({"modules": {"top": {
        "ports": {"o": {"bits": [6]}}, "cells": {"a": carry(2, 3), "b": carry(3, 4), "c": carry(5, 6)}}}}))
    assert drop_dangling_carries(path, "top") == 1
    cells = json.loads(path.read_text())["modules"]["top"]["cells"]
    assert [cell["connections"]["COUT"] for cell in cells.values()] == [[3], ["x"], [6]]


CODE = """
import sys
from pathlib import Path
from lutra_hw.board.boards import BOARDS
from lutra_hw.board.fit import bare_array, engine_array
from lutra_sim.fpga import build
board, kind, out = BOARDS[sys.argv[1]], sys.argv[2], Path(sys.argv[3])
array = {"bare": bare_array, "machine": engine_array}[kind](board, "lookup", rows=2, columns=2, length=2, entries=2)
print(build(board.name, array, out=out, cache=out / "cache").sha256)
"""


@pytest.mark.parametrize(("board", "kind"), [
    ("icebreaker", "bare"), *(pytest.param(board, kind, marks=pytest.mark.slow) for board, kind in [
        ("hx8k-b-evn", "bare"), ("tang-nano-9k", "bare"), ("ulx3s-25f", "bare"), ("ulx3s-25f", "machine")])])
def test_a_bitstream_is_the_same_bytes_again(board: str, kind: str, tmp_path: Path) -> None:
    """In another folder, with another cache, and with Python's hashes of strings in another order."""
    hashes = []
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", CODE, board, kind, str(tmp_path / seed)], env=environment,
                              text=True, capture_output=True, check=True)
        (bitstream,) = (tmp_path / seed).glob(f"{board}-lutra.*")
        assert hashlib.sha256(bitstream.read_bytes()).hexdigest() == done.stdout.strip()
        hashes.append(done.stdout)
    assert hashes[0] == hashes[1]


@pytest.mark.slow
@pytest.mark.parametrize("board", ["ulx3s-25f", "icebreaker", "hx8k-b-evn", "tang-nano-9k"])
def test_a_board_of_each_part_meets_its_clock(board: str, tmp_path: Path) -> None:
    """Of the parts whose own arrays route in minutes."""
    report = build(board, out=tmp_path)
    assert report.meets_timing
    assert report.bitstream.stat().st_size > 20_000

"""lutra bitstream: the machine that it makes, and what it says of it."""

import argparse
import hashlib
import json
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
from lutra_sim.fpga import job as jobs
from lutra_sim.fpga.job import Job
from tests.answers import refused
from tests.fpga.flow.inputs import NETWORK


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

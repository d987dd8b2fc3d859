"""lutra run: a network on a simulated board, and one sentence for each mistake."""

import json
import os
import socket
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from lutra.cli import main
from lutra_hw.board.boards import BOARDS
from lutra_model.bare import Bare
from lutra_model.latency import network_latency
from lutra_model.netfile import save
from lutra_sim.fpga.host import Host, running_job
from lutra_sim.fpga.noise import ARRAY, trial_case
from lutra_sim.fpga.rates import rates
from lutra_sim.fpga.serial import SerialPort
from lutra_sim.fpga.simulated import SimulatedBoard, build_board
from lutra_sim.fpga.terminal import terminal
from tests.answers import refused

CASE = trial_case(0)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Arguments that name a network, a design and inputs, written for this test."""
    save(CASE.network, tmp_path / "net.lutra")
    np.save(tmp_path / "x.npy", CASE.inputs)
    (tmp_path / "design.json").write_text(json.dumps({"board": "ulx3s-25f", "array": asdict(ARRAY), "clock_mhz": 40}))
    return ["run", f"{tmp_path}/net.lutra", "--design", f"{tmp_path}/design.json", "--input", f"{tmp_path}/x.npy"]


def test_a_network_on_a_simulated_board(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "--simulated", "--json", "--output", f"{tmp_path}/y.npy"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["bit_exact"] is True
    assert data["faults"] == []
    assert np.load(tmp_path / "y.npy").tolist() == CASE.expected.tolist()
    assert data["classes"] == CASE.expected.reshape(len(CASE.expected), -1).argmax(axis=1).tolist()


def test_a_port_and_what_people_see(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal that somebody else has put there; the second run finds the board as the first one left it."""
    with terminal(SimulatedBoard(build_board(ARRAY))) as path:
        for _ in range(2):
            assert main([*files, "--port", str(path)]) == 0
            shown = capsys.readouterr().out
            assert "bit-exact: yes; jobs done again: 0" in shown
            assert "line-bound: the machine can do " in shown
        with SerialPort(path):
            assert refused(capsys, *files, "--port", str(path)) == (
                f"board must be on a serial device that no other program uses, {path} is in use")


def test_another_bitstream(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    design = json.loads((tmp_path / "design.json").read_text())
    design["array"]["table_words"] += 1
    (tmp_path / "design.json").write_text(json.dumps(design))
    with terminal(SimulatedBoard(build_board(ARRAY))) as path:
        sentence = refused(capsys, *files, "--port", str(path))
    assert sentence.startswith("the board's bitstream must hold the machine ")


def test_a_silent_board(files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SerialPort.__init__, "__kwdefaults__", {"baud": 1_000_000, "timeout": 0.05, "settle": 0})
    master, slave = os.openpty()
    assert refused(capsys, *files, "--port", os.ttyname(slave)) == (
        "the board did not answer, 5 times in a row: it must hold a bitstream of lutra bitstream, and the line must "
        "have the same baud rate")
    os.close(master)
    os.close(slave)


def test_mistakes(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *files, "--port", f"{tmp_path}/tty") == (
        f"board must be on a serial device that can be opened, not {tmp_path}/tty: No such file or directory")
    assert refused(capsys, *files, "--port", f"{tmp_path}/x.npy") == (
        f"board must be on a serial device, not {tmp_path}/x.npy")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/socket")
        assert refused(capsys, *files, "--port", f"{tmp_path}/socket").startswith(
            f"board must be on a serial device that can be opened, not {tmp_path}/socket: ")
    assert refused(capsys, "run", "--board", "arty", "--simulated") == (
        f"board must be one of {', '.join(BOARDS)}, not arty")
    assert refused(capsys, "run", "--board", "ulx3s-25f", "--simulated") == (
        "layer block1_first needs sub-vector length 9, the array holds at most 4")
    for text in ("{", "[]", '{"board": "ulx3s-25f"}', '{"board": "ulx3s-25f", "clock_mhz": 1, "array": {"metric": 1}}'):
        (tmp_path / "design.json").write_text(text)
        assert refused(capsys, *files, "--simulated").startswith(
            f"design file {tmp_path}/design.json must hold what lutra bitstream --json prints: ")


def test_rates_are_those_of_one_more_input() -> None:
    """Bytes counted on the line, cycles by the latency model."""
    program, found = CASE.program, rates(CASE.program, 40, 1_000_000)
    runs = [network_latency(program.operations, ARRAY, runs=count).cycles for count in (3, 4)]
    assert found.cycles == runs[1] - runs[0]
    sizes = []
    for count in (2, 3):
        job = running_job(program, np.repeat(CASE.inputs[:1], count, 0), b"once")
        sizes.append(sum(len(frame) + 4 for frame in job))
    assert found.sent == sizes[1] - sizes[0]
    assert found.machine == pytest.approx(40e6 / found.cycles)
    assert found.line == pytest.approx(100_000 / max(found.sent, found.heard))


def test_the_bytes_that_come_back_are_counted() -> None:
    class Counting(SimulatedBoard):
        heard = 0

        def read(self) -> bytes:
            data = super().read()
            self.heard += len(data)
            return data

    board, heard = Counting(build_board(ARRAY), patience=100_000), []
    host = Host(board)
    host.load(CASE.program)
    for count in (2, 3):
        before = board.heard
        host.run(np.repeat(CASE.inputs[:1], count, 0))
        heard.append(board.heard - before)
    assert heard[1] - heard[0] == rates(CASE.program, 40, 1_000_000).heard


def test_a_network_on_a_bare_array(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    array = Bare(rows=4, columns=2, encoders=1, length=4, codebooks=256, block_rows=32)
    design = {"board": "icebreaker", "array": asdict(array), "clock_mhz": 24}
    (tmp_path / "design.json").write_text(json.dumps(design))
    assert main([*files, "--simulated", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["bit_exact"] is True
    assert data["layers"]
    assert data["classes"] == CASE.expected.reshape(len(CASE.expected), -1).argmax(axis=1).tolist()


def test_a_bare_array_that_runs_nothing(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    array = Bare(engine="mac", rows=4, columns=2, encoders=1, length=1, entries=1, block_rows=32)
    design = {"board": "icebreaker", "array": asdict(array), "clock_mhz": 24}
    (tmp_path / "design.json").write_text(json.dumps(design))
    assert refused(capsys, *files, "--simulated").startswith(
        f"the array of icebreaker runs no layer of {CASE.network.name}: layer ")

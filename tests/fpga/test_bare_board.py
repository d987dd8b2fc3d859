"""The program that docs/fpga.md has for a board with a bare array, on the simulated board."""

import re
from pathlib import Path

import pytest

from lutra_hw.board.boards import BOARDS
from lutra_sim.fpga import serial
from lutra_sim.fpga.simulated import SimulatedBoard, build_board
from lutra_sim.fpga.terminal import terminal

PAGE = Path(__file__).parents[2] / "docs" / "fpga.md"


def test_the_program_of_the_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (program,) = (code for code in programs if "BareHost" in code)
    with terminal(SimulatedBoard(build_board(BOARDS["icebreaker"].array))) as path:
        real = serial.SerialPort
        monkeypatch.setattr(serial, "SerialPort", lambda _: real(path, timeout=60))
        exec(program, {})
    assert capsys.readouterr().out == "bit-exact: True\n"

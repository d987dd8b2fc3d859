"""Boards and the default network; what synthesis makes of multipliers and carries."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lutra_hw.board.boards import BOARDS
from lutra_model.netfile import load
from lutra_model.params import Array, Metric
from lutra_model.program import compile_network
from lutra_sim.fpga.synthesis import drop_dangling_carries, script
from tests.fpga.flow.inputs import NETWORK


def test_the_large_board_holds_the_default_network() -> None:
    """Program, codebooks and all tables: nothing but images and logits goes over the line."""
    program = compile_network(load(NETWORK), BOARDS["ulx3s-85f"].array, resident=True)
    assert len(program.operations) >= 10
    assert not len(program.streamed)


@pytest.mark.parametrize("name", ["ulx3s-25f", "icepi-zero"])
def test_the_small_boards_say_what_they_do_not_hold(name: str) -> None:
    with pytest.raises(ValueError, match=r"^layer block1_first needs sub-vector length 9, the array holds at most 4$"):
        compile_network(load(NETWORK), BOARDS[name].array)


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

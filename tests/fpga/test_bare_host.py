"""fpga.bare over a simulated board's serial line: products of every engine, a line that spoils jobs, refusals."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lutra_model.bare import FIRST, Bare, command
from lutra_sim.compiled import MachineFailed
from lutra_sim.fpga import bare
from lutra_sim.fpga.bare import BareHost
from lutra_sim.fpga.simulated import SimulatedBoard, build_board
from tests.hw.test_bare import ARRAYS, Case

FAST = ("lookup", "vec-lut", "dln-row")


@pytest.mark.parametrize("name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
                                  for name in ARRAYS])
def test_products_over_the_line(name: str) -> None:
    case = Case(ARRAYS[name], 5)
    host = BareHost(SimulatedBoard(build_board(ARRAYS[name])))
    for _ in range(2):
        got = host.product(case.array, case.coding, case.table, case.columns)
        assert got.tolist() == case.golden().tolist()
    assert host.faults == []


@dataclass
class Spoiling:
    """A line on which one bit of a byte turns over, either way, once."""

    board: SimulatedBoard
    there: int
    back: int

    def write(self, data: bytes) -> None:
        spoilt = bytearray(data)
        if 0 <= self.there < len(data):
            spoilt[self.there] ^= 4
        self.there -= len(data)
        self.board.write(bytes(spoilt))

    def read(self) -> bytes:
        data = bytearray(self.board.read())
        if 0 <= self.back < len(data):
            data[self.back] ^= 4
        self.back -= len(data)
        return bytes(data)

    def reset(self) -> None:
        self.board.reset()


@pytest.mark.parametrize(("there", "back"), [(60, -1), (-1, 40), (300, 200)])
def test_a_spoilt_job_is_done_again(there: int, back: int) -> None:
    case = Case(ARRAYS["lookup"], 3)
    host = BareHost(Spoiling(SimulatedBoard(build_board(ARRAYS["lookup"]), patience=1 << 14), there, back))
    assert host.product(case.array, case.coding, case.table, case.columns).tolist() == case.golden().tolist()
    assert host.faults


def test_a_machine_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that asks for more rows than there are accumulators."""
    case = Case(ARRAYS["lookup"], 3)
    host = BareHost(SimulatedBoard(build_board(ARRAYS["lookup"]), patience=1 << 14))
    monkeypatch.setattr(bare, "command", lambda rows, entries, flags: command(999, entries, FIRST))
    with pytest.raises(MachineFailed):
        host.product(case.array, case.coding, case.table, case.columns)


def test_another_array_on_the_board(tmp_path: Path) -> None:
    other = Bare(rows=4, columns=2, encoders=1, length=4, codebooks=64, block_rows=16)
    case = Case(other, 1)
    host = BareHost(SimulatedBoard(build_board(ARRAYS["lookup"])))
    with pytest.raises(ValueError, match=r"^the board's bitstream must hold the machine \w{14}, 4x2 lookup cells"):
        host.product(other, case.coding, case.table, np.zeros_like(case.columns))

"""A simulated board behind a line with faults: an answer is right, or there is none; checks that are off are seen."""

import inspect
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from lutra_hw.board import frames, link
from lutra_hw.board.top import SerialMachine
from lutra_hw.verilog import convert
from lutra_model.link import Line
from lutra_sim.fpga import noise
from lutra_sim.fpga.host import Host, loading_job
from lutra_sim.fpga.noise import ARRAY, KINDS, NoisyPort, Vanished, tally, trial, trial_case
from lutra_sim.fpga.serial import SerialPort
from lutra_sim.fpga.simulated import DIVISOR, SimulatedBoard, build_board, terminal
from lutra_sim.library import library


@pytest.fixture(scope="module")
def board() -> Path:
    """The library of a small board."""
    return build_board(ARRAY)


def right(found: Counter[str], trials: int) -> None:
    """Every run has an answer or an error, most an answer, none a wrong one."""
    assert found["wrong"] == 0
    assert found["right"] + found["refused"] == noise.RUNS * trials
    assert found["right"] > found["refused"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_gives_a_wrong_answer(board: Path, kind: str) -> None:
    found = tally(board, [kind], range(5))
    right(found, 5)
    assert found["faults"] > 5
    assert found["again"] > 0 or kind == "vanish"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 2000, 100))
def test_no_mixture_of_faults_gives_a_wrong_answer(board: Path, first: int) -> None:
    right(tally(board, KINDS, range(first, first + 100)), 100)


def test_without_faults_nothing_is_done_again(board: Path) -> None:
    assert tally(board, [], range(3)) == {"right": 3 * noise.RUNS}


def unchecked(self: Line, data: bytes, columns: int) -> Iterator[tuple[int, bytes]]:
    """Packets as they come, whatever their checks."""
    self._rest += data
    while self._rest and self._rest[0] < 5:
        size = 1 + (0, columns, 4, 16, 0)[self._rest[0]]
        if len(self._rest) < size + 4:
            break
        packet, self._rest = self._rest[:size], self._rest[size + 4:]
        yield packet[0], packet[1:]


def wrongs(board: SimulatedBoard, seeds: range, gap: float) -> int:
    """Wrong answers when bits turn over; trials may also end in ways that they must not."""
    found = 0
    for seed in seeds:
        with suppress(RuntimeError, ValueError, AssertionError):
            found += trial(board, ["flip"], seed, gap)["wrong"]
    return found


def test_a_host_that_does_not_check_is_seen(board: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoisyPort, "write", lambda self, data: self.board.write(data))  # the other way is in order
    seeds, gap = range(10), 150
    assert wrongs(SimulatedBoard(board, patience=noise.PATIENCE), seeds, gap) == 0
    monkeypatch.setattr(Line, "packets", unchecked)
    assert wrongs(SimulatedBoard(board, patience=noise.PATIENCE), seeds, gap) > 0


@pytest.mark.slow
def test_a_board_that_does_not_check_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same trials, on a board whose frames need no right check."""
    line, scope = "self.i.payload != crc.crc.word_select(place, 8)", {"__name__": frames.__name__}
    source = inspect.getsource(frames)
    assert source.count(line) == 1
    exec(compile(source.replace(line, "0"), "planted", "exec"), scope)
    monkeypatch.setattr(link, "FrameBuffer", scope["FrameBuffer"])
    verilog = convert(SerialMachine(ARRAY, DIVISOR), "lutra")
    planted = SimulatedBoard(library(verilog, driver="board.cpp"), patience=noise.PATIENCE)
    assert wrongs(planted, range(20), gap=2000) > 0


def test_a_host_that_vanishes_in_mid_frame_and_one_that_comes_back(board: Path) -> None:
    """Over a terminal, as with a board on a cable: the first host's bytes end anywhere."""
    case = trial_case(3)
    with terminal(SimulatedBoard(board)) as path:
        for cut, pause in [(1, 0), (9, 0.3), (70, 0), (300, 0.3)]:
            with SerialPort(path) as port:
                port.reset()
                port.write(b"".join(map(Line().sealed, loading_job(case.program, b"mark")))[:cut])
                time.sleep(pause)
            with SerialPort(path, timeout=20, settle=0.5) as port:
                host = Host(port)
                host.load(case.program)
                assert host.run(case.inputs).tolist() == case.expected.tolist()


def test_the_faults_are_what_they_say() -> None:
    class Echo(SimulatedBoard):
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.sent.append(data)

        def line_break(self) -> None:
            self.sent.append(b"break")

        def power_up(self) -> None:
            self.sent.append(b"power")

    data = bytes(range(100))
    expected = {"flip": 100, "lose": 99, "double": 101, "reset": 105, "power": 105}
    for seed, (kind, size) in enumerate(expected.items()):
        port = NoisyPort(Echo(), [kind], np.random.default_rng(seed), gap=1e9)
        port._next = 40.5
        port.write(data)
        assert len(b"".join(port.board.sent)) == size
        assert zlib.crc32(b"".join(port.board.sent)) != zlib.crc32(data)
        assert port.faults == {kind: 1}
    port = NoisyPort(Echo(), ["vanish"], np.random.default_rng(0), gap=10)
    with pytest.raises(Vanished):
        port.write(data)

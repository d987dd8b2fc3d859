"""The host's side, lutra_model.link and lutra_sim.fpga.host and serial, against a board that only counts."""

import os
import tty
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lutra_model.link import CHANNELS, LAST, WINDOW_BYTES, Exchange, frames
from lutra_model.operation import Error, Kind, State, descriptor_words
from lutra_model.params import Array
from lutra_sim import commands
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.compiled import MachineFailed
from lutra_sim.fpga.host import Host, loading_job, running_job
from lutra_sim.fpga.serial import SerialPort

ARRAY = Array(rows=4, columns=6, encoders=2, length=3, entries=4, codebooks=80, block_rows=16, index_words=64)


def a_case(streamed: bool) -> Case:
    """The first random case of many beats whose tables are streamed, or none of which are."""
    for seed in range(1000):
        case = random_case(ARRAY, seed)
        tables = [operation for operation in case.program.operations if operation.stream_tables]
        if len(case.inputs) > 1 and len(case.program.tables if not streamed else case.program.streamed) > 100 \
                and (len(tables) > 1) == streamed:
            return case
    raise AssertionError("no such case")


STREAMED, RESIDENT = a_case(True), a_case(False)


def status(state: State, error: Error = Error.NONE, rest: int = 0) -> bytes:
    """A status packet."""
    return b"\2" + (state | error << 2 | rest << 8).to_bytes(4, "little")


class CountingBoard:
    """Takes frames one at a time, slowly; says the golden outputs when all frames of a run have come.

    Parameters
    ----------
    fails_after : frames after which it fails, dropping the others until a RUN comes.

    ``most`` is the largest number of bytes that it ever had to buffer.
    """

    def __init__(self, case: Case, fails_after: int = -1) -> None:
        self.case = case
        self.jobs = {len(job): job for job in (loading_job(case.program), running_job(case.program, case.inputs))}
        self.buffer, self.said = b"", b""
        self.most, self.left, self.fails_after = 0, 0, fails_after
        self.failed, self.silent = False, False
        self.taken: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.buffer += data
        self.most = max(self.most, len(self.buffer))

    def read(self) -> bytes:
        if self.silent:
            return b""
        if self.buffer:
            count = int.from_bytes(self.buffer[1:3], "little") + 3
            self.take(self.buffer[:count])
            self.buffer = self.buffer[count:]
        said, self.said = self.said[:7], self.said[7:]
        return said

    def take(self, frame: bytes) -> None:
        self.taken.append(frame)
        self.said += b"\0"
        runs = np.array(commands.run(len(self.case.inputs))[:3], "<u4").tobytes()
        if frame[0] == 0 and frame[3:15] == runs:
            self.failed, self.left = False, len(running_job(self.case.program, self.case.inputs)) - 1
            self.said += status(State.RUNNING)
        self.left -= 1
        if len(self.taken) == self.fails_after:
            self.failed = True
            self.said += self.failure()
        elif self.left == 0 and not self.failed:
            self.said += self.outputs() + status(State.IDLE, rest=len(self.case.inputs))
        elif frame[0] == CHANNELS.index("status"):
            self.said += self.failure() if self.failed else status(State.IDLE)

    def failure(self) -> bytes:
        return status(State.FAILED, Error.WATCHDOG, descriptor_words(ARRAY))

    def outputs(self) -> bytes:
        """Packets of the golden outputs in the order of the last operation."""
        data, last = b"", self.case.program.operations[-1]
        full = ARRAY.columns if last.kind is Kind.PRODUCT else ARRAY.word
        for image in self.case.expected.reshape(len(self.case.inputs), last.rows, -1):
            row = 0
            for size in last.block_sizes:
                for first in range(0, image.shape[1], full):
                    for beat in image[row:row + size, first:first + full]:
                        data += b"\1" + beat.tobytes().ljust(ARRAY.columns, b"\0")
                row += size
        return data


@pytest.mark.parametrize("case", [STREAMED, RESIDENT], ids=str)
def test_a_program_in_windows(case: Case) -> None:
    board = CountingBoard(case)
    host = Host(board)
    host.load(case.program)
    for _ in range(2):
        assert host.run(case.inputs).tolist() == case.expected.tolist()
    run = running_job(case.program, case.inputs)
    assert board.taken == loading_job(case.program) + run + run
    assert WINDOW_BYTES - 256 < board.most <= WINDOW_BYTES


@pytest.mark.parametrize("case", [STREAMED, RESIDENT], ids=str)
def test_every_beat_is_sent_once_in_its_streams_order(case: Case) -> None:
    streams: list[bytes] = [b"", b"", b"", b""]
    ends: list[list[int]] = [[], [], [], []]
    program = case.program
    for frame in loading_job(program) + running_job(program, case.inputs, timeout=77):
        assert int.from_bytes(frame[1:3], "little") == len(frame) - 3
        streams[frame[0] & ~LAST] += frame[3:]
        if frame[0] & LAST:
            ends[frame[0] & ~LAST].append(len(streams[frame[0] & ~LAST]))
    words = commands.write_program(program.words) + commands.write_codebooks(program.codebooks)
    if len(program.tables):
        words += commands.write_tables(len(program.tables))
    words += commands.run(len(case.inputs), timeout=77)
    beats, last = program.input_beats(case.inputs)
    tables = np.concatenate([program.tables, *[program.streamed] * len(case.inputs)])
    tables_last = [*([False] * (len(program.tables) - 1) + [True] if len(program.tables) else []),
                   *program.streamed_last.tolist() * len(case.inputs)]
    assert streams == [np.array(words, "<u4").tobytes(), beats.tobytes(), tables.tobytes(), b""]
    assert ends == [[], ((np.flatnonzero(last) + 1) * beats.shape[1]).tolist(),
                    ((np.flatnonzero(tables_last) + 1) * tables.shape[1]).tolist(), []]


def test_streamed_tables_follow_the_image_that_needs_them() -> None:
    order = [frame[0] & ~LAST for frame in running_job(STREAMED.program, STREAMED.inputs) if frame[0] & LAST]
    layers = sum(operation.stream_tables for operation in STREAMED.program.operations)
    assert order == [1, *[2] * layers] * len(STREAMED.inputs)


def test_a_silent_board() -> None:
    board = CountingBoard(STREAMED)
    host = Host(board)
    host.load(STREAMED.program)
    board.silent = True
    with pytest.raises(TimeoutError, match=r"^the board fell silent: 0 output beats, \d+ frames not sent$"):
        host.run(STREAMED.inputs)


def test_a_run_that_fails() -> None:
    """What was under way is waited for, the rest is not sent, and the next run is as good as new."""
    board = CountingBoard(STREAMED)
    host = Host(board)
    host.load(STREAMED.program)
    sent = len(board.taken)
    board.fails_after = sent + 4
    name = STREAMED.program.operations[1].name
    with pytest.raises(MachineFailed, match=rf"^the machine failed with error WATCHDOG at operation {name}$"):
        host.run(STREAMED.inputs)
    assert sent + 4 < len(board.taken) < sent + len(running_job(STREAMED.program, STREAMED.inputs))
    board.said = b"\1" + b"x" * ARRAY.columns + status(State.FAILED, Error.SHORT)  # that nobody waited for
    assert host.run(STREAMED.inputs).tolist() == STREAMED.expected.tolist()


@pytest.mark.parametrize("after", ["first", "last"])
def test_a_program_that_the_machine_refuses(after: str) -> None:
    case = RESIDENT
    board = CountingBoard(case, fails_after=1 if after == "first" else len(loading_job(case.program)) - 1)
    host = Host(board)
    with pytest.raises(MachineFailed, match=r"^the machine failed with error WATCHDOG at operation \S+$"):
        host.load(case.program)
    with pytest.raises(ValueError, match=r"^a program must be loaded before inputs can run$"):
        host.run(case.inputs)


def test_beats_that_are_missing() -> None:
    board, beats = CountingBoard(STREAMED), len(STREAMED.inputs) * STREAMED.program.output_beats
    board.outputs = lambda: b""  # type: ignore[method-assign]
    host = Host(board)
    host.load(STREAMED.program)
    with pytest.raises(RuntimeError, match=rf"^the board must send {beats} output beats, not 0$"):
        host.run(STREAMED.inputs)


@pytest.mark.parametrize("cuts", [1, 2, 7])
def test_packets_in_pieces(cuts: int) -> None:
    data = b"\0" + b"\1abcdef" * 3 + b"\0" + status(State.IDLE, rest=1)
    exchange = Exchange(frames("command") * 2, 6)
    assert exchange.send() == b"\0\0\0" * 2
    for start in range(0, len(data), cuts):
        assert not exchange.complete
        exchange.feed(data[start:start + cuts])
    assert exchange.complete
    assert exchange.beats.tobytes() == b"abcdef" * 3
    assert exchange.status == 1 << 8


def test_a_status_older_than_the_last_frame_is_no_end() -> None:
    exchange = Exchange(frames("command") * 2, 6)
    exchange.send()
    exchange.feed(b"\0" + status(State.IDLE) + b"\0")
    assert not exchange.complete
    exchange.feed(status(State.RUNNING))
    assert not exchange.complete
    exchange.feed(status(State.IDLE))
    assert exchange.complete


def test_a_broken_packet() -> None:
    with pytest.raises(RuntimeError, match=r"^a packet from the board must start with one of \[0, 1, 2\], not 7$"):
        Exchange(frames("command"), 6).feed(b"\7")
    with pytest.raises(RuntimeError, match=r"^the board acknowledged a frame that nobody sent$"):
        Exchange(frames("command"), 6).feed(b"\0")


def test_beats_too_wide_for_the_link() -> None:
    assert len(frames("tables", np.zeros((1, 2045), np.uint8))[0]) == WINDOW_BYTES
    with pytest.raises(ValueError, match=r"^a frame must be at most 2048 bytes, not 2049: the array's beats are "
                                         r"too wide for the host link$"):
        frames("tables", np.zeros((1, 2046), np.uint8))


def test_a_serial_device() -> None:
    board, device = os.openpty()
    tty.setraw(board)
    data = np.random.default_rng(0).integers(0, 256, 3000, np.uint8).tobytes()
    with SerialPort(Path(os.ttyname(device)), timeout=0.2) as port:
        heard = b""
        sender = Thread(target=port.write, args=(data,))
        sender.start()
        while len(heard) < len(data):
            heard += os.read(board, 4096)
        sender.join()
        assert heard == data
        os.write(board, b"\x00\x01\r\n\x03\xff")
        assert port.read() == b"\x00\x01\r\n\x03\xff"
        assert port.read() == b""
    os.close(board)
    os.close(device)


def test_devices_that_are_none(tmp_path: Path) -> None:
    missing, plain = tmp_path / "tty", tmp_path / "file"
    plain.touch()
    with pytest.raises(ValueError, match=f"^board must be on a serial device that can be opened, not {missing}: "
                                         "No such file or directory$"):
        SerialPort(missing)
    with pytest.raises(ValueError, match=f"^board must be on a serial device, not {plain}$"):
        SerialPort(plain)
    with pytest.raises(ValueError, match=r"^baud must be a rate that this system knows, not 12345$"):
        SerialPort(plain, baud=12345)

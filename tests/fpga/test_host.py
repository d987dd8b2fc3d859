"""The host's side, lutra_model.link and lutra_sim.fpga.host and serial, against a board that only counts."""

import os
import tty
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lutra_model.exchange import Exchange, WrongBoard
from lutra_model.link import (
    CHANNELS,
    CHECK_BYTES,
    LAST,
    VERSION,
    WINDOW_BYTES,
    Line,
    LinkFault,
    frames,
    hello,
    machine_digest,
)
from lutra_model.operation import Error, Kind, State, descriptor_words
from lutra_model.params import Array, Metric
from lutra_sim import commands
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.compiled import MachineFailed
from lutra_sim.fpga.host import BoardFailed, Host, loading_job, running_job
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


def load_frames(case: Case) -> list[bytes]:
    """A load, but for its hello."""
    return loading_job(case.program, b"mark")[1:]


def run_frames(case: Case) -> list[bytes]:
    """A run, but for its hello."""
    return running_job(case.program, case.inputs, b"once")[1:]


def without_hellos(taken: list[bytes]) -> list[bytes]:
    """Frames that are no hellos."""
    return [frame for frame in taken if frame[0] & ~LAST != CHANNELS.index("hello")]


class CountingBoard:
    """Takes frames one at a time, slowly; says the golden outputs when all frames of a run have come.

    Parameters
    ----------
    fails_after : frames after which it fails, dropping the others until a RUN comes.

    ``most`` is the largest number of bytes that it ever had to buffer, ``spoil`` what to do to each packet, by its
    number.
    """

    def __init__(self, case: Case, fails_after: int = -1) -> None:
        self.case = case
        self.buffer, self.said = b"", b""
        self.most, self.left, self.fails_after = 0, 0, fails_after
        self.failed, self.silent = False, False
        self.taken: list[bytes] = []
        self.breaks, self.number, self.mark = 0, 0, bytes(4)
        self.version, self.machine = VERSION, machine_digest(case.array)
        self.spoil: dict[int, Callable[[bytes], bytes]] = {}
        self.heard, self.saying = Line(), Line()

    def reset(self) -> None:
        self.breaks += 1
        self.buffer, self.said, self.left, self.failed = b"", b"", 0, False
        self.heard, self.saying = Line(), Line()

    def write(self, data: bytes) -> None:
        self.buffer += data
        self.most = max(self.most, len(self.buffer))

    def read(self) -> bytes:
        if self.silent:
            return b""
        if self.buffer:
            count = int.from_bytes(self.buffer[1:3], "little") + 3
            frame, self.buffer = self.buffer[:count + CHECK_BYTES], self.buffer[count + CHECK_BYTES:]
            assert frame == self.heard.sealed(frame[:count])
            self.take(frame[:count])
        said, self.said = self.said[:7], self.said[7:]
        return said

    def say(self, packet: bytes) -> None:
        packet = self.saying.sealed(packet)
        self.said += self.spoil.pop(self.number, bytes)(packet)
        self.number += 1

    def take(self, frame: bytes) -> None:
        self.taken.append(frame)
        self.say(b"\0")
        runs = np.array(commands.run(len(self.case.inputs))[:3], "<u4").tobytes()
        if frame[0] & ~LAST == CHANNELS.index("hello"):
            self.mark = frame[3:] if frame[0] & LAST else self.mark
            self.say(b"\3" + bytes([self.version]) + self.machine + self.mark + frame[3:])
        if frame[0] == 0 and frame[3:15] == runs:
            self.failed, self.left = False, len(run_frames(self.case))
            self.say(status(State.RUNNING))
        self.left -= 1
        if len(self.taken) == self.fails_after:
            self.failed = True
            self.say(self.failure())
        elif self.left == 0 and not self.failed:
            for beat in self.outputs():
                self.say(b"\1" + beat)
            self.say(status(State.IDLE, rest=len(self.case.inputs)))
        elif frame[0] == CHANNELS.index("status"):
            self.say(self.failure() if self.failed else status(State.IDLE))

    def failure(self) -> bytes:
        return status(State.FAILED, Error.WATCHDOG, descriptor_words(ARRAY))

    def outputs(self) -> list[bytes]:
        """Beats of the golden outputs in the order of the last operation."""
        data, last = list[bytes](), self.case.program.operations[-1]
        full = ARRAY.columns if last.kind is Kind.PRODUCT else ARRAY.word
        for image in self.case.expected.reshape(len(self.case.inputs), last.rows, -1):
            row = 0
            for size in last.block_sizes:
                for first in range(0, image.shape[1], full):
                    for beat in image[row:row + size, first:first + full]:
                        data.append(beat.tobytes().ljust(ARRAY.columns, b"\0"))
                row += size
        return data


@pytest.mark.parametrize("case", [STREAMED, RESIDENT], ids=str)
def test_a_program_in_windows(case: Case) -> None:
    board = CountingBoard(case)
    host = Host(board)
    host.load(case.program)
    for _ in range(2):
        assert host.run(case.inputs).tolist() == case.expected.tolist()
    run = run_frames(case)
    assert without_hellos(board.taken) == load_frames(case) + run + run
    assert len(board.taken) == 3 + len(without_hellos(board.taken))
    assert board.breaks == 1
    assert not host.faults
    assert WINDOW_BYTES - 256 < board.most <= WINDOW_BYTES


@pytest.mark.parametrize("case", [STREAMED, RESIDENT], ids=str)
def test_every_beat_is_sent_once_in_its_streams_order(case: Case) -> None:
    streams: list[bytes] = [b""] * len(CHANNELS)
    ends: list[list[int]] = [[] for _ in CHANNELS]
    program = case.program
    for frame in load_frames(case) + running_job(program, case.inputs, b"once", timeout=77)[1:]:
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
    assert streams == [np.array(words, "<u4").tobytes(), beats.tobytes(), tables.tobytes(), b"", b""]
    assert ends == [[], ((np.flatnonzero(last) + 1) * beats.shape[1]).tolist(),
                    ((np.flatnonzero(tables_last) + 1) * tables.shape[1]).tolist(), [], []]


def test_streamed_tables_follow_the_image_that_needs_them() -> None:
    order = [frame[0] & ~LAST for frame in run_frames(STREAMED) if frame[0] & LAST]
    layers = sum(operation.stream_tables for operation in STREAMED.program.operations)
    assert order == [1, *[2] * layers] * len(STREAMED.inputs)


def test_a_silent_board() -> None:
    board = CountingBoard(STREAMED)
    host = Host(board, attempts=3)
    host.load(STREAMED.program)
    board.silent = True
    with pytest.raises(BoardFailed, match=r"^the board did not answer, 3 times in a row: it must hold a bitstream of "
                                          r"lutra bitstream, and the line must have the same baud rate$"):
        host.run(STREAMED.inputs)
    assert board.breaks == 3
    board.silent = False
    assert host.run(STREAMED.inputs).tolist() == STREAMED.expected.tolist()


def flipped(packet: bytes) -> bytes:
    return packet[:-1] + bytes([packet[-1] ^ 16])


SPOILS: dict[str, Callable[[bytes], bytes]] = {
    "wrong": flipped, "cut": lambda packet: packet[:-1], "lost": lambda packet: b"",
    "twice": lambda packet: packet * 2, "garbage": lambda packet: b"\x7f" + packet}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.9])
def test_a_spoilt_packet(spoil: str, share: float) -> None:
    """Wherever it is, the job is done again after a break, and what comes out is right."""
    calm, board = CountingBoard(STREAMED), CountingBoard(STREAMED)
    for port in (calm, board):
        host = Host(port)
        if port is board:
            board.spoil = {int(share * calm.number): SPOILS[spoil]}
        host.load(STREAMED.program)
        assert host.run(STREAMED.inputs).tolist() == STREAMED.expected.tolist()
    assert len(host.faults) == board.breaks - 1 == 1


def test_a_line_that_never_works() -> None:
    board = CountingBoard(STREAMED)
    host = Host(board, attempts=4)
    board.spoil = dict.fromkeys(range(10**5), flipped)
    with pytest.raises(BoardFailed, match=r"^the job failed 4 times in a row, the last time because the check of a "
                                          r"packet from the board was wrong$"):
        host.load(STREAMED.program)
    with pytest.raises(ValueError, match=r"^a program must be loaded before inputs can run$"):
        host.run(STREAMED.inputs)


def test_a_board_that_forgot_is_loaded_again() -> None:
    board = CountingBoard(STREAMED)
    host = Host(board)
    host.load(STREAMED.program)
    board.mark, board.taken = bytes(4), []
    assert host.run(STREAMED.inputs).tolist() == STREAMED.expected.tolist()
    assert without_hellos(board.taken) == load_frames(STREAMED) + run_frames(STREAMED)
    assert [str(fault) for fault in host.faults] == ["the board's memories no longer held the program"]


def test_a_refused_frame() -> None:
    board = CountingBoard(STREAMED)
    host = Host(board)
    board.spoil = {4: lambda packet: packet + board.saying.sealed(b"\4")}
    host.load(STREAMED.program)
    assert [str(fault) for fault in host.faults] == ["the board refused a frame"]


@pytest.mark.parametrize("what", ["machine", "version"])
def test_another_bitstream_is_refused_before_anything_is_loaded(what: str) -> None:
    board = CountingBoard(STREAMED)
    host = Host(board)
    ours = machine_digest(ARRAY).hex()
    if what == "version":
        board.version = 3
        sentence = "^the board's bitstream must speak version 2 of the host link, not 3: make it anew$"
    else:
        board.machine = b"another"
        sentence = (f"^the board's bitstream must hold the machine {ours}, 4x6 lookup cells, "
                    f"not {b'another'.hex()}$")
    with pytest.raises(WrongBoard, match=sentence):
        host.load(STREAMED.program)
    assert without_hellos(board.taken) == []
    assert board.breaks == 1


def test_machines_that_differ_have_other_digests() -> None:
    others = [ARRAY, replace(ARRAY, block_rows=17), replace(ARRAY, metric=Metric.L1), replace(ARRAY, lanes=11),
              replace(ARRAY, entries=8)]
    assert len({machine_digest(array) for array in others}) == len(others)
    assert machine_digest(replace(ARRAY)) == machine_digest(ARRAY)


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
    assert sent + 4 < len(board.taken) < sent + len(run_frames(STREAMED))
    for packet in (b"\1" + b"x" * ARRAY.columns, status(State.FAILED, Error.SHORT)):  # that nobody waited for
        board.say(packet)
    assert host.run(STREAMED.inputs).tolist() == STREAMED.expected.tolist()


@pytest.mark.parametrize("after", ["first", "last"])
def test_a_program_that_the_machine_refuses(after: str) -> None:
    case = RESIDENT
    board = CountingBoard(case, fails_after=2 if after == "first" else len(load_frames(case)))
    host = Host(board)
    with pytest.raises(MachineFailed, match=r"^the machine failed with error WATCHDOG at operation \S+$"):
        host.load(case.program)
    with pytest.raises(ValueError, match=r"^a program must be loaded before inputs can run$"):
        host.run(case.inputs)


def test_beats_that_are_missing() -> None:
    board, beats = CountingBoard(STREAMED), len(STREAMED.inputs) * STREAMED.program.output_beats
    board.outputs = list  # type: ignore[method-assign]
    host = Host(board)
    host.load(STREAMED.program)
    with pytest.raises(RuntimeError, match=rf"^the board must send {beats} output beats, not 0$"):
        host.run(STREAMED.inputs)


def answered(exchange: Exchange, nonce: bytes = b"once", mark: bytes = bytes(4)) -> Line:
    """The board's end of the line, after it has taken and answered the exchange's hello."""
    assert exchange.send() == Line().sealed(hello(b"once"))
    assert exchange.send() == b"", "nothing else may be sent before the answer"
    line = Line()
    exchange.feed(line.sealed(b"\0") + line.sealed(b"\3" + bytes([VERSION]) + machine_digest(ARRAY) + mark + nonce))
    return line


@pytest.mark.parametrize("cuts", [1, 2, 7])
def test_packets_in_pieces(cuts: int) -> None:
    exchange = Exchange([hello(b"once"), *frames("command") * 2], ARRAY, Line())
    line = answered(exchange)
    data = b"".join(map(line.sealed, [b"\0", *[b"\1abcdef"] * 3, b"\0", status(State.IDLE, rest=1)]))
    assert len(exchange.send()) == 14
    for start in range(0, len(data), cuts):
        assert not exchange.complete
        exchange.feed(data[start:start + cuts])
    assert exchange.complete
    assert exchange.beats.tobytes() == b"abcdef" * 3
    assert exchange.status == 1 << 8


def test_a_status_older_than_the_last_frame_is_no_end() -> None:
    exchange = Exchange([hello(b"once"), *frames("command") * 2], ARRAY, Line())
    line = answered(exchange)
    exchange.send()
    for state, complete in [(None, False), (State.IDLE, False), (None, False), (State.RUNNING, False),
                            (State.IDLE, True)]:
        exchange.feed(line.sealed(b"\0" if state is None else status(state)))
        assert exchange.complete == complete


@pytest.mark.parametrize(("data", "sentence"), [
    (b"\7", "a packet from the board started with 7"),
    (b"\0\0\0\0\0", "the check of a packet from the board was wrong"),
    (Line().sealed(b"\0"), "the board acknowledged a frame that nobody sent"),
    (Line().sealed(b"\4"), "the board refused a frame")])
def test_a_broken_packet(data: bytes, sentence: str) -> None:
    with pytest.raises(LinkFault, match=f"^{sentence}$"):
        Exchange([hello(b"once")], ARRAY, Line()).feed(data)


def test_an_answer_to_another_hello() -> None:
    with pytest.raises(LinkFault, match=r"^the board answered another hello$"):
        answered(Exchange([hello(b"once")], ARRAY, Line()), nonce=b"then")


def test_beats_too_wide_for_the_link() -> None:
    assert len(frames("tables", np.zeros((1, 2041), np.uint8))[0]) + CHECK_BYTES == WINDOW_BYTES
    with pytest.raises(ValueError, match=r"^a frame must be at most 2048 bytes, not 2049: the array's beats are "
                                         r"too wide for the host link$"):
        frames("tables", np.zeros((1, 2042), np.uint8))


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


def test_a_device_that_is_in_use_or_goes_away() -> None:
    board, device = os.openpty()
    path = os.ttyname(device)
    with SerialPort(path, timeout=0.2) as port:
        with pytest.raises(ValueError, match=f"^board must be on a serial device that no other program uses, {path} "
                                             "is in use$"):
            SerialPort(path)
        os.close(board)
        os.close(device)
        for use in (port.read, partial(port.write, b"x"), port.reset):
            with pytest.raises(ConnectionError, match=f"^the serial device {path} must stay connected: "
                                                      "(it has hung up|Input/output error)$"):
                use()


def test_a_device_that_takes_nothing() -> None:
    board, device = os.openpty()
    with SerialPort(os.ttyname(device), timeout=0.1) as port, \
            pytest.raises(ConnectionError, match=r"must stay connected: it takes no bytes$"):
        port.write(bytes(10**6))
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

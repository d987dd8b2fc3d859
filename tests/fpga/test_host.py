"""The host's side, lutra_sim.fpga.host, against a board that only counts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lutra_model.exchange import WrongBoard
from lutra_model.link import (
    CHANNELS,
    CHECK_BYTES,
    LAST,
    WINDOW_BYTES,
    frames,
    machine_digest,
)
from lutra_model.operation import Error, State
from lutra_model.params import Metric
from lutra_sim import commands
from lutra_sim.case import Case
from lutra_sim.compiled import MachineFailed
from lutra_sim.fpga.host import BoardFailed, Host, running_job
from tests.fpga.counting_board import (
    ARRAY,
    RESIDENT,
    STREAMED,
    CountingBoard,
    load_frames,
    run_frames,
    status,
    without_hellos,
)


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


def test_beats_too_wide_for_the_link() -> None:
    assert len(frames("tables", np.zeros((1, 2041), np.uint8))[0]) + CHECK_BYTES == WINDOW_BYTES
    with pytest.raises(ValueError, match=r"^a frame must be at most 2048 bytes, not 2049: the array's beats are "
                                         r"too wide for the host link$"):
        frames("tables", np.zeros((1, 2042), np.uint8))

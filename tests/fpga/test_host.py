"""lutra_model.link and lutra_sim.fpga.serial: the host's side, against a board that only counts."""

import os
import tty
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lutra_model.host import unpack
from lutra_model.link import WINDOW_BYTES, Packets, frames, interleave, run
from lutra_model.params import Array, Layer
from lutra_sim.case import Case
from lutra_sim.fpga.serial import SerialPort

ARRAY = Array(rows=4, columns=5, encoders=2, length=3, entries=4, codebooks=20, block_rows=16, index_words=32)
CASE = Case(array=ARRAY, layer=Layer(rows=40, codebooks=11, columns=12, length=3, entries=4))


class CountingBoard:
    """Takes frames one at a time, slowly; has the golden outputs ready when all have come.

    ``most`` is the largest number of bytes that it ever had to buffer.
    """

    def __init__(self, case: Case):
        self.case = case
        self.buffer = b""
        self.most = 0
        self.taken: list[bytes] = []
        self.silent = False

    def write(self, data: bytes) -> None:
        self.buffer += data
        self.most = max(self.most, len(self.buffer))

    def read(self) -> bytes:
        if self.silent:
            return b""
        count = int.from_bytes(self.buffer[1:3], "little") + 3
        self.taken.append(self.buffer[:count])
        self.buffer = self.buffer[count:]
        last = len(self.taken) == len(frames(self.case.schedule, self.case.traffic))
        return b"\0" + (self.outputs() if last else b"")

    def outputs(self) -> bytes:
        schedule, data, row = self.case.schedule, b"", 0
        for size in schedule.block_sizes:
            for first in range(0, schedule.layer.columns, ARRAY.columns):
                for beat in self.case.expected[row:row + size, first:first + ARRAY.columns]:
                    data += b"\1" + beat.astype(np.int8).tobytes()
            row += size
        return data


def test_a_layer_in_windows() -> None:
    board = CountingBoard(CASE)
    beats = run(board, CASE.schedule, CASE.traffic)
    assert unpack(CASE.schedule, beats).tolist() == CASE.expected.tolist()
    assert b"".join(board.taken) == interleave(CASE.schedule, CASE.traffic)
    assert WINDOW_BYTES - 256 < board.most <= WINDOW_BYTES


def test_every_beat_is_sent_once_in_its_streams_order() -> None:
    streams: list[bytes] = [b"", b"", b""]
    for frame in frames(CASE.schedule, CASE.traffic):
        assert int.from_bytes(frame[1:3], "little") == len(frame) - 3
        streams[frame[0]] += frame[3:]
    assert streams == [np.array(CASE.traffic.command, "<u4").tobytes(), CASE.traffic.activations.tobytes(),
                       CASE.traffic.tables.tobytes()]


def test_a_silent_board() -> None:
    board = CountingBoard(CASE)
    board.silent = True
    with pytest.raises(TimeoutError, match=r"^the board fell silent: 0 output beats, \d+ frames not sent$"):
        run(board, CASE.schedule, CASE.traffic)


@pytest.mark.parametrize("cuts", [1, 2, 7])
def test_packets_in_pieces(cuts: int) -> None:
    packets, data = Packets(CASE.schedule), CountingBoard(CASE).outputs()
    for start in range(0, len(data), cuts):
        packets.feed(data[start:start + cuts])
    assert packets.complete
    assert len(packets.beats) == CASE.beats


def test_a_broken_packet() -> None:
    with pytest.raises(RuntimeError, match=r"^a packet from the board must start with 0 or 1, and no beat may follow "
                                           r"the last, not 7 after 0 beats$"):
        Packets(CASE.schedule).feed(b"\0\7")


def test_beats_too_wide_for_the_link() -> None:
    array = Array(rows=1, columns=2100, encoders=1, length=1, entries=2)
    case = Case(array=array, layer=Layer(rows=1, codebooks=1, columns=1, length=1, entries=2))
    with pytest.raises(ValueError, match=r"^a frame must be at most 2048 bytes, not 2103: the array's beats are "
                                         r"too wide for the host link$"):
        frames(case.schedule, case.traffic)


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

"""One layer over a serial line: the order of the frames that the host sends, the packets that come back."""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .host import Traffic
from .schedule import PARAMETER_BEATS, Schedule

__all__ = ["ACKNOWLEDGE", "BEAT", "CHANNELS", "Packets", "Port", "WINDOW_BYTES", "frames", "interleave", "run"]

CHANNELS = ("command", "activations", "tables")  # a frame's first byte is the place in this list
HEADER_BYTES = 3      # channel, byte count (two bytes, low one first)
PAYLOAD_BYTES = 253   # of a frame that holds more than one beat
WINDOW_BYTES = 2048   # what the link buffers: bytes that the host may send ahead of their acknowledgement
ACKNOWLEDGE, BEAT = 0, 1  # first byte of a packet

Bytes = NDArray[np.uint8]


class Port(Protocol):
    """A serial line, as the host sees it."""

    def write(self, data: bytes) -> object:
        """Sends all of ``data``."""

    def read(self) -> bytes:
        """The bytes that have come, at least one; none once nothing has come for too long."""


def _pieces(schedule: Schedule, traffic: Traffic) -> Iterator[tuple[int, Bytes]]:
    """Channel and beats in the order in which they must travel on one line.

    Whatever stands at the head of the line is taken without anything behind it. A table tile waits for the bank of
    the tile before the last one: that tile's activations and table came before. Activations wait for the index half
    of the block before the last one: all of that block came before. Outputs leave on another line.
    """
    activations, tables = deque(traffic.activations), deque(traffic.tables)

    def take(beats: deque[Bytes], count: int) -> Bytes:
        return np.array([beats.popleft() for _ in range(count)])

    yield 0, np.array(traffic.command, "<u4").view(np.uint8).reshape(-1, 4)
    if schedule.array.is_lookup:
        yield 1, take(activations, sum(schedule.slots) * schedule.layer.entries)
    for size in schedule.block_sizes:
        for column_tile in range(schedule.column_tiles):
            for tile, (used, slots) in enumerate(zip(schedule.used_rows, schedule.slots, strict=True)):
                if column_tile == 0:
                    yield 1, take(activations, size * slots)
                last = tile == schedule.row_tiles - 1
                yield 2, take(tables, used * schedule.layer.entries + PARAMETER_BEATS * last)
    assert not activations and not tables


def frames(schedule: Schedule, traffic: Traffic) -> list[bytes]:
    """The frames of one layer, in an order that cannot deadlock."""
    result = []
    for channel, beats in _pieces(schedule, traffic):
        step = max(1, PAYLOAD_BYTES // beats.shape[1])
        for start in range(0, len(beats), step):
            payload = beats[start:start + step].tobytes()
            result.append(bytes([channel]) + len(payload).to_bytes(2, "little") + payload)
    if max(map(len, result)) > WINDOW_BYTES:
        raise ValueError(f"a frame must be at most {WINDOW_BYTES} bytes, not {max(map(len, result))}: "
                         f"the array's beats are too wide for the host link")
    return result


def interleave(schedule: Schedule, traffic: Traffic) -> bytes:
    """All frames of one layer as one string of bytes."""
    return b"".join(frames(schedule, traffic))


class Packets:
    """Takes apart what comes back while one layer runs.

    Attributes
    ----------
    acknowledged : frames that the machine has taken.
    beats : output beats, bytes; columns that the layer does not use are 0.
    """

    def __init__(self, schedule: Schedule):
        self._columns = schedule.array.columns
        full = [schedule.array.columns] * (schedule.column_tiles - 1)
        self._widths = [width for size in schedule.block_sizes for tile in [*full, schedule.last_columns]
                        for width in [tile] * size]
        self._rest = b""
        self.acknowledged = 0
        self.beats: list[bytes] = []

    @property
    def complete(self) -> bool:
        """Whether all output beats of the layer have come."""
        return len(self.beats) == len(self._widths)

    def feed(self, data: bytes) -> None:
        """Takes the next bytes; raises ``ValueError`` where no packet can start with such a byte."""
        data = self._rest + data
        place = 0
        while place < len(data):
            if data[place] == ACKNOWLEDGE:
                self.acknowledged += 1
                place += 1
                continue
            if data[place] != BEAT or self.complete:
                raise ValueError(f"a packet from the board must start with {ACKNOWLEDGE} or {BEAT}, and no beat may "
                                 f"follow the last, not {data[place]} after {len(self.beats)} beats")
            end = place + 1 + self._widths[len(self.beats)]
            if end > len(data):
                break
            self.beats.append(data[place + 1:end].ljust(self._columns, b"\0"))
            place = end
        self._rest = data[place:]


def run(port: Port, schedule: Schedule, traffic: Traffic) -> Bytes:
    """Runs one layer on the board behind ``port``; the output beats, as ``host.unpack`` takes them.

    Never more than ``WINDOW_BYTES`` bytes are under way, so the board cannot be overrun. Raises ``TimeoutError``
    when the board falls silent.
    """
    waiting, packets = deque(frames(schedule, traffic)), Packets(schedule)
    sent: deque[int] = deque()  # lengths of the frames under way
    under_way = 0
    while waiting or sent or not packets.complete:
        batch = []
        while waiting and under_way + len(waiting[0]) <= WINDOW_BYTES:
            batch.append(waiting.popleft())
            sent.append(len(batch[-1]))
            under_way += sent[-1]
        if batch:
            port.write(b"".join(batch))
        before = packets.acknowledged
        received = port.read()
        if not received:
            raise TimeoutError(f"the board fell silent after {len(packets.beats)} output beats "
                               f"with {len(waiting)} frames to send")
        packets.feed(received)
        for _ in range(packets.acknowledged - before):
            under_way -= sent.popleft()
    return np.frombuffer(b"".join(packets.beats), np.uint8).reshape(-1, schedule.array.columns)

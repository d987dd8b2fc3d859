"""One layer over a serial line: the order of the frames that the host sends, the packets that come back."""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .host import Traffic
from .schedule import PARAMETER_BEATS, Schedule

__all__ = ["ACKNOWLEDGE", "BEAT", "CHANNELS", "WINDOW_BYTES", "Exchange", "Packets", "Port", "frames",
           "interleave", "run"]

CHANNELS = ("command", "activations", "tables")  # a frame's first byte is the place in this list
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
    assert not activations
    assert not tables


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
        """Takes the next bytes; raises ``RuntimeError`` where no packet can start with such a byte."""
        data = self._rest + data
        place = 0
        while place < len(data):
            if data[place] == ACKNOWLEDGE:
                self.acknowledged += 1
                place += 1
                continue
            if data[place] != BEAT or self.complete:
                raise RuntimeError(f"a packet from the board must start with {ACKNOWLEDGE} or {BEAT}, and no beat may "
                                   f"follow the last, not {data[place]} after {len(self.beats)} beats")
            end = place + 1 + self._widths[len(self.beats)]
            if end > len(data):
                break
            self.beats.append(data[place + 1:end].ljust(self._columns, b"\0"))
            place = end
        self._rest = data[place:]


class Exchange:
    """One layer's traffic with the board, without the line itself; never more than a window is under way."""

    def __init__(self, schedule: Schedule, traffic: Traffic):
        self._columns = schedule.array.columns
        self._packets = Packets(schedule)
        self._waiting = deque(frames(schedule, traffic))
        self._under_way: deque[int] = deque()  # lengths of frames not acknowledged

    def __str__(self) -> str:
        return f"{len(self._packets.beats)} output beats, {len(self._waiting)} frames not sent"

    @property
    def complete(self) -> bool:
        """Whether everything has been taken and has come."""
        return self._packets.complete and not self._waiting and not self._under_way

    @property
    def beats(self) -> Bytes:
        """The output beats that have come, as ``host.unpack`` takes them."""
        return np.frombuffer(b"".join(self._packets.beats), np.uint8).reshape(-1, self._columns)

    def send(self) -> bytes:
        """What may be sent now: it counts as sent."""
        data = b""
        while self._waiting and sum(self._under_way) + len(self._waiting[0]) <= WINDOW_BYTES:
            data += self._waiting[0]
            self._under_way.append(len(self._waiting.popleft()))
        return data

    def feed(self, data: bytes) -> None:
        """Takes what has come."""
        before = self._packets.acknowledged
        self._packets.feed(data)
        for _ in range(self._packets.acknowledged - before):
            self._under_way.popleft()


def run(port: Port, schedule: Schedule, traffic: Traffic) -> Bytes:
    """Runs one layer on the board behind ``port``: its output beats.

    Raises ``TimeoutError`` when the board falls silent.
    """
    exchange = Exchange(schedule, traffic)
    while not exchange.complete:
        port.write(exchange.send())
        received = port.read()
        if not received:
            raise TimeoutError(f"the board fell silent: {exchange}")
        exchange.feed(received)
    return exchange.beats

"""A machine at the end of a serial line: the frames that the host sends, the packets that come back."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .operation import State

__all__ = ["ACKNOWLEDGE", "BEAT", "CHANNELS", "LAST", "STATUS", "WINDOW_BYTES", "Exchange", "Port", "exchange",
           "frames"]

CHANNELS = ("command", "activations", "tables", "status")  # a frame's first byte is the place in this list
LAST = 128            # added to it: tlast goes with the frame's last beat
PAYLOAD_BYTES = 253   # of a frame that holds more than one beat
WINDOW_BYTES = 2048   # what the link buffers: bytes that the host may send ahead of their acknowledgement
ACKNOWLEDGE, BEAT, STATUS = 0, 1, 2  # first byte of a packet

Bytes = NDArray[np.uint8]


class Port(Protocol):
    """A serial line, as the host sees it."""

    def write(self, data: bytes) -> object:
        """Sends all of ``data``."""

    def read(self) -> bytes:
        """The bytes that have come, at least one; none once nothing has come for too long."""


def frames(channel: str, beats: Bytes | None = None, *, last: bool = False) -> list[bytes]:
    """The frames that carry ``beats``, uint8 ``(beats, bytes of one)``, on a channel, at least one.

    ``last`` marks the last beat by ``tlast``. Raises ``ValueError`` for a beat that the link cannot buffer.
    """
    beats = np.zeros((0, 1), np.uint8) if beats is None else beats
    step = max(1, PAYLOAD_BYTES // beats.shape[1])
    if 3 + step * beats.shape[1] > WINDOW_BYTES:
        raise ValueError(f"a frame must be at most {WINDOW_BYTES} bytes, not {3 + beats.shape[1]}: "
                         f"the array's beats are too wide for the host link")
    result = []
    for start in range(0, max(1, len(beats)), step):
        payload = beats[start:start + step].tobytes()
        mark = LAST if last and start + step >= len(beats) else 0
        result.append(bytes([CHANNELS.index(channel) | mark]) + len(payload).to_bytes(2, "little") + payload)
    return result


class Exchange:
    """One job's traffic with the board, without the line itself; never more than a window is under way.

    The job's first frame must do nothing: what comes before its acknowledgement belongs to the job before. The last
    one must be followed by a status packet: it asks for one, or a run ends after it.

    Parameters
    ----------
    job : frames in an order that cannot deadlock (docs/fpga.md).
    columns : bytes of an output beat.

    Attributes
    ----------
    status : the status word, once the job is complete.
    """

    def __init__(self, job: Sequence[bytes], columns: int) -> None:
        self._sizes = {ACKNOWLEDGE: 0, BEAT: columns, STATUS: 4}
        self._columns = columns
        self._waiting = deque(job)
        self._under_way: deque[int] = deque()  # lengths of frames not acknowledged
        self._begun = False
        self._rest = b""
        self._beats: list[bytes] = []
        self.status: int | None = None

    def __str__(self) -> str:
        return f"{len(self._beats)} output beats, {len(self._waiting)} frames not sent"

    @property
    def failed(self) -> bool:
        """Whether the machine has failed."""
        return self.status is not None and self.status & 3 == State.FAILED

    @property
    def complete(self) -> bool:
        """Whether everything has been taken and the machine is at rest."""
        at_rest = self.status is not None and self.status & 3 != State.RUNNING
        return at_rest and not self._under_way and (self.failed or not self._waiting)

    @property
    def beats(self) -> Bytes:
        """The output beats that have come, uint8 ``(beats, columns)``."""
        return np.frombuffer(b"".join(self._beats), np.uint8).reshape(-1, self._columns)

    def send(self) -> bytes:
        """What may be sent now: it counts as sent. Nothing once the machine has failed."""
        data = b""
        while (self._waiting and not self.failed
               and sum(self._under_way) + len(self._waiting[0]) <= WINDOW_BYTES):
            data += self._waiting[0]
            self._under_way.append(len(self._waiting.popleft()))
        return data

    def feed(self, data: bytes) -> None:
        """Takes the next bytes; raises ``RuntimeError`` where no packet can start with such a byte."""
        data = self._rest + data
        place = 0
        while place < len(data):
            kind = data[place]
            if kind not in self._sizes:
                raise RuntimeError(f"a packet from the board must start with one of {list(self._sizes)}, not {kind}")
            end = place + 1 + self._sizes[kind]
            if end > len(data):
                break
            self._take(kind, data[place + 1:end])
            place = end
        self._rest = data[place:]

    def _take(self, kind: int, content: bytes) -> None:
        if kind == ACKNOWLEDGE:
            if not self._under_way:
                raise RuntimeError("the board acknowledged a frame that nobody sent")
            self._under_way.popleft()
            self._begun = True
            self.status = self.status if self.failed else None  # a status older than a frame is none
        elif self._begun and kind == BEAT:
            self._beats.append(content)
        elif self._begun and not self.failed:
            self.status = int.from_bytes(content, "little")


def exchange(port: Port, job: Sequence[bytes], columns: int) -> Exchange:
    """Does one job with the board behind ``port``, until the machine is at rest.

    Raises ``TimeoutError`` when the board falls silent.
    """
    done = Exchange(job, columns)
    while not done.complete:
        port.write(done.send())
        received = port.read()
        if not received:
            raise TimeoutError(f"the board fell silent: {done}")
        done.feed(received)
    return done

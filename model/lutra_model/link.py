"""The line between a host and a board: frames that the host sends, packets that come back, and their checks."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .params import Array

__all__ = ["ACKNOWLEDGE", "BEAT", "CHANNELS", "CHECK_BYTES", "IDENTITY", "LAST", "NONCE_BYTES", "REFUSED", "STATUS",
           "VERSION", "WINDOW_BYTES", "Identity", "Line", "LinkFault", "Port", "frames", "hello", "machine_digest"]

VERSION = 2           # of frames, packets, and the programming interface behind them
CHANNELS = ("command", "activations", "tables", "hello", "status")  # a frame's first byte is the place in this list
LAST = 128            # added to it: tlast goes with the frame's last beat
PAYLOAD_BYTES = 253   # of a frame that holds more than one beat
CHECK_BYTES = 4       # after each frame and each packet
WINDOW_BYTES = 2048   # what the link buffers: bytes that the host may send ahead of their acknowledgement
NONCE_BYTES = 4       # of a hello
ACKNOWLEDGE, BEAT, STATUS, IDENTITY, REFUSED = range(5)  # first byte of a packet
DIGEST_BYTES = 7

Bytes = NDArray[np.uint8]


class LinkFault(RuntimeError):
    """Something went wrong between host and board: the job must be done again."""


class Port(Protocol):
    """A serial line, as the host sees it."""

    def write(self, data: bytes) -> object:
        """Sends all of ``data``."""

    def read(self) -> bytes:
        """The bytes that have come, at least one; none once nothing has come for too long."""

    def reset(self) -> None:
        """Resets the board by a break, and forgets all bytes that are under way."""


def machine_digest(array: Array) -> bytes:
    """What a bitstream says of the machine in it: equal for equal parameters only."""
    return hashlib.sha256(json.dumps(asdict(array), sort_keys=True).encode()).digest()[:DIGEST_BYTES]


@dataclass(frozen=True)
class Identity:
    """A board's answer to a hello.

    Parameters
    ----------
    version : of its link.
    machine : digest of its machine.
    mark : nonce of the last hello that was to be kept since the bitstream was loaded; zeros before.
    nonce : of this hello.
    """

    version: int
    machine: bytes
    mark: bytes
    nonce: bytes

    SIZE = 1 + DIGEST_BYTES + 2 * NONCE_BYTES

    @classmethod
    def parse(cls, content: bytes) -> "Identity":
        """The content of an identity packet."""
        return cls(content[0], content[1:-2 * NONCE_BYTES], content[-2 * NONCE_BYTES:-NONCE_BYTES],
                   content[-NONCE_BYTES:])


def frames(channel: str, beats: Bytes | None = None, *, last: bool = False) -> list[bytes]:
    """The frames, without their checks, that carry ``beats``, uint8 ``(beats, bytes of one)``; at least one.

    ``last`` marks the last beat by ``tlast``. Raises ``ValueError`` for a beat that the link cannot buffer.
    """
    beats = np.zeros((0, 1), np.uint8) if beats is None else beats
    step = max(1, PAYLOAD_BYTES // beats.shape[1])
    size = 3 + step * beats.shape[1] + CHECK_BYTES
    if size > WINDOW_BYTES:
        raise ValueError(f"a frame must be at most {WINDOW_BYTES} bytes, not {size}: "
                         f"the array's beats are too wide for the host link")
    result = []
    for start in range(0, max(1, len(beats)), step):
        payload = beats[start:start + step].tobytes()
        mark = LAST if last and start + step >= len(beats) else 0
        result.append(bytes([CHANNELS.index(channel) | mark]) + len(payload).to_bytes(2, "little") + payload)
    return result


def hello(nonce: bytes, *, keep: bool = False) -> bytes:
    """The frame that asks for the board's identity; with ``keep``, the nonce becomes the board's mark."""
    return frames("hello", np.frombuffer(nonce, np.uint8)[None], last=keep)[0]


class Line:
    """Both directions of a line since the last break.

    The check of a frame or packet is a CRC-32 of all frames, or packets, since the break, without their checks: it
    is right only if each of them has come, once, whole and in order.
    """

    def __init__(self) -> None:
        self._sent = self._heard = 0
        self._rest = b""

    def sealed(self, frame: bytes) -> bytes:
        """The next frame to be sent, with its check."""
        self._sent = zlib.crc32(frame, self._sent)
        return frame + self._sent.to_bytes(CHECK_BYTES, "little")

    def packets(self, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
        """First byte and content of the packets that the next bytes complete; ``size``: bytes of an output beat.

        Raises `LinkFault` for a packet that is not right.
        """
        sizes = {ACKNOWLEDGE: 0, BEAT: size, STATUS: 4, IDENTITY: Identity.SIZE, REFUSED: 0}
        self._rest += data
        while self._rest:
            if self._rest[0] not in sizes:
                raise LinkFault(f"a packet from the board started with {self._rest[0]}")
            end = 1 + sizes[self._rest[0]]
            if len(self._rest) < end + CHECK_BYTES:
                break
            packet, check = self._rest[:end], self._rest[end:end + CHECK_BYTES]
            self._rest = self._rest[end + CHECK_BYTES:]
            self._heard = zlib.crc32(packet, self._heard)
            if self._heard.to_bytes(CHECK_BYTES, "little") != check:
                raise LinkFault("the check of a packet from the board was wrong")
            yield packet[0], packet[1:]

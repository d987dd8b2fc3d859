"""A job on a board: frames sent ahead of their acknowledgements, output beats and the status taken."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from .link import (
    ACKNOWLEDGE,
    BEAT,
    CHECK_BYTES,
    IDENTITY,
    NONCE_BYTES,
    REFUSED,
    STATUS,
    VERSION,
    WINDOW_BYTES,
    Bytes,
    Identity,
    Line,
    LinkFault,
    Port,
    machine_digest,
)
from .operation import State
from .params import Array

__all__ = ["Exchange", "Forgotten", "Silent", "WrongBoard", "exchange"]


class WrongBoard(ValueError):
    """The board's bitstream is another one; the message is one sentence."""


class Forgotten(LinkFault):
    """The board's memories no longer hold what the host wrote."""


class Silent(LinkFault):
    """Nothing has come from the board for too long."""


class Exchange:
    """One job's traffic with the board, without the port itself; never more than a window is under way.

    The job's first frame is a hello; nothing else is sent before its answer, and what comes before that belongs to
    the job before. The last frame must be followed by a status packet: it asks for one, or a run ends after it.

    Parameters
    ----------
    job : frames, without their checks, in an order that cannot deadlock (docs/fpga.md).
    array : the machine that the board must hold.
    line : what came and went before.
    mark : the nonce of the hello that the board must remember, if any.

    Attributes
    ----------
    begun : whether the hello has been answered.
    status : the status word, once the job is complete.
    """

    def __init__(self, job: Sequence[bytes], array: Array, line: Line, mark: bytes | None = None) -> None:
        self._nonce, self._mark, self._array, self._line = job[0][-NONCE_BYTES:], mark, array, line
        self._hello, self._waiting = deque(job[:1]), deque(job[1:])
        self._under_way: deque[int] = deque()  # lengths of frames not acknowledged
        self._beats: list[bytes] = []
        self.begun = False
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
        """The output beats that have come, uint8 ``(beats, bytes of one)``."""
        return np.frombuffer(b"".join(self._beats), np.uint8).reshape(-1, self._array.output_bytes)

    def send(self) -> bytes:
        """What may be sent now: it counts as sent. Nothing once the machine has failed."""
        data, frames = b"", self._waiting if self.begun else self._hello
        while (frames and not self.failed
               and sum(self._under_way) + len(frames[0]) + CHECK_BYTES <= WINDOW_BYTES):
            frame = self._line.sealed(frames.popleft())
            data += frame
            self._under_way.append(len(frame))
        return data

    def feed(self, data: bytes) -> None:
        """Takes the next bytes.

        Raises `LinkFault` where they are not right, `WrongBoard` and `Forgotten` where the board's answer is not.
        """
        for kind, content in self._line.packets(data, self._array.output_bytes):
            self._take(kind, content)

    def _take(self, kind: int, content: bytes) -> None:
        if kind == REFUSED:
            raise LinkFault("the board refused a frame")
        if kind == ACKNOWLEDGE:
            if not self._under_way:
                raise LinkFault("the board acknowledged a frame that nobody sent")
            self._under_way.popleft()
            self.status = self.status if self.failed else None  # a status older than a frame is none
        elif kind == IDENTITY:
            self._begin(Identity.parse(content))
        elif self.begun and kind == BEAT:
            self._beats.append(content)
        elif self.begun and kind == STATUS and not self.failed:
            self.status = int.from_bytes(content, "little")

    def _begin(self, identity: Identity) -> None:
        if identity.version != VERSION:
            raise WrongBoard(f"the board's bitstream must speak version {VERSION} of the host link, not "
                             f"{identity.version}: make it anew")
        machine = machine_digest(self._array)
        if identity.machine != machine:
            raise WrongBoard(f"the board's bitstream must hold the machine {machine.hex()}, "
                             f"{self._array.rows}x{self._array.columns} {self._array.engine} cells, "
                             f"not {identity.machine.hex()}")
        if identity.nonce != self._nonce:
            raise LinkFault("the board answered another hello")
        if self._mark is not None and identity.mark != self._mark:
            raise Forgotten("the board's memories no longer held the program")
        self.begun = True


def exchange(port: Port, job: Sequence[bytes], array: Array, line: Line, mark: bytes | None = None) -> Exchange:
    """Does one job with the board behind ``port``, until the machine is at rest; raises as `Exchange` does."""
    done = Exchange(job, array, line, mark)
    while not done.complete:
        port.write(done.send())
        received = port.read()
        if not received:
            raise Silent(f"the board fell silent: {done}" if done.begun else "the board did not answer")
        done.feed(received)
    return done

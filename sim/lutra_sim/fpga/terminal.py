"""A simulated board behind a pseudo-terminal, as a serial port that any program can open."""

import fcntl
import os
import select
import struct
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .simulated import SimulatedBoard

__all__ = ["terminal"]

STEP = 2_000   # cycles after which the terminal looks up
GLANCE = 0.05  # seconds between two looks while the board rests


class _Terminal:
    """Carries bytes between the host's end of a pseudo-terminal, ``master``, and a board.

    A pseudo-terminal has no line and so no breaks; in packet mode it tells when its host drops what it has written,
    which a host does before every break.
    """

    def __init__(self, board: SimulatedBoard, master: int) -> None:
        self.board, self.master = board, master
        self.said = b""   # by the board, not yet in the terminal
        self.quiet = 0    # cycles since a byte went either way: once there are enough, time stands still
        self.stop = threading.Event()

    def serve(self) -> None:
        while not self.stop.is_set():
            resting = self.quiet >= self.board.patience and not self.said
            ready, _, _ = select.select([self.master], [], [], GLANCE if resting else 0)
            with suppress(OSError):  # nobody has the terminal open, or it is full
                if ready:
                    self._hear(os.read(self.master, 4096))
                if self.said:
                    self.said = self.said[os.write(self.master, self.said):]
            if ready or not resting:
                heard = self.board.exchange(STEP)
                self.said, self.quiet = self.said + heard, 0 if heard else self.quiet + STEP

    def _hear(self, packet: bytes) -> None:
        if packet[0] & termios.TIOCPKT_FLUSHWRITE:
            termios.tcflush(self.master, termios.TCIFLUSH)  # the host's flush does not reach what is at this end
            self.said = b""
            self.board.reset()
        self.board.write(packet[1:])
        self.quiet = 0


@contextmanager
def terminal(board: SimulatedBoard) -> Iterator[Path]:
    """A pseudo-terminal with the board behind it, which runs in a thread; its path."""
    master, slave = os.openpty()
    ours = _Terminal(board, master)
    thread = threading.Thread(target=ours.serve, daemon=True)
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
        thread.start()
        yield Path(os.ttyname(slave))
    finally:
        ours.stop.set()
        if thread.is_alive():
            thread.join()
        os.close(master)
        os.close(slave)

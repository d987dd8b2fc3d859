"""A simulated board: the machine, its link and its serial line in a compiled library, with or without a terminal."""

import ctypes
import fcntl
import os
import select
import struct
import termios
import threading
import tty
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lutra_model.params import Array

from ..generated import generate_board
from ..library import Progress, library

__all__ = ["DIVISOR", "SimulatedBoard", "build_board", "terminal"]

DIVISOR = 4          # clock cycles in a bit time: the fewest that the line can do with
PATIENCE = 1 << 20   # cycles without a byte after which the board is silent
STEP = 2_000         # cycles after which a terminal looks up
ROOM = 1 << 16
GLANCE = 0.05        # seconds between two looks at a terminal while the board rests


def _loaded(path: Path) -> Any:
    """The library's functions, as board.cpp declares them; a call releases Python's lock."""
    found = ctypes.CDLL(str(path))
    found.board_new.restype = ctypes.c_void_p
    found.board_cycles.restype = found.board_exchange.restype = ctypes.c_int64
    found.board_delete.argtypes = found.board_break.argtypes = found.board_cycles.argtypes = [ctypes.c_void_p]
    found.board_exchange.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_char_p,
                                     ctypes.c_int64, ctypes.c_int64]
    return found


class SimulatedBoard:
    """A :class:`lutra_model.link.Port` to a board in simulation; its memories live as long as it does.

    Time is the board's own: the line carries bytes at full speed, and stands still between two calls. Not safe for
    several threads at once.

    Parameters
    ----------
    path : the shared library, as `build_board` has it made.
    patience : cycles of silence after which ``read`` gives up.
    """

    _free: weakref.finalize | None = None

    def __init__(self, path: Path, *, divisor: int = DIVISOR, patience: int = PATIENCE) -> None:
        self.patience = patience
        self._library, self._divisor = _loaded(path), divisor
        self._taken = ctypes.create_string_buffer(ROOM)
        self.power_up()

    def power_up(self) -> None:
        """Starts anew, as when the bitstream is loaded: memories hold anything."""
        self._board = self._library.board_new(self._divisor)
        self._waiting = self._heard = b""
        if self._free:
            self._free()
        self._free = weakref.finalize(self, self._library.board_delete, self._board)

    @property
    def cycles(self) -> int:
        """Clock cycles since then."""
        return self._library.board_cycles(self._board)

    def write(self, data: bytes) -> None:
        """Sends all of ``data``, with the next `read`."""
        self._waiting += data

    def read(self) -> bytes:
        """What comes while bytes are sent, or else next."""
        return self.exchange(self.patience)

    def exchange(self, patience: int) -> bytes:
        """The same, giving up after so many cycles."""
        data, self._waiting = self._waiting, b""
        heard, self._heard = self._heard, b""
        count = self._library.board_exchange(self._board, data, len(data), self._taken, ROOM, 0 if heard else patience)
        return heard + ctypes.string_at(self._taken, count)

    def line_break(self) -> None:
        """A break on the line, after what was sent before it."""
        self._heard = self.exchange(0)
        self._library.board_break(self._board)

    def reset(self) -> None:
        """Resets the board by a break, and forgets what was under way."""
        self._library.board_break(self._board)
        self._waiting = self._heard = b""


def build_board(array: Array, *, divisor: int = DIVISOR, cache: Path | None = None,
                progress: Progress | None = None) -> Path:
    """The library of the array's board, compiled unless the cache has it."""
    verilog = generate_board(array, divisor, cache=cache, progress=progress)
    return library(verilog, driver="board.cpp", cache=cache, progress=progress)


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

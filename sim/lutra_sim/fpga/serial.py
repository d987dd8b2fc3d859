"""A board on a serial line of this computer."""

import os
import select
import termios
import time
import tty
from pathlib import Path
from types import TracebackType

__all__ = ["SerialPort"]

SETTLE_SECONDS = 0.05  # after the break, for what was under way


class SerialPort:
    """A :class:`lutra_model.link.Port` on a terminal device, 8 data bits, no parity, no flow control.

    Opening it resets the machine on the board by a break on the line. Use it in a ``with`` statement.

    Parameters
    ----------
    path : the device, as ``/dev/ttyUSB0``.
    baud : bits per second, as the board's bitstream has it.
    timeout : seconds of silence after which ``read`` gives up.
    """

    def __init__(self, path: Path | str, *, baud: int = 1_000_000, timeout: float = 5.0):
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise ValueError(f"baud must be a rate that this system knows, not {baud}")
        self.timeout = timeout
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise ValueError(f"board must be on a serial device that can be opened, not {path}: "
                             f"{error.strerror}") from None
        try:
            tty.setraw(self._file)
            attributes = termios.tcgetattr(self._file)
            attributes[2] |= termios.CLOCAL | termios.CREAD
            attributes[4] = attributes[5] = speed
            termios.tcsetattr(self._file, termios.TCSANOW, attributes)
            self._reset()
        except termios.error:
            self.close()
            raise ValueError(f"board must be on a serial device, not {path}") from None

    def _reset(self) -> None:
        termios.tcsendbreak(self._file, 0)
        time.sleep(SETTLE_SECONDS)
        termios.tcflush(self._file, termios.TCIOFLUSH)

    def write(self, data: bytes) -> None:
        """Sends all of ``data``."""
        while data:
            data = data[os.write(self._file, data):]

    def read(self) -> bytes:
        """What has come; waits for the first byte, and gives none after ``timeout`` seconds."""
        ready, _, _ = select.select([self._file], [], [], self.timeout)
        return os.read(self._file, 65536) if ready else b""

    def close(self) -> None:
        """Gives the device back."""
        os.close(self._file)

    def __enter__(self) -> "SerialPort":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

"""A board on a serial line of this computer."""

import errno
import fcntl
import os
import select
import termios
import time
import tty
from contextlib import suppress
from pathlib import Path
from types import TracebackType

__all__ = ["SerialPort"]


class SerialPort:
    """A :class:`lutra_model.link.Port` on a terminal device, 8 data bits, no parity, no flow control.

    It is this process's alone while it is open. Use it in a ``with`` statement.

    Parameters
    ----------
    path : the device, as ``/dev/ttyUSB0``.
    baud : bits per second, as the board's bitstream has it.
    timeout : seconds of silence after which ``read`` gives up.
    settle : seconds after a break, for what was under way.
    """

    def __init__(self, path: Path | str, *, baud: int = 1_000_000, timeout: float = 5.0, settle: float = 0.1):
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise ValueError(f"baud must be a rate that this system knows, not {baud}")
        self.path, self.timeout, self.settle = path, timeout, settle
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise self._busy() from None
            raise ValueError(f"board must be on a serial device that can be opened, not {path}: "
                             f"{error.strerror}") from None
        try:
            self._claim()
            self._set(speed)
        except BaseException:
            self.close()
            raise

    def _claim(self) -> None:
        """Keeps others off: those that ask for the device's lock, and those that just open it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.ioctl(self._file, termios.TIOCEXCL)
        except BlockingIOError:
            raise self._busy() from None
        except OSError:
            raise ValueError(f"board must be on a serial device, not {self.path}") from None

    def _busy(self) -> ValueError:
        return ValueError(f"board must be on a serial device that no other program uses, {self.path} is in use")

    def _set(self, speed: int) -> None:
        tty.setraw(self._file, termios.TCSANOW)
        attributes = termios.tcgetattr(self._file)
        attributes[2] |= termios.CLOCAL | termios.CREAD
        attributes[4] = attributes[5] = speed
        termios.tcsetattr(self._file, termios.TCSANOW, attributes)

    def reset(self) -> None:
        """Resets the board by a break on the line, and forgets what was under way."""
        try:
            termios.tcflush(self._file, termios.TCOFLUSH)
            termios.tcsendbreak(self._file, 0)
            time.sleep(self.settle)
            termios.tcflush(self._file, termios.TCIFLUSH)
        except termios.error as error:
            raise self._gone(error.args[1]) from None

    def write(self, data: bytes) -> None:
        """Sends all of ``data``."""
        while data:
            if not select.select([], [self._file], [], self.timeout)[1]:
                raise self._gone("it takes no bytes")
            try:
                data = data[os.write(self._file, data):]
            except OSError as error:
                raise self._gone(error.strerror) from None

    def read(self) -> bytes:
        """What has come; waits for the first byte, and gives none after ``timeout`` seconds."""
        if not select.select([self._file], [], [], self.timeout)[0]:
            return b""
        try:
            received = os.read(self._file, 65536)
        except OSError as error:
            raise self._gone(error.strerror) from None
        if not received:
            raise self._gone("it has hung up")
        return received

    def _gone(self, why: str | None) -> ConnectionError:
        return ConnectionError(f"the serial device {self.path} must stay connected: {why}")

    def close(self) -> None:
        """Gives the device back."""
        with suppress(OSError):  # it may be none, or no longer there
            fcntl.ioctl(self._file, termios.TIOCNXCL)
        os.close(self._file)

    def __enter__(self) -> "SerialPort":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

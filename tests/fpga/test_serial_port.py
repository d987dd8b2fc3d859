"""lutra_sim.fpga.serial: a device on this machine's side, with a pseudo-terminal in the board's place."""

import os
import tty
from functools import partial
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lutra_sim.fpga.serial import SerialPort


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


def test_a_device_that_is_in_use_or_goes_away() -> None:
    board, device = os.openpty()
    path = os.ttyname(device)
    with SerialPort(path, timeout=0.2) as port:
        with pytest.raises(ValueError, match=f"^board must be on a serial device that no other program uses, {path} "
                                             "is in use$"):
            SerialPort(path)
        os.close(board)
        os.close(device)
        for use in (port.read, partial(port.write, b"x"), port.reset):
            with pytest.raises(ConnectionError, match=f"^the serial device {path} must stay connected: "
                                                      "(it has hung up|Input/output error)$"):
                use()


def test_a_device_that_takes_nothing() -> None:
    board, device = os.openpty()
    with SerialPort(os.ttyname(device), timeout=0.1) as port, \
            pytest.raises(ConnectionError, match=r"must stay connected: it takes no bytes$"):
        port.write(bytes(10**6))
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

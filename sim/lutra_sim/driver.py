"""The compiled driver's records and functions, as driver.cpp declares them."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Beats", "Job", "Report", "loaded"]

Bytes = NDArray[np.uint8]


class Beats(ctypes.Structure):
    """What an input stream offers."""

    _fields_ = [("first", ctypes.c_void_p), ("last", ctypes.c_void_p), ("count", ctypes.c_int64),
                ("width", ctypes.c_int64), ("period", ctypes.c_int64)]

    @classmethod
    def of(cls, beats: Bytes, last: Bytes | None = None, period: int = 1) -> "Beats":
        """A record that points into both arrays, which must be contiguous and live longer."""
        assert beats.flags.c_contiguous
        assert last is None or (last.flags.c_contiguous and len(last) == len(beats))
        return cls(beats.ctypes.data, None if last is None else last.ctypes.data, *beats.shape, period)


class Job(ctypes.Structure):
    """What the machine is to do, and room for its answer."""

    _fields_ = [("command", Beats), ("activations", Beats), ("tables", Beats),
                ("beats", ctypes.c_int64), ("width", ctypes.c_int64), ("limit", ctypes.c_int64),
                ("stalls", ctypes.c_int64), ("seed", ctypes.c_uint64),
                ("data", ctypes.c_void_p), ("keep", ctypes.c_void_p), ("last", ctypes.c_void_p),
                ("times", ctypes.c_void_p), ("starts", ctypes.c_void_p), ("dones", ctypes.c_void_p),
                ("operations", ctypes.c_int64), ("toggles", ctypes.c_void_p), ("run", ctypes.c_int64)]


class Report(ctypes.Structure):
    """How far the machine is."""

    _fields_ = [("cycles", ctypes.c_int64), ("elapsed", ctypes.c_int64), ("beats", ctypes.c_int64),
                ("violation", ctypes.c_int64), ("status", ctypes.c_int64), ("taken", ctypes.c_int64 * 3),
                ("started", ctypes.c_int64), ("done", ctypes.c_int64)]


def loaded(path: Path) -> Any:
    """The library's functions; a call releases Python's lock."""
    library = ctypes.CDLL(str(path))
    library.machine_new.restype = ctypes.c_void_p
    library.machine_delete.argtypes = library.machine_reset.argtypes = [ctypes.c_void_p]
    library.machine_begin.argtypes = [ctypes.c_void_p, ctypes.POINTER(Job)]
    library.machine_step.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(Report)]
    if hasattr(library, "machine_trace"):
        library.machine_trace.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_int64]
        library.machine_trace_close.argtypes = [ctypes.c_void_p]
    return library

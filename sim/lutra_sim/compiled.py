"""The compiled machine: runs whole layers in a shared library, streams and stalls and checks included."""

import ctypes
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lutra_model.host import Traffic
from lutra_model.params import Array

from .generated import generate
from .library import Progress, library

__all__ = ["CompiledMachine", "Run", "build"]

WITHOUT_TRANSFER = 100_000
VIOLATIONS = {1: "withdrew an output beat before it was taken", 2: "changed an output beat before it was taken",
              3: "offered an output beat before the first command word",
              4: "made tvalid wait for tready"}

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Run:
    """What one layer did.

    Parameters
    ----------
    beats : the output stream, uint8 ``(beats, columns)``.
    cycles : from the cycle that transfers the first command word to the one that transfers the last output beat,
        both included.
    elapsed : cycles simulated, with those before the first command word.
    """

    beats: Bytes
    cycles: int
    elapsed: int


class _Beats(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_void_p), ("count", ctypes.c_int64), ("width", ctypes.c_int64),
                ("period", ctypes.c_int64)]

    @classmethod
    def of(cls, beats: Bytes, period: int = 1) -> "_Beats":
        return cls(beats.ctypes.data, len(beats), beats.shape[1], period)


class _Job(ctypes.Structure):
    _fields_ = [("command", _Beats), ("activations", _Beats), ("tables", _Beats),
                ("beats", ctypes.c_int64), ("width", ctypes.c_int64), ("timeout", ctypes.c_int64),
                ("stalls", ctypes.c_int64), ("seed", ctypes.c_uint64),
                ("data", ctypes.c_void_p), ("keep", ctypes.c_void_p), ("last", ctypes.c_void_p)]


class _Report(ctypes.Structure):
    _fields_ = [("cycles", ctypes.c_int64), ("elapsed", ctypes.c_int64), ("beats", ctypes.c_int64),
                ("violation", ctypes.c_int64), ("taken", ctypes.c_int64 * 3)]


def _loaded(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.machine_new.restype = ctypes.c_void_p
    library.machine_delete.argtypes = library.machine_reset.argtypes = [ctypes.c_void_p]
    library.machine_run.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Job), ctypes.POINTER(_Report)]
    return library


def _used_columns(command: list[int], columns: int) -> NDArray[np.int64]:
    """Columns that each output beat uses, by the layer's descriptor."""
    full, last, tiles = command[1], command[2], (command[4] & 0xffff) + 1
    used = np.array([columns] * (tiles - 1) + [command[4] >> 16])
    blocks = [np.repeat(used, rows) for rows in [full] * command[0] + [last]]
    return np.concatenate(blocks)


class CompiledMachine:
    """One machine in a shared library; it keeps its state from layer to layer, as the hardware does.

    A run that fails resets it. Not safe for several threads at once.

    Parameters
    ----------
    path : the shared library, as :func:`lutra_sim.library.library` makes it.
    columns : the array's columns.
    """

    def __init__(self, path: Path, columns: int) -> None:
        self.columns = columns
        self._library = _loaded(path)
        self._machine = self._library.machine_new()
        weakref.finalize(self, self._library.machine_delete, self._machine)

    def reset(self) -> None:
        """Hold the machine in reset for some cycles."""
        self._library.machine_reset(self._machine)

    def run(self, traffic: Traffic, *, beats: int, activation_period: int = 1, table_period: int = 1,
            stalls: int | None = None, timeout: int = WITHOUT_TRANSFER) -> Run:
        """Run one layer.

        Every input stream offers its next beat; one with period ``p`` leaves ``p - 1`` idle cycles after each beat
        taken. The output is always ready. With ``stalls``, a seed, each of the four stream ends goes and stalls in
        random bursts of its own instead.

        Raises ``RuntimeError`` when the machine breaks a stream rule, marks its output wrongly, leaves beats untaken,
        or transfers nothing on any stream for ``timeout`` cycles.
        """
        periods = (1, 1) if stalls is not None else (activation_period, table_period)
        command = np.array(traffic.command, "<u4").view(np.uint8).reshape(-1, 4)
        data = np.zeros((beats, self.columns), np.uint8)
        keep = np.zeros((beats, -(-self.columns // 8)), np.uint8)
        last = np.zeros(beats, np.uint8)
        streams = [np.ascontiguousarray(stream) for stream in (command, traffic.activations, traffic.tables)]
        job = _Job(*map(_Beats.of, streams, (1, *periods)), beats, self.columns, timeout + max(periods),
                   stalls is not None, stalls or 0, data.ctypes.data, keep.ctypes.data, last.ctypes.data)
        report = _Report()
        self._library.machine_run(self._machine, job, report)
        try:
            _check(report, [len(stream) for stream in streams], beats)
            _check_marks(keep, last, _used_columns(traffic.command, self.columns), self.columns)
        except RuntimeError:
            self.reset()
            raise
        return Run(data, report.cycles, report.elapsed)


def _check(report: _Report, offered: list[int], beats: int) -> None:
    if report.violation:
        raise RuntimeError(f"the machine {VIOLATIONS[report.violation]}: cycle {report.elapsed - 1}, "
                           f"after {report.beats} of {beats} output beats")
    if report.beats < beats:
        raise RuntimeError(f"{report.beats} of {beats} output beats after {report.elapsed} cycles")
    for name, taken, count in zip(("command", "activation", "table"), report.taken, offered, strict=True):
        if taken != count:
            raise RuntimeError(f"the machine took {taken} of {count} {name} beats")


def _check_marks(keep: Bytes, last: Bytes, used: NDArray[np.int64], columns: int) -> None:
    lasts = np.flatnonzero(last)
    if lasts.tolist() != [len(last) - 1]:
        raise RuntimeError(f"tlast must mark beat {len(last) - 1} alone, not {lasts[:10].tolist()}")
    kept = np.unpackbits(keep, axis=1, count=columns, bitorder="little")
    wrong = np.flatnonzero((kept != (np.arange(columns) < used[:, None])).any(axis=1))
    if len(wrong):
        beat = wrong[0]
        raise RuntimeError(f"tkeep of beat {beat} must mark {used[beat]} columns, not {kept[beat].tolist()}")


def build(array: Array, *, cache: Path | None = None, progress: Progress | None = None) -> CompiledMachine:
    """The array's machine, compiled unless the cache has it."""
    verilog = generate(array, cache=cache, progress=progress)
    return CompiledMachine(library(verilog, cache=cache, progress=progress), array.columns)

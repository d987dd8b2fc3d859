"""The host of a board: loads a program once, then sends inputs and takes outputs."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lutra_model import link
from lutra_model.operation import Error, Kind
from lutra_model.program import Program

from ..compiled import MachineFailed, named
from ..traffic import Traffic, loading, running

__all__ = ["Host", "loading_job", "running_job"]

TIMEOUT_CYCLES = 1 << 26  # of the machine's watchdog: 2.2 s at 30 MHz, less than a line's silence may last

Beats = NDArray[np.uint8]


def _commands(traffic: Traffic) -> list[bytes]:
    return link.frames("command", np.array(traffic.command, "<u4").view(np.uint8).reshape(-1, 4))


def _segments(beats: Beats, last: NDArray[np.bool_]) -> Iterator[Beats]:
    """The beats up to each that has ``tlast``: those of one operation."""
    return iter(np.split(beats, np.flatnonzero(last) + 1)[:-1])


def loading_job(program: Program) -> list[bytes]:
    """Frames that fill the machine's memories."""
    traffic = loading(program)
    tables = link.frames("tables", traffic.tables, last=True) if len(traffic.tables) else []
    return [*link.frames("command"), *_commands(traffic), *tables, *link.frames("status")]


def running_job(program: Program, inputs: NDArray[np.int8], timeout: int = TIMEOUT_CYCLES) -> list[bytes]:
    """Frames that run the loaded program once for each input.

    Beats travel in the order of the operations that take them, so that the head of the line never waits for what is
    behind it.
    """
    traffic = running(program, inputs, timeout=timeout)
    activations = _segments(traffic.activations, traffic.activations_last)
    tables = _segments(traffic.tables, traffic.tables_last)
    frames = deque(link.frames("command") + _commands(traffic))
    for operation in program.operations * len(inputs):
        if operation.kind is Kind.LOAD:
            frames += link.frames("activations", next(activations), last=True)
        elif operation.stream_tables:
            frames += link.frames("tables", next(tables), last=True)
    assert next(activations, None) is None
    assert next(tables, None) is None
    return list(frames)


class Host:
    """A board behind a serial line.

    Parameters
    ----------
    port : the line.
    """

    def __init__(self, port: link.Port) -> None:
        self._port = port
        self._program: Program | None = None

    def load(self, program: Program) -> None:
        """Fills the machine's memories; a later `run` runs this program.

        Raises `MachineFailed` where the machine cannot hold it, and ``TimeoutError`` when the board falls silent.
        """
        self._program = None
        self._exchange(program, loading_job(program))
        self._program = program

    def run(self, inputs: NDArray[np.int8], *, timeout: int = TIMEOUT_CYCLES) -> NDArray[np.int8]:
        """Outputs, int8 ``(count, *output_shape)``, of the loaded program for ``inputs``, ``(count, *input_shape)``.

        ``timeout`` counts cycles in which nothing moves in the machine; the line's silence must last longer. Raises
        `MachineFailed` when the machine says so, and ``TimeoutError`` when the board falls silent.
        """
        program = self._program
        if program is None:
            raise ValueError("a program must be loaded before inputs can run")
        done = self._exchange(program, running_job(program, inputs, timeout))
        expected = len(inputs) * program.output_beats
        if len(done.beats) != expected:
            raise RuntimeError(f"the board must send {expected} output beats, not {len(done.beats)}")
        return program.outputs(done.beats)

    def _exchange(self, program: Program, job: list[bytes]) -> link.Exchange:
        done = link.exchange(self._port, job, program.array.columns)
        if done.failed:
            assert done.status is not None
            raise named(MachineFailed(Error(done.status >> 2 & 63), done.status >> 8), program)
        return done

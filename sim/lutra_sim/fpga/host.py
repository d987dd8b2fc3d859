"""The host of a board: loads a program once, then sends inputs and takes outputs, however bad the line is."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lutra_model import link
from lutra_model.exchange import Exchange, Forgotten, Silent, exchange
from lutra_model.operation import Error, Kind
from lutra_model.params import Array
from lutra_model.program import Program

from ..compiled import MachineFailed, named
from ..traffic import Traffic, loading, running

__all__ = ["BoardFailed", "Host", "Jobs", "loading_job", "running_job"]

TIMEOUT_CYCLES = 1 << 26  # of the machine's watchdog: 2.2 s at 30 MHz, less than a line's silence may last
ATTEMPTS = 5

Beats = NDArray[np.uint8]


class BoardFailed(ConnectionError):
    """The board, or the line to it, does not do a job however often it is repeated; the message is one sentence."""


def _commands(traffic: Traffic) -> list[bytes]:
    return link.frames("command", np.array(traffic.command, "<u4").view(np.uint8).reshape(-1, 4))


def _segments(beats: Beats, last: NDArray[np.bool_]) -> Iterator[Beats]:
    """The beats up to each that has ``tlast``: those of one operation."""
    return iter(np.split(beats, np.flatnonzero(last) + 1)[:-1])


def loading_job(program: Program, nonce: bytes) -> list[bytes]:
    """Frames that fill the machine's memories; the nonce becomes their mark before any of them changes."""
    traffic = loading(program)
    tables = link.frames("tables", traffic.tables, last=True) if len(traffic.tables) else []
    return [link.hello(nonce, keep=True), *_commands(traffic), *tables, *link.frames("status")]


def running_job(program: Program, inputs: NDArray[np.int8], nonce: bytes,
                timeout: int = TIMEOUT_CYCLES) -> list[bytes]:
    """Frames that run the loaded program once for each input.

    Beats travel in the order of the operations that take them, so that the head of the line never waits for what is
    behind it.
    """
    traffic = running(program, inputs, timeout=timeout)
    activations = _segments(traffic.activations, traffic.activations_last)
    tables = _segments(traffic.tables, traffic.tables_last)
    frames = deque([link.hello(nonce), *_commands(traffic)])
    for operation in program.operations * len(inputs):
        if operation.kind is Kind.LOAD:
            frames += link.frames("activations", next(activations), last=True)
        elif operation.stream_tables:
            frames += link.frames("tables", next(tables), last=True)
    assert next(activations, None) is None
    assert next(tables, None) is None
    return list(frames)


class Jobs:
    """A board behind a serial line; a job that the line has spoilt is done again from its start after a break.

    Parameters
    ----------
    port : the line.
    attempts : how often a job is tried.

    Attributes
    ----------
    faults : what was wrong, for each job that had to be done again.
    """

    def __init__(self, port: link.Port, *, attempts: int = ATTEMPTS) -> None:
        self._port, self._attempts = port, attempts
        self._line: link.Line | None = None   # None: needs a break
        self._mark: bytes | None = None       # what the board's memories hold is what the host wrote
        self.faults: list[link.LinkFault] = []

    def _exchange(self, array: Array, job: list[bytes], mark: bytes | None = None) -> Exchange:
        """One job, once; only when it has ended as it should, the next one needs no break."""
        line, self._line = self._line, None
        if line is None:
            self._port.reset()
            line = link.Line()
        done = exchange(self._port, job, array, line, mark)
        self._line = line
        if done.failed:
            assert done.status is not None
            raise MachineFailed(Error(done.status >> 2 & 63), done.status >> 8)
        return done


    def _repeat(self, job: Callable[[], Exchange]) -> Exchange:
        faults: list[link.LinkFault] = []
        while len(faults) < self._attempts:
            try:
                return job()
            except link.LinkFault as fault:
                faults.append(fault)
                self.faults.append(fault)
                if isinstance(fault, Forgotten):
                    self._mark = None
        if all(isinstance(fault, Silent) for fault in faults):
            raise BoardFailed(f"{faults[-1]}, {self._attempts} times in a row: it must hold a bitstream of lutra "
                              "bitstream, and the line must have the same baud rate")
        raise BoardFailed(f"the job failed {self._attempts} times in a row, the last time because {faults[-1]}")


class Host(Jobs):
    """Loads programs and runs them; a program is loaded again where the board no longer holds it."""

    def __init__(self, port: link.Port, *, attempts: int = ATTEMPTS) -> None:
        super().__init__(port, attempts=attempts)
        self._program: Program | None = None

    def load(self, program: Program) -> None:
        """Fills the machine's memories; a later `run` runs this program.

        Raises `MachineFailed` where the machine cannot hold it, `lutra_model.exchange.WrongBoard` for another
        machine's bitstream, before anything is loaded, and `BoardFailed` in the end.
        """
        self._program = self._mark = None
        self._repeat(lambda: self._load(program))
        self._program = program

    def run(self, inputs: NDArray[np.int8], *, timeout: int = TIMEOUT_CYCLES) -> NDArray[np.int8]:
        """Outputs, int8 ``(count, *output_shape)``, of the loaded program for ``inputs``, ``(count, *input_shape)``.

        ``timeout`` counts cycles in which nothing moves in the machine; the line's silence must last longer. Raises
        `MachineFailed` when the machine says so, and `BoardFailed` in the end.
        """
        program = self._program
        if program is None:
            raise ValueError("a program must be loaded before inputs can run")
        done = self._repeat(lambda: self._run(program, inputs, timeout))
        expected = len(inputs) * program.output_beats
        if len(done.beats) != expected:
            raise RuntimeError(f"the board must send {expected} output beats, not {len(done.beats)}")
        return program.outputs(done.beats)

    def _load(self, program: Program) -> Exchange:
        nonce = secrets.token_bytes(link.NONCE_BYTES)
        self._mark = None
        done = self._named(program, loading_job(program, nonce))
        self._mark = nonce
        return done

    def _run(self, program: Program, inputs: NDArray[np.int8], timeout: int) -> Exchange:
        if self._mark is None:
            self._load(program)
        return self._named(program, running_job(program, inputs, secrets.token_bytes(link.NONCE_BYTES), timeout),
                           self._mark)

    def _named(self, program: Program, job: list[bytes], mark: bytes | None = None) -> Exchange:
        """A job of that program; a failure has the name of its operation."""
        try:
            return self._exchange(program.array, job, mark)
        except MachineFailed as failure:
            raise named(failure, program) from None

"""The compiled machine: runs whole programs in a shared library, streams and stalls and checks included."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lutra_model.activity import PORTS
from lutra_model.operation import Error, State, descriptor_words
from lutra_model.params import Array
from lutra_model.program import Program

from . import driver
from .generated import generate
from .library import Progress, library
from .taps import Taps
from .traffic import Traffic, loading, running

__all__ = ["CompiledMachine", "MachineFailed", "Run", "Transfer", "build", "named"]

STEP = 20_000  # cycles after which Python has a look
WITHOUT_MOVE = 100_000
ENDLESS = 1 << 62
VIOLATIONS = {1: "withdrew an output beat before it was taken", 2: "changed an output beat before it was taken",
              3: "offered an output beat that nothing asked for", 4: "made tvalid wait for tready"}

Bytes = NDArray[np.uint8]
Tick = Callable[[int], None]  # told the cycles so far, some times in a second


class MachineFailed(RuntimeError):
    """The machine's status says so: the error, and the program address of the operation that ran into it."""

    def __init__(self, error: Error, address: int, operation: str = "") -> None:
        self.error, self.address, self.operation = error, address, operation
        where = f"operation {operation}" if operation else f"program address {address}"
        super().__init__(f"the machine failed with error {error.name} at {where}")


@dataclass(frozen=True)
class Transfer:
    """What one job did.

    Parameters
    ----------
    beats : the output stream, uint8 ``(beats, columns)``.
    times : the cycle that took each of them, int64 ``(beats,)``.
    cycles : from the cycle that takes the last command word (cycle 0) to the one before the machine is idle again.
    elapsed : cycles simulated, with those before the last command word.
    runs : runs that the machine says it has finished.
    starts, dones : cycles in which operations started and were done, as far as asked for; none of a machine in which
        they cannot be seen.
    toggles : bits and toggles of each port, ``(operations of a run, ports, 2)``; zeros of a machine without taps.
    """

    beats: Bytes
    times: NDArray[np.int64]
    cycles: int
    elapsed: int
    runs: int
    starts: NDArray[np.int64]
    dones: NDArray[np.int64]
    toggles: NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """What one program made of some inputs.

    Parameters
    ----------
    outputs : int8 ``(count, *output_shape)``.
    cycles, elapsed : of all of them, see `Transfer`.
    starts, dones : cycle of each operation of each run, ``(count, operations)``, or ``(0, operations)`` where they
        cannot be seen.
    toggles : of all inputs together, see `Transfer`; of each input the first of anything counts for nothing.
    """

    outputs: NDArray[np.int8]
    cycles: int
    elapsed: int
    starts: NDArray[np.int64]
    dones: NDArray[np.int64]
    toggles: NDArray[np.int64]


class CompiledMachine:
    """One machine in a shared library; it keeps its state from job to job, as the hardware does.

    Not safe for several threads at once; two machines may run in two.

    Parameters
    ----------
    path : the shared library, as :func:`lutra_sim.library.library` makes it.
    array : what it was made for.
    """

    def __init__(self, path: Path, array: Array) -> None:
        self.array = array
        self._library = driver.loaded(path)
        self._machine = self._library.machine_new()
        weakref.finalize(self, self._library.machine_delete, self._machine)

    def reset(self) -> None:
        """Hold the machine in reset for some cycles; memories keep their content."""
        self._library.machine_reset(self._machine)

    @contextmanager
    def tracing(self, path: Path, first: int, last: int) -> Iterator[None]:
        """Write cycles ``first`` to ``last`` of the jobs to a trace; the library must have been made for its kind."""
        self._library.machine_trace(self._machine, str(path).encode(), first, last)
        try:
            yield
        finally:
            self._library.machine_trace_close(self._machine)

    def load(self, program: Program) -> None:
        """Fill the machine's memories."""
        self.execute(loading(program))

    def run(self, program: Program, inputs: NDArray[np.int8], *, activation_period: int = 1, table_period: int = 1,
            stalls: int | None = None, timeout: int = WITHOUT_MOVE, limit: int = ENDLESS,
            streamed: Bytes | None = None, tick: Tick | None = None) -> Run:
        """Run the loaded program once for each input, ``(count, *input_shape)``, all by one command.

        ``streamed`` is the table stream of all runs, where each has tables of its own instead of the program's.
        ``timeout`` is the machine's own: so many cycles, beyond those of the streams, in which nothing moves. See
        `execute` for the others and for errors.
        """
        traffic = running(program, inputs, timeout=timeout + max(activation_period, table_period), streamed=streamed)
        operations = len(program.operations)
        try:
            done = self.execute(traffic, activation_period=activation_period, table_period=table_period,
                                stalls=stalls, limit=limit, tick=tick, operations=operations, runs=len(inputs))
        except MachineFailed as failure:
            raise named(failure, program) from None
        if done.runs != len(inputs):
            raise RuntimeError(f"the machine says that it finished {done.runs} of {len(inputs)} runs")
        if len(done.starts) != len(done.dones) or len(done.starts) not in (0, operations * len(inputs)):
            raise RuntimeError(f"{len(done.starts)} operations have started and {len(done.dones)} are done, not "
                               f"{operations * len(inputs)}")
        return Run(program.outputs(done.beats), done.cycles, done.elapsed, done.starts.reshape(-1, operations),
                   done.dones.reshape(-1, operations), done.toggles)

    def execute(self, traffic: Traffic, *, activation_period: int = 1, table_period: int = 1,
                stalls: int | None = None, limit: int = ENDLESS, tick: Tick | None = None,
                operations: int = 0, runs: int = 0) -> Transfer:
        """Do one job, until the machine is idle or has failed.

        Every input stream offers its next beat; one with period ``p`` leaves ``p - 1`` idle cycles after each beat
        taken. The output is always ready. With ``stalls``, a seed, each of the four stream ends goes and stalls in
        random bursts of its own instead. Operations are observed of ``runs`` runs of so many.

        Raises `MachineFailed` when the machine says so, and ``RuntimeError`` when it breaks a stream rule, marks its
        output wrongly, leaves beats untaken or is not done after ``limit`` cycles; these reset it.
        """
        periods = (1, 1) if stalls is not None else (activation_period, table_period)
        command = np.array(traffic.command, "<u4").view(np.uint8).reshape(-1, 4)
        inputs = [(command, None, 1), (*_stream(traffic.activations, traffic.activations_last, self.array.columns),
                                       periods[0]),
                  (*_stream(traffic.tables, traffic.tables_last, self.array.beat_bytes), periods[1])]
        answer = _Answer(len(traffic.used), self.array.columns, operations, runs)
        job = driver.Job(*(driver.Beats.of(*stream) for stream in inputs), len(traffic.used), self.array.columns, limit,
                         stalls is not None, stalls or 0, *(part.ctypes.data for part in answer.parts),
                         operations * runs, answer.toggles.ctypes.data, operations)
        try:
            report = self._steps(job, tick)
            _check(report, len(traffic.used), limit)
            _check_taken(report, [len(beats) for beats, _, _ in inputs])
            answer.check(traffic)
        except MachineFailed:
            raise
        except BaseException:
            self.reset()
            raise
        return Transfer(answer.data, answer.times, report.cycles, report.elapsed, report.status >> 8,
                        answer.starts[:report.started], answer.dones[:report.done], answer.toggles)

    def _steps(self, job: driver.Job, tick: Tick | None) -> driver.Report:
        report = driver.Report()
        self._library.machine_begin(self._machine, job)
        while not self._library.machine_step(self._machine, STEP, report):
            if tick:
                tick(report.elapsed)
        return report


def _stream(beats: Bytes, last: NDArray[np.bool_], width: int) -> tuple[Bytes, Bytes]:
    return np.ascontiguousarray(beats.reshape(len(beats), width)), np.ascontiguousarray(last).view(np.uint8)


class _Answer:
    """Room for the output beats of a job."""

    def __init__(self, beats: int, columns: int, operations: int, runs: int) -> None:
        self.columns = columns
        self.starts, self.dones = (np.zeros(operations * runs, np.int64) for _ in range(2))
        self.toggles = np.zeros((operations, len(PORTS), 2), np.int64)
        self.data, self.times = np.zeros((beats, columns), np.uint8), np.zeros(beats, np.int64)
        self.keep, self.last = np.zeros((beats, -(-columns // 8)), np.uint8), np.zeros(beats, np.uint8)
        self.parts = (self.data, self.keep, self.last, self.times, self.starts, self.dones)

    def check(self, traffic: Traffic) -> None:
        """Refuse beats that are marked wrongly."""
        if (self.last != traffic.last).any():
            beat = int(np.argmax(self.last != traffic.last))
            raise RuntimeError(f"tlast of beat {beat} must be {int(traffic.last[beat])}, not {self.last[beat]}")
        kept = np.unpackbits(self.keep, axis=1, count=self.columns, bitorder="little")
        wrong = np.flatnonzero((kept != (np.arange(self.columns) < traffic.used[:, None])).any(axis=1))
        if len(wrong):
            beat = wrong[0]
            raise RuntimeError(f"tkeep of beat {beat} must mark {traffic.used[beat]} bytes, not {kept[beat].tolist()}")


def _check(report: driver.Report, beats: int, limit: int) -> None:
    state, error = State(report.status & 3), Error(report.status >> 2 & 63)
    if report.violation:
        raise RuntimeError(f"the machine {VIOLATIONS[report.violation]}: cycle {report.elapsed - 1}, "
                           f"after {report.beats} of {beats} output beats")
    if state is State.FAILED:
        raise MachineFailed(error, report.status >> 8)
    if report.elapsed >= limit:
        raise RuntimeError(f"the machine is not done after {report.elapsed} cycles, "
                           f"with {report.beats} of {beats} output beats")
    if report.beats < beats:
        raise RuntimeError(f"the machine is idle after {report.beats} of {beats} output beats")


def _check_taken(report: driver.Report, offered: list[int]) -> None:
    for name, taken, count in zip(("command", "activation", "table"), report.taken, offered, strict=True):
        if taken != count:
            raise RuntimeError(f"the machine took {taken} of {count} {name} beats")


def named(failure: MachineFailed, program: Program) -> MachineFailed:
    """The failure of that program, with the name of its operation."""
    number, rest = divmod(failure.address, descriptor_words(program.array))
    known = not rest and number < len(program.operations)
    return MachineFailed(failure.error, failure.address, program.operations[number].name if known else "")


def build(array: Array, *, trace: str | None = None, activity: bool = False, cache: Path | None = None,
          progress: Progress | None = None) -> CompiledMachine:
    """The array's machine, compiled unless the cache has it.

    With ``trace``, one that writes ``fst`` or ``vcd``; with ``activity``, one that counts toggles.
    """
    verilog = generate(array, cache=cache, progress=progress)
    taps = Taps(verilog, array) if activity else None
    return CompiledMachine(library(verilog, trace=trace, taps=taps, cache=cache, progress=progress), array)

"""What goes over the machine's streams for one job: to fill its memories, or to run a program."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lutra_model.operation import Kind, Operation
from lutra_model.params import Array
from lutra_model.program import Program

from . import commands

__all__ = ["Traffic", "loading", "running"]

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


def _none() -> Bytes:
    return np.zeros((0, 0), np.uint8)


@dataclass(frozen=True)
class Traffic:
    """Beats of the input streams, ``(beats, bytes)`` with ``tlast`` of each, and marks of the expected output beats.

    Parameters
    ----------
    command : words of the command stream.
    used, last : for each output beat, the bytes that ``tkeep`` marks and whether ``tlast`` does.
    """

    command: list[int]
    activations: Bytes = field(default_factory=_none)
    activations_last: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    tables: Bytes = field(default_factory=_none)
    tables_last: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    used: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    last: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))


def loading(program: Program) -> Traffic:
    """Writes the program, its functions, its codebooks and its resident tables."""
    command = commands.write_program(program.words)
    if len(program.functions):
        command += commands.write_functions(program.functions)
    if len(program.codebooks):
        command += commands.write_codebooks(program.codebooks)
    if not len(program.tables):
        return Traffic(command)
    return Traffic(command + commands.write_tables(len(program.tables)), tables=program.tables,
                   tables_last=np.arange(len(program.tables)) == len(program.tables) - 1)


def _used(operation: Operation, array: Array) -> list[int]:
    """Used bytes of an operation's output beats."""
    full = array.word if operation.kind in (Kind.POOL, Kind.ROW) else array.columns
    tiles = [full] * (operation.column_tiles - 1) + [operation.last_columns]
    return [used for size in operation.block_sizes for used in tiles for _ in range(size)]


def running(program: Program, inputs: NDArray[np.int8], *, timeout: int = 0, streamed: Bytes | None = None) -> Traffic:
    """Runs the program, which the machine holds, once for each input.

    ``streamed`` is the table stream of all runs, the program's own for each of them if not given.
    """
    runs, array = len(inputs), program.array
    sent = [_used(operation, array) for operation in program.operations if operation.to_stream]
    last = [place == len(beats) - 1 for beats in sent for place in range(len(beats))]
    beats, beats_last = program.input_beats(inputs)
    tables = np.tile(program.streamed, (runs, 1)) if streamed is None else streamed
    return Traffic(commands.run(runs, timeout=timeout), beats, beats_last, tables,
                   np.tile(program.streamed_last, runs), np.tile([used for beats in sent for used in beats], runs),
                   np.tile(last, runs))

"""Words of the command stream (docs/hardware.md)."""

import numpy as np
from numpy.typing import NDArray

from lutra_model.operation import COMMAND, Opcode

__all__ = ["HEAD", "run", "write_codebooks", "write_functions", "write_program", "write_tables"]

HEAD = COMMAND << 8


def _command(opcode: Opcode, *words: int) -> list[int]:
    return [HEAD | opcode, *words]


def write_program(words: list[int], address: int = 0) -> list[int]:
    """Fills program memory from ``address`` on."""
    return _command(Opcode.WRITE_PROGRAM, address, len(words), *words)


def write_codebooks(memory: NDArray[np.uint8], address: int = 0) -> list[int]:
    """Fills codebook memory with ``memory``, ``(words, bytes of one)``."""
    count, width = memory.shape
    padded = np.zeros((count, -(-width // 4) * 4), np.uint8)
    padded[:, :width] = memory
    return _command(Opcode.WRITE_CODEBOOKS, address, count, *padded.reshape(-1).view("<u4").tolist())


def write_tables(beats: int, address: int = 0) -> list[int]:
    """Fills table memory with so many beats, which follow on the table stream."""
    return _command(Opcode.WRITE_TABLES, address, beats)


def write_functions(slots: NDArray[np.uint32], first: int = 0) -> list[int]:
    """Fills function slots from ``first`` on with ``slots``, ``(slots, 33)``."""
    return _command(Opcode.WRITE_FUNCTIONS, first, len(slots), *slots.reshape(-1).tolist())


def run(runs: int, *, address: int = 0, timeout: int = 0) -> list[int]:
    """Runs the program at ``address`` so many times."""
    return _command(Opcode.RUN, address, runs, timeout)

"""How many inputs a board can run in a second: as many as its line carries, or as its machine computes."""

from dataclasses import dataclass

import numpy as np

from lutra_model.latency import network_latency
from lutra_model.link import CHECK_BYTES
from lutra_model.program import Program

from .host import running_job

__all__ = ["Rates", "rates"]

BYTE_BITS = 10       # of the line: start and stop bit included
ACKNOWLEDGEMENT = 1 + CHECK_BYTES


@dataclass(frozen=True)
class Rates:
    """What one more input takes.

    Parameters
    ----------
    cycles : of the machine, by the latency model, all streams at full speed.
    sent, heard : bytes to the board and from it.
    machine, line : inputs per second.
    """

    cycles: int
    sent: int
    heard: int
    machine: float
    line: float

    @property
    def bound(self) -> str:
        """What is slower, ``line`` or ``machine``."""
        return "line" if self.line < self.machine else "machine"


def rates(program: Program, clock_mhz: float, baud: int) -> Rates:
    """The rates of a loaded program."""
    one, two = (network_latency(program.operations, program.array, runs=runs).cycles for runs in (1, 2))
    short, long = (running_job(program, np.zeros((count, *program.input_shape), np.int8), bytes(4)) for count in (1, 2))
    sent = sum(len(frame) + CHECK_BYTES for frame in long) - sum(len(frame) + CHECK_BYTES for frame in short)
    heard = (program.output_beats * (1 + program.array.columns + CHECK_BYTES)
             + (len(long) - len(short)) * ACKNOWLEDGEMENT)
    return Rates(two - one, sent, heard, clock_mhz * 1e6 / (two - one), baud / BYTE_BITS / max(sent, heard))

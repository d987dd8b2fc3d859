"""A board that only counts, and the cases that it answers."""

from collections.abc import Callable

import numpy as np

from lutra_model.link import (
    CHANNELS,
    CHECK_BYTES,
    LAST,
    VERSION,
    Line,
    machine_digest,
)
from lutra_model.operation import Error, Kind, State, descriptor_words
from lutra_model.params import Array
from lutra_sim import commands
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.fpga.host import loading_job, running_job

ARRAY = Array(rows=4, columns=6, encoders=2, length=3, entries=4, codebooks=80, block_rows=16, index_words=64)


def a_case(streamed: bool) -> Case:
    """The first random case of many beats whose tables are streamed, or none of which are."""
    for seed in range(1000):
        case = random_case(ARRAY, seed)
        tables = [operation for operation in case.program.operations if operation.stream_tables]
        if len(case.inputs) > 1 and len(case.program.tables if not streamed else case.program.streamed) > 100 \
                and (len(tables) > 1) == streamed:
            return case
    raise AssertionError("no such case")


STREAMED, RESIDENT = a_case(True), a_case(False)


def status(state: State, error: Error = Error.NONE, rest: int = 0) -> bytes:
    """A status packet."""
    return b"\2" + (state | error << 2 | rest << 8).to_bytes(4, "little")


def load_frames(case: Case) -> list[bytes]:
    """A load, but for its hello."""
    return loading_job(case.program, b"mark")[1:]


def run_frames(case: Case) -> list[bytes]:
    """A run, but for its hello."""
    return running_job(case.program, case.inputs, b"once")[1:]


def without_hellos(taken: list[bytes]) -> list[bytes]:
    """Frames that are no hellos."""
    return [frame for frame in taken if frame[0] & ~LAST != CHANNELS.index("hello")]


class CountingBoard:
    """Takes frames one at a time, slowly; says the golden outputs when all frames of a run have come.

    Parameters
    ----------
    fails_after : frames after which it fails, dropping the others until a RUN comes.

    ``most`` is the largest number of bytes that it ever had to buffer, ``spoil`` what to do to each packet, by its
    number.
    """

    def __init__(self, case: Case, fails_after: int = -1) -> None:
        self.case = case
        self.buffer, self.said = b"", b""
        self.most, self.left, self.fails_after = 0, 0, fails_after
        self.failed, self.silent = False, False
        self.taken: list[bytes] = []
        self.breaks, self.number, self.mark = 0, 0, bytes(4)
        self.version, self.machine = VERSION, machine_digest(case.array)
        self.spoil: dict[int, Callable[[bytes], bytes]] = {}
        self.heard, self.saying = Line(), Line()

    def reset(self) -> None:
        self.breaks += 1
        self.buffer, self.said, self.left, self.failed = b"", b"", 0, False
        self.heard, self.saying = Line(), Line()

    def write(self, data: bytes) -> None:
        self.buffer += data
        self.most = max(self.most, len(self.buffer))

    def read(self) -> bytes:
        if self.silent:
            return b""
        if self.buffer:
            count = int.from_bytes(self.buffer[1:3], "little") + 3
            frame, self.buffer = self.buffer[:count + CHECK_BYTES], self.buffer[count + CHECK_BYTES:]
            assert frame == self.heard.sealed(frame[:count])
            self.take(frame[:count])
        said, self.said = self.said[:7], self.said[7:]
        return said

    def say(self, packet: bytes) -> None:
        packet = self.saying.sealed(packet)
        self.said += self.spoil.pop(self.number, bytes)(packet)
        self.number += 1

    def take(self, frame: bytes) -> None:
        self.taken.append(frame)
        self.say(b"\0")
        runs = np.array(commands.run(len(self.case.inputs))[:3], "<u4").tobytes()
        if frame[0] & ~LAST == CHANNELS.index("hello"):
            self.mark = frame[3:] if frame[0] & LAST else self.mark
            self.say(b"\3" + bytes([self.version]) + self.machine + self.mark + frame[3:])
        if frame[0] == 0 and frame[3:15] == runs:
            self.failed, self.left = False, len(run_frames(self.case))
            self.say(status(State.RUNNING))
        self.left -= 1
        if len(self.taken) == self.fails_after:
            self.failed = True
            self.say(self.failure())
        elif self.left == 0 and not self.failed:
            for beat in self.outputs():
                self.say(b"\1" + beat)
            self.say(status(State.IDLE, rest=len(self.case.inputs)))
        elif frame[0] == CHANNELS.index("status"):
            self.say(self.failure() if self.failed else status(State.IDLE))

    def failure(self) -> bytes:
        return status(State.FAILED, Error.WATCHDOG, descriptor_words(ARRAY))

    def outputs(self) -> list[bytes]:
        """Beats of the golden outputs in the order of the last operation."""
        data, last = list[bytes](), self.case.program.operations[-1]
        full = ARRAY.columns if last.kind is Kind.PRODUCT else ARRAY.word
        for image in self.case.expected.reshape(len(self.case.inputs), last.rows, -1):
            row = 0
            for size in last.block_sizes:
                for first in range(0, image.shape[1], full):
                    for beat in image[row:row + size, first:first + full]:
                        data.append(beat.tobytes().ljust(ARRAY.columns, b"\0"))
                row += size
        return data

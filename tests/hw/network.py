"""Small random programs, and a simulation of the machine that runs them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from amaranth.sim import Simulator, SimulatorContext

from lutra_hw.machine import Machine
from lutra_model.operation import Kind, Operation
from lutra_model.params import Array
from tests.hw.interpreter import Beat, Interpreter
from tests.hw.rows import Function

__all__ = ["Program", "Trace", "bursts", "simulate"]

TIMEOUT = 30_000
INPUTS = ("s_axis_cmd", "s_axis_act", "s_axis_table")


def bursts(seed: int | None, end: int) -> Iterator[bool]:
    """Whether a stream's end goes on, cycle by cycle; without a seed it always does."""
    rng = random.Random(f"{seed} {end}")
    going = True
    while True:
        yield from [going] * rng.randint(1, 24)
        going = not going or seed is None


def word(beat: list[int]) -> int:
    return int.from_bytes(bytes(beat), "little")


@dataclass
class Program:
    """Operations with random memories; ``fields`` says what tables, codebooks and the stream hold."""

    array: Array
    operations: list[Operation]
    seed: int = 0
    runs: int = 1
    origin: int = 0
    timeout: int = 1000
    tables: list[list[int]] = field(default_factory=list)
    codebooks: list[list[int]] = field(default_factory=list)
    streamed: list[tuple[list[int], int]] = field(default_factory=list)
    inputs: list[tuple[list[int], int]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.operations = [replace(op, final=n == len(self.operations) - 1) for n, op in enumerate(self.operations)]
        placed = []
        for op in self.operations:
            if (op.kind is Kind.ROW and not op.maximum) or op.kind is Kind.PRODUCT:
                op = replace(op, tables=0 if op.stream_tables else len(self.tables), codebooks=len(self.codebooks))
                if not op.stream_tables:
                    self.tables += self._tables(op, rng)
                if self.array.is_lookup and op.kind is Kind.PRODUCT:
                    low, high = rng.choice([(0, 256), (254, 259)])
                    self.codebooks += [[rng.randrange(low, high) & 255 if v < op.length else 0
                                        for _ in range(self.array.encoders) for v in range(self.array.length)]
                                       for _ in range(op.slots * op.entries)]
            placed.append(op)
        self.operations = placed
        for _ in range(self.runs):
            for op in self.operations:
                if op.kind is Kind.LOAD:
                    count = op.rows * op.column_tiles
                    self.inputs += [([rng.randrange(256) for _ in range(self.array.columns)], n == count - 1)
                                    for n in range(count)]
                if op.stream_tables:
                    beats = self._tables(op, rng) * op.blocks
                    self.streamed += [(beat, n == len(beats) - 1) for n, beat in enumerate(beats)]

    def _tables(self, op: Operation, rng: random.Random) -> list[list[int]]:
        """Table beats of all column tiles, with parameters that spread the results."""
        array, beats = self.array, []
        width = (8 if array.is_lookup else 15) + (op.slots * array.encoders).bit_length() // 2
        norm = op.kind is Kind.ROW  # parameters only; its values have 12 bits after the point
        width = 12 if norm else width
        for _ in range(op.column_tiles):
            for slots in () if norm else op.tile_slots(array):
                beats += [[rng.randrange(256) for _ in range(array.columns * array.fill)]
                          for _ in range(-(-slots * array.encoders // array.fill) * op.entries)]
            columns = [rng.randrange(-1 << width, 1 << width).to_bytes(4, "little", signed=True)
                       + rng.randrange(2**15, 2**16).to_bytes(2, "little")
                       + bytes([width + 9 - 6 * (op.function > 0 and not norm) + rng.choice([0, 128] if norm else [0])])
                       for _ in range(array.columns)]
            values = [columns[column][byte] if byte < 7 else 0
                      for byte in range(-(-7 // array.fill) * array.fill) for column in range(array.columns)]
            size = array.columns * array.fill
            beats += [values[n:n + size] for n in range(0, len(values), size)]
        return beats

    @property
    def words(self) -> list[int]:
        return [w for op in self.operations for w in op.encode(self.array)]

    def commands(self) -> list[int]:
        """Everything that the command stream says."""
        words, size = self.words, -(-self.array.encoders * self.array.length // 4) * 4
        result = [0x4C000001, self.origin, len(words), *words]
        if self.codebooks:
            result += [0x4C000002, 0, len(self.codebooks)]
            result += [word((w + [0] * (size - len(w)))[n:n + 4]) for w in self.codebooks for n in range(0, size, 4)]
        if self.functions:
            result += [0x4C000005, 0, len(self.functions)] + [w for one in self.functions for w in one.words]
        if self.tables:
            result += [0x4C000003, 0, len(self.tables)]
        return [*result, 0x4C000004, self.origin, self.runs, self.timeout]

    def streams(self) -> list[list[tuple[int, int]]]:
        """Command words, activation beats and table beats, each with ``tlast``."""
        tables = [(word(beat), int(n == len(self.tables) - 1)) for n, beat in enumerate(self.tables)]
        return [[(w, 0) for w in self.commands()], [(word(beat), last) for beat, last in self.inputs],
                tables + [(word(beat), last) for beat, last in self.streamed]]

    def expected(self) -> list[Beat]:
        interpreter = Interpreter(self.array, self.tables, self.codebooks, iter(beat for beat, _ in self.inputs),
                                  iter(beat for beat, _ in self.streamed), self.functions)
        return interpreter.run(self.operations, self.runs)


@dataclass
class Trace:
    """What left the machine, when each stream's beats were taken, and the status word, cycle by cycle."""

    beats: list[Beat] = field(default_factory=list)
    times: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in (*INPUTS, "m_axis")})
    status: list[int] = field(default_factory=list)

    @property
    def ran(self) -> list[int]:
        """Cycles in state running."""
        return [cycle for cycle, value in enumerate(self.status) if value & 3 == 1]


def simulate(array: Array, jobs: list[list[list[tuple[int, int]]]], stalls: int | None = None,
             silent: bool = False) -> list[Trace]:
    """Runs jobs (three streams each) one after the other, each until the machine is no longer running and its output
    is empty, or has failed; ``silent``: nobody takes output beats while the first job runs."""
    machine = Machine(array)
    traces: list[Trace] = []

    async def job(ctx: SimulatorContext, queues: list[list[tuple[int, int]]], going: list[Iterator[bool]],
                  deaf: bool) -> Trace:
        trace, valids, at = Trace(), [False] * 3, [0] * 3
        offered: Any = None
        for cycle in range(TIMEOUT):
            failed = ctx.get(machine.status) & 3 == 2  # beats would be dropped
            for end, name in enumerate(INPUTS):
                valids[end] = valids[end] or (at[end] < len(queues[end]) and next(going[end]) and not (end and failed))
                data, last = queues[end][at[end]] if valids[end] else (0, 0)
                ctx.set(getattr(machine, f"{name}_tvalid"), valids[end])
                ctx.set(getattr(machine, f"{name}_tdata"), data)
                if end:
                    ctx.set(getattr(machine, f"{name}_tlast"), last)
            ready = next(going[3]) and not deaf
            ctx.set(machine.m_axis_tready, ready)
            for end, name in enumerate(INPUTS):
                if valids[end] and ctx.get(getattr(machine, f"{name}_tready")):
                    at[end] += 1
                    valids[end] = False
                    trace.times[name].append(cycle)
            beat = None
            if ctx.get(machine.m_axis_tvalid):
                beat = (ctx.get(machine.m_axis_tdata), ctx.get(machine.m_axis_tkeep), ctx.get(machine.m_axis_tlast))
            assert offered is None or beat == offered, "a beat must stay until it is taken"
            offered = None if ready else beat
            if ready and beat is not None:
                trace.beats.append(beat)
                trace.times["m_axis"].append(cycle)
            trace.status.append(ctx.get(machine.status))
            await ctx.tick()
            state = trace.status[-1] & 3
            empty = beat is None and at[1:] == [len(queue) for queue in queues[1:]]
            begun = at[0] == len(queues[0]) and cycle > trace.times["s_axis_cmd"][-1]
            if begun and (state == 2 or (state == 0 and empty)):
                return trace
        raise AssertionError(f"{at} taken, {len(trace.beats)} left after {TIMEOUT} cycles, status {trace.status[-1]:x}")

    async def bench(ctx: SimulatorContext) -> None:
        for number, queues in enumerate(jobs):
            going = [bursts(None if stalls is None else stalls + 100 * number, end) for end in range(4)]
            traces.append(await job(ctx, queues, going, silent and number == 0))

    simulator = Simulator(machine)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return traces

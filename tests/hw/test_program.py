"""hw.program: what it fetches, and when operations are ready and start."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.program import Program
from lutra_model.operation import FIELDS, Kind, Lane, Operation, descriptor_words
from lutra_model.params import Array

Simulate = Callable[..., None]
ARRAY = Array(rows=4, columns=4, encoders=2, length=3, lanes=7, program_words=150)
D = descriptor_words(ARRAY)


def random_operation(rng: random.Random, final: bool) -> Operation:
    fields = {}
    for name, field in FIELDS.items():
        if name not in ("kind", "final", "arrange"):
            low = -(1 << field.width - 1) if field.signed else 0
            fields[name] = rng.randint(low + field.less, low + (1 << field.width) - 1 + field.less)
    lanes = tuple(Lane(offset=rng.randrange(2**16), dy=rng.randrange(128), dx=rng.randrange(128),
                       enabled=rng.random() < 0.5, enabled_last=rng.random() < 0.5) for _ in range(7))
    return Operation(kind=rng.choice(list(Kind)), final=final, lanes=lanes, **fields)


def seen(ctx: SimulatorContext, settings: object) -> dict[str, int]:
    return {name: ctx.get(getattr(settings, name)) + field.less for name, field in FIELDS.items()}


async def write(ctx: SimulatorContext, program: Program, address: int, words: list[int]) -> None:
    for number, word in enumerate(words):
        ctx.set(program.write.en, 1)
        ctx.set(program.write.address, address + number)
        ctx.set(program.write.data, word)
        await ctx.tick()
    ctx.set(program.write.en, 0)


@pytest.mark.parametrize("seed", range(3))
def test_operations_start_when_they_are_ready_and_the_one_before_is_done(simulate: Simulate, seed: int) -> None:
    program, rng = Program(ARRAY), random.Random(seed)
    count, runs, origin = rng.randint(1, 4), rng.randint(1, 3), rng.randrange(10)
    operations = [random_operation(rng, number == count - 1) for number in range(count)]
    durations = [rng.choice([1, D, D + 1, D + 2, D + 3, 3 * D]) for _ in range(count * runs)]
    starts = []
    ready = done = D + 2
    for duration in durations:
        starts.append(max(ready, done))
        ready, done = starts[-1] + D + 2, starts[-1] + duration

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        await write(ctx, program, origin, [word for op in operations for word in op.encode(ARRAY)])
        for port, value in [(program.run, 1), (program.address, origin), (program.runs, runs)]:
            ctx.set(port, value)
        dones = [start + duration for start, duration in zip(starts, durations, strict=True)]
        for cycle in range(dones[-1] + 3 * D):
            ctx.set(program.done, cycle in dones)
            assert ctx.get(program.start) == (cycle in starts), cycle
            assert ctx.get(program.ended) == (cycle == dones[-1])
            assert ctx.get(program.finished) == (cycle in dones[count - 1::count])
            assert ctx.get(program.fault) == 0
            if cycle in starts:
                current = starts.index(cycle)
                op = operations[current % count]
                assert ctx.get(program.next_address) == origin + current % count * D
                assert seen(ctx, program.next) == {name: int(getattr(op, name)) for name in FIELDS}
            elif starts[0] < cycle:
                op = operations[current % count]
                assert seen(ctx, program.settings) == {name: int(getattr(op, name)) for name in FIELDS}
                assert ctx.get(program.running_address) == origin + current % count * D
                assert [ctx.get(program.settings.lanes[n].offset) for n in range(7)] == [p.offset for p in op.lanes]
            await ctx.tick()
            ctx.set(program.run, 0)

    simulate(program, bench)


@pytest.mark.parametrize("address", [150, 149, 150 - D + 1, 2**32 - 1])
def test_words_beyond_the_memory_are_a_fault(simulate: Simulate, address: int) -> None:
    program = Program(ARRAY)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for port, value in [(program.run, 1), (program.address, address), (program.runs, 1)]:
            ctx.set(port, value)
        first = 1 + max(0, 150 - address)  # cycle in which it is read
        for cycle in range(first + 1):
            assert ctx.get(program.fault) == (cycle == first)
            await ctx.tick()
            ctx.set(program.run, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        for _ in range(D + 5):
            assert not ctx.get(program.ready)
            assert not ctx.get(program.moving)
            await ctx.tick()

    simulate(program, bench)

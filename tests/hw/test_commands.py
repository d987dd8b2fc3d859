"""hw.commands: what commands do, and what is an error."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.commands import Commands
from lutra_model.operation import Error
from lutra_model.params import Array

Simulate = Callable[..., None]
ARRAY = Array(rows=4, columns=2, encoders=2, length=3, fill=2, program_words=40, table_words=30, codebook_words=20)
BEGIN = 0x4C000000
Write = tuple[str, int, int, int]  # memory, address, piece, data


def pushed(words: list[int], *, tables: list[tuple[int, int]] | None = None, seed: int | None = None,
           failed: bool = False) -> Callable[..., object]:
    """A bench that feeds words (and beats), and checks that nothing is wrong up to the last; logs in its lists."""
    writes: list[Write] = []
    faults: list[tuple[int, int]] = []  # words taken before, error

    async def bench(ctx: SimulatorContext, unit: Commands) -> tuple[list[Write], list[tuple[int, int]], list[int]]:
        rng, at, beat, cycles, cleared = random.Random(seed), 0, 0, 0, []
        beats = tables or []
        ctx.set(unit.failed, failed)
        while at < len(words) or beat < len(beats):
            on = [seed is None or rng.random() < 0.6 for _ in range(2)]
            ctx.set(unit.i.valid, on[0] and at < len(words))
            ctx.set(unit.i.payload, words[min(at, len(words) - 1)])
            ctx.set(unit.tables.valid, on[1] and beat < len(beats))
            if beat < len(beats):
                ctx.set(unit.tables.payload.data, beats[beat][0])
                ctx.set(unit.tables.payload.last, beats[beat][1])
            for name in ("program", "codebook", "table", *(["function"] if unit.array.functions else [])):
                port = getattr(unit, name)
                if ctx.get(port.en):
                    piece = ctx.get(port.piece) if name in ("codebook", "function") else 0
                    writes.append((name, ctx.get(port.address), piece, ctx.get(port.data)))
            if ctx.get(unit.fault):
                faults.append((at, ctx.get(unit.fault)))
            if ctx.get(unit.clear):
                cleared.append(at)
                ctx.set(unit.failed, 0)
            cycles += 1
            at += ctx.get(unit.i.valid) & ctx.get(unit.i.ready)
            beat += ctx.get(unit.tables.valid) & ctx.get(unit.tables.ready)
            assert cycles < 2000
            await ctx.tick()
        if seed is None and tables is None:
            assert cycles == len(words)  # a word in a cycle
        return writes, faults, cleared

    return bench


@pytest.mark.parametrize("seed", [None, 1])
def test_functions_reach_their_slots(simulate: Simulate, seed: int | None) -> None:
    unit, rng = Commands(replace(ARRAY, functions=3)), random.Random(seed)
    slots = [rng.getrandbits(32) for _ in range(66)]
    words = [BEGIN | 5, 1, 2, *slots, BEGIN | 1, 0, 1, 5, BEGIN | 5, 2, 2, *slots[:34]]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        writes, faults, _ = await pushed(words, seed=seed)(ctx, unit)
        assert writes == [*(("function", 1 + n // 33, n % 33, word) for n, word in enumerate(slots)),
                          ("program", 0, 0, 5), *(("function", 2, n, word) for n, word in enumerate(slots[:33]))]
        assert {error for _, error in faults} == {Error.FUNCTION}  # by the first word of slot 3
        assert {at for at, _ in faults} == {len(words) - 1}

    simulate(unit, bench)


def test_a_machine_without_functions_does_not_know_the_command(simulate: Simulate) -> None:
    unit = Commands(ARRAY)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        _, faults, _ = await pushed([BEGIN | 5])(ctx, unit)
        assert faults == [(0, Error.COMMAND)]

    simulate(unit, bench)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_writes_reach_their_memories(simulate: Simulate, seed: int | None) -> None:
    rng = random.Random(seed)
    program, codebooks = ([rng.getrandbits(32) for _ in range(count)] for count in (7, 6))
    beats = [(rng.getrandbits(32), number == 4) for number in range(5)]
    words = [BEGIN | 1, 33, 7, *program, BEGIN | 2, 17, 3, *codebooks, BEGIN | 1, 0, 1, 5, BEGIN | 3, 25, 5]
    unit = Commands(ARRAY)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        writes, faults, _ = await pushed(words, tables=beats, seed=seed)(ctx, unit)
        assert not faults
        assert writes == [*(("program", 33 + n, 0, word) for n, word in enumerate(program)),
                          *(("codebook", 17 + n // 2, n % 2, word) for n, word in enumerate(codebooks)),
                          ("program", 0, 0, 5), *(("table", 25 + n, 0, data) for n, (data, _) in enumerate(beats))]
        for count in range(6):  # the next command comes after a run
            ctx.set(unit.i.valid, 1)
            ctx.set(unit.i.payload, [BEGIN | 4, 11, 3, 99, BEGIN | 4, BEGIN | 4][count])
            assert ctx.get(unit.run) == (count == 3)
            if count == 3:
                assert (ctx.get(unit.address), ctx.get(unit.count)) == (11, 3)
            assert ctx.get(unit.i.ready) == (count < 4)
            ctx.set(unit.ended, count == 5)
            await ctx.tick()
        assert (ctx.get(unit.watched), ctx.get(unit.patience)) == (1, 98)
        assert ctx.get(unit.i.ready)

    simulate(unit, bench)


@pytest.mark.parametrize(("words", "error", "good"), [
    ([7], Error.COMMAND, 0), ([BEGIN], Error.COMMAND, 0), ([BEGIN | 5], Error.COMMAND, 0),
    ([BEGIN | 0x104], Error.COMMAND, 0), ([BEGIN | 1, 0, 0], Error.SIZE, 0), ([BEGIN | 4, 0, 0], Error.SIZE, 0),
    ([BEGIN | 1, 38, 4, 1, 2, 3], Error.PROGRAM, 2), ([BEGIN | 1, 2**32 - 1, 4, 1], Error.PROGRAM, 0),
    ([BEGIN | 2, 19, 2, 1, 2, 3], Error.CODEBOOK, 2)], ids=str)
def test_commands_that_do_not_fit_are_faults(simulate: Simulate, words: list[int], error: Error, good: int) -> None:
    unit = Commands(ARRAY)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        writes, faults, _ = await pushed(words)(ctx, unit)
        assert faults == [(len(words) - 1, error)]
        assert len(writes) == good

    simulate(unit, bench)


@pytest.mark.parametrize(("address", "lasts", "error"), [
    (29, [0, 0], Error.TABLE), (0, [0, 1], Error.SHORT), (0, [0, 0, 0], Error.LONG)], ids=str)
def test_table_beats_that_do_not_fit_are_faults(simulate: Simulate, address: int, lasts: list[int],
                                                error: Error) -> None:
    unit = Commands(ARRAY)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        _, faults, _ = await pushed([BEGIN | 3, address, 3], tables=[(5, last) for last in lasts])(ctx, unit)
        assert faults == [(3, error)]

    simulate(unit, bench)


def test_a_failed_machine_drops_words_until_one_begins_a_command(simulate: Simulate) -> None:
    unit = Commands(ARRAY)
    words = [3, BEGIN | 9, 0x4B000001, BEGIN | 2, 0, 1, 8, 9]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        writes, faults, cleared = await pushed(words, failed=True)(ctx, unit)
        assert (faults, cleared) == ([], [3])
        assert writes == [("codebook", 0, 0, 8), ("codebook", 0, 1, 9)]

    simulate(unit, bench)

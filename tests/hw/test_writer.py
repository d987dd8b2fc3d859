"""hw.placer, hw.residual and hw.writer against addresses and bytes written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.placer import Placer
from lutra_hw.residual import AddStage
from lutra_hw.writer import Writer
from lutra_model.operation import Error, Kind, Operation
from lutra_model.params import Array
from lutra_model.schedule import Pipeline
from tests.hw.windows import tell

Simulate = Callable[..., None]


@pytest.mark.parametrize("gaps", [False, True], ids=["dense", "gaps"])
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_placed_tile_by_tile(simulate: Simulate, seed: int, gaps: bool) -> None:
    array, rng = Array(rows=4, columns=4, encoders=2), random.Random(seed)
    unit = Placer(array)
    operations = [Operation(
        kind=Kind.PRODUCT, blocks=rng.randint(1, 4), block=rng.randint(1, 9), last_block=rng.randint(1, 9),
        out_width=rng.randint(1, 7), column_tiles=rng.randint(1, 3), target=rng.randrange(1000),
        target_step=rng.randrange(9), target_jump=rng.randint(-30, 30), tile_step=rng.randrange(20),
        residual_source=rng.randrange(1000), residual_step=rng.randrange(9), residual_jump=rng.randint(-30, 30))
        for _ in range(4)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for op in operations:
            tell(ctx, unit.next, op)
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            tell(ctx, unit.settings, op)
            tell(ctx, unit.next, operations[0])
            first = 0
            for block, size in enumerate(op.block_sizes):
                for tile in range(op.column_tiles):
                    for row in range(size):
                        while gaps and rng.random() < 0.5:
                            await ctx.tick()
                        y, x = divmod(first + row, op.out_width)
                        line = (op.out_width - 1) * op.target_step + op.target_jump
                        other = (op.out_width - 1) * op.residual_step + op.residual_jump
                        ctx.set(unit.step, 1)
                        target = op.target + y * line + x * op.target_step + tile * op.tile_step
                        residual = op.residual_source + y * other + x * op.residual_step + tile * op.tile_step
                        assert ctx.get(unit.target) == target % 2**32
                        assert ctx.get(unit.residual) == residual % 2**32
                        edge = tile == op.column_tiles - 1
                        assert ctx.get(unit.edge) == edge
                        assert ctx.get(unit.end) == (edge and block == op.blocks - 1 and row == size - 1)
                        await ctx.tick()
                        ctx.set(unit.step, 0)
                first += size

    simulate(unit, bench)


@pytest.mark.parametrize("seed", range(8))
def test_add_stage_rescales_both_and_rounds_half_up(simulate: Simulate, seed: int) -> None:
    array, rng = Array(rows=4, columns=4, encoders=2), random.Random(seed)
    unit, factors = AddStage(array), [0, 1, 2**16 - 1, rng.randrange(2**16)]
    low, high = [(-128, 127), (0, 127), (-5, 9)][seed % 3]
    op = Operation(kind=Kind.PRODUCT, residual=seed != 7, own_factor=rng.choice(factors),
                   residual_factor=rng.choice(factors), add_shift=[1, 17, 24, 63, 16, 15, 2, 5][seed], add_low=low,
                   add_high=high)

    def byte() -> int:
        return rng.choice([-128, 127, 0, rng.randint(-128, 127)])

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        tell(ctx, unit.settings, op)
        ctx.set(unit.valid, 1)
        work = [[(byte(), byte()) for _ in range(4)] for _ in range(40)]
        results = []
        stages = Pipeline(array).add
        for pairs in [*work, *work[:stages]]:
            ctx.set(unit.i, sum((y & 255) << 8 * n for n, (y, _) in enumerate(pairs)))
            ctx.set(unit.residual, sum((r & 255) << 8 * n for n, (_, r) in enumerate(pairs)))
            results.append(ctx.get(unit.o).to_bytes(4, "little"))
            await ctx.tick()
        for pairs, result in zip(work, results[stages:], strict=True):
            sums = [(y * op.own_factor + r * op.residual_factor + 2**(op.add_shift - 1)) >> op.add_shift
                    for y, r in pairs]
            clamped = [min(max(total, low), high) for total in sums]
            assert [byte - 256 * (byte > 127) for byte in result] == (clamped if op.residual else [y for y, _ in pairs])

    simulate(unit, bench)


ARRAYS = [Array(rows=4, columns=8, encoders=4, lanes=36), Array(rows=6, columns=6, encoders=3, length=2, word=3),
          Array(rows=4, columns=5, encoders=2, length=3), Array.mac(rows=4, columns=64, encoders=4, lanes=9),
          Array(rows=4, columns=8, encoders=4, lanes=36, stores=4)]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"c{a.columns}w{a.word}b{a.beat_words}")
def test_rows_become_words_or_beats(simulate: Simulate, array: Array, kind: Kind) -> None:
    unit, rng, columns, word = Writer(array), random.Random(array.columns), array.columns, array.word

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.valid, 1)
        for _ in range(200):
            most = word if kind is Kind.POOL else columns
            size = rng.randint(1, word) if kind is Kind.LOAD else word
            op = Operation(kind=kind, last_columns=rng.randint(1, most), word_bytes=size, side=rng.randrange(2),
                           to_stream=rng.random() < 0.3 and kind is not Kind.LOAD)
            edge, data = rng.randrange(2), rng.randbytes(columns)
            tell(ctx, unit.settings, op)
            for port, value in [(unit.edge, edge), (unit.i, int.from_bytes(data, "little")), (unit.address, 77)]:
                ctx.set(port, value)
            used = op.last_columns if edge else most // size * size
            masked = data[:used] + bytes(columns - used)
            words = [masked[n:n + size].ljust(word, b"\0") for n in range(0, used, size)]
            await ctx.tick()
            assert ctx.get(unit.beat) == op.to_stream
            assert ctx.get(unit.fault) == (Error.SIZE if len(words) > array.beat_words else Error.NONE)
            assert ctx.get(unit.o.en) == (not op.to_stream and len(words) <= array.beat_words)
            if op.to_stream:
                assert ctx.get(unit.data).to_bytes(columns, "little") == masked
                assert ctx.get(unit.last) == used - 1
            elif len(words) <= array.beat_words:
                where = ctx.get(unit.o.count), ctx.get(unit.o.side), ctx.get(unit.o.address)
                assert where == (len(words), op.side, 77)
                got = ctx.get(unit.o.data).to_bytes(array.banks * word, "little")
                assert got[:len(words) * word] == b"".join(words)

    simulate(unit, bench)

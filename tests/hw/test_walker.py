"""hw.walker: order of the rows, their words and banks, and what each waits for."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.walker import Walker
from lutra_model.operation import Kind, Operation
from lutra_model.params import Array
from tests.hw.windows import tell

Simulate = Callable[..., None]
ARRAY = Array(rows=4, columns=2, encoders=2, block_rows=6, index_words=18)


def walk(op: Operation) -> list[tuple[int, int, int, int, int, int, int]]:
    """Rows as they are issued: index word, row, first and last row tile, last row of a column tile; of the table tile;
    of the block."""
    return [(block % 2 * ARRAY.index_words + tile * size + row, row, tile == 0, tile == op.row_tiles - 1,
             tile == op.row_tiles - 1 and row == size - 1, row == size - 1,
             (column, tile, row) == (op.column_tiles - 1, op.row_tiles - 1, size - 1))
            for block, size in enumerate(op.block_sizes) for column in range(op.column_tiles)
            for tile in range(op.row_tiles) for row in range(size)]


@pytest.mark.parametrize("streams", [False, True], ids=["stays", "leaves"])
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_issued_when_all_is_there(simulate: Simulate, seed: int, streams: bool) -> None:
    unit, rng = Walker(ARRAY), random.Random(seed)
    operations = [Operation(kind=Kind.PRODUCT, blocks=rng.randint(1, 3), block=rng.randint(1, 6),
                            last_block=rng.randint(1, 6), row_tiles=rng.randint(1, 3), column_tiles=rng.randint(1, 3),
                            to_stream=streams) for _ in range(3)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        bank = parameters = 0
        for op in operations:
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            tell(ctx, unit.settings, op)
            fresh, words = 0, op.rows * op.row_tiles  # words to come
            for number, (word, row, first, last, release, ends, frees) in enumerate(walk(op)):
                while True:
                    block = next(b for b in range(op.blocks)
                                 if number < sum(op.block_sizes[:b + 1]) * op.row_tiles * op.column_tiles)
                    begin = sum(op.block_sizes[:block]) * op.row_tiles * op.column_tiles
                    unread = number - begin < op.block_sizes[block] * op.row_tiles  # first column tile
                    indexed = words > 0 and rng.random() < 0.4
                    words -= indexed
                    loaded, room = rng.random() < 0.7, rng.random() < 0.7
                    for port, value in [(unit.indexed, indexed), (unit.loaded, loaded), (unit.room, room)]:
                        ctx.set(port, value)
                    issues = loaded and (fresh > 0 or not unread) and (room or not (last and streams))
                    assert ctx.get(unit.o.valid) == issues
                    assert ctx.get(unit.reserve) == (issues and last and streams)
                    assert ctx.get(unit.free_table) == (issues and ends)
                    assert ctx.get(unit.free_half) == (issues and frees)
                    seen = tuple(ctx.get(getattr(unit.o, name)) for name in
                                 ("word", "row", "first", "last", "release", "bank", "parameters"))
                    await ctx.tick()
                    fresh += indexed - (issues and unread)
                    if issues:
                        break
                assert seen == (word, row, first, last, release, bank, parameters)
                bank ^= ends
                parameters ^= release
            ctx.set(unit.indexed, 0)
            ctx.set(unit.loaded, 1)
            ctx.set(unit.room, 1)
            for _ in range(5):
                assert not ctx.get(unit.o.valid)
                await ctx.tick()
            ctx.set(unit.loaded, 0)

    simulate(unit, bench)

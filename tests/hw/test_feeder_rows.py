"""hw.feeder in a ROW: order, rests between passes, and what the last pass waits for."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.feeder import Feeder
from lutra_model.operation import Kind, Operation
from lutra_model.params import Array
from lutra_model.schedule import Pipeline
from tests.hw.windows import put

Simulate = Callable[..., None]
ARRAY = Array.mac(rows=2, columns=2, block_rows=8, functions=3)


def words(op: Operation) -> list[tuple[int, int, int, bool]]:
    """``(row, word, pass, last row)`` as they are fed."""
    return [(row, word, number, row == size - 1) for size in op.block_sizes for number in range(op.parts_y)
            for word in range(op.parts_x) for row in range(size)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize(("sizes", "count"), [((1, 1), 1), ((3, 2), 4), ((1, 1), 5), ((8, 8), 2)])
def test_words_in_their_order(simulate: Simulate, sizes: tuple[int, int], count: int, softmax: bool,
                              stream: bool) -> None:
    op = Operation(kind=Kind.ROW, maximum=softmax, blocks=3, block=sizes[0], last_block=sizes[1], parts_x=count,
                   parts_y=3 if softmax else 2, column_tiles=count, to_stream=stream, function=1, second=2)
    feeder, rng = Feeder(ARRAY), random.Random(count)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        put(ctx, feeder.next, op, ARRAY)
        ctx.set(feeder.start, 1)
        await ctx.tick()
        ctx.set(feeder.start, 0)
        put(ctx, feeder.settings, op, ARRAY)
        rests = 0
        for row, word, number, end in words(op):
            last = number == op.parts_y - 1
            while True:
                room, there = rng.random() < 0.7, rng.random() < 0.7
                ctx.set(feeder.room, room)
                ctx.set(feeder.parameters, there)
                may = rests == 0 and (not last or ((room or not stream) and (there or softmax)))
                assert ctx.get(feeder.row) == may
                assert ctx.get(feeder.reserve) == (may and last and stream)
                assert ctx.get(feeder.word_ends) == (may and last and end and not softmax)
                assert not ctx.get(feeder.product) | ctx.get(feeder.pool) | ctx.get(feeder.fault)
                if may:
                    flags = feeder.word
                    assert [ctx.get(flags[name]) for name in ("row", "first", "last", "number", "emit")] == [
                        row, word == 0, word == count - 1, number, last]
                await ctx.tick()
                rests = max(rests - 1, 0)
                if may:
                    break
            if end and word == count - 1 and not last:
                rests = Pipeline(ARRAY).gap
        assert not ctx.get(feeder.row)

    simulate(feeder, bench)

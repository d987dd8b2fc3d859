"""hw.row_unit against softmax and norm written out."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.row_unit import ROW_GAP, ROW_STAGES, ROW_WIDTH, RowUnit
from lutra_model.params import Array
from tests.hw.rows import CONSTANT, Function, exponential, norm, random_function, reciprocal, root, softmax
from tests.hw.words import packed

Simulate = Callable[..., None]
Row = list[int]
EXTREMES = {"lowest": [-128], "highest": [127], "both": [-128, 127], "one": [-128, -128, -128, 127], "zero": [0]}


class Rows:
    """Rows of one operation: what they must become, and the unit that makes it."""

    def __init__(self, word: int, block: int, epsilon: int | None, functions: tuple[Function, Function]):
        self.array = Array(rows=word, columns=word, encoders=word, length=1, word=word, block_rows=block)
        self.unit, self.epsilon, self.functions = RowUnit(self.array), epsilon, functions

    def expected(self, row: Row) -> list[int]:
        if self.epsilon is None:
            return softmax(row, *self.functions)
        return norm(row, self.epsilon, self.functions[1])

    def words(self, blocks: list[list[Row]]) -> list[tuple[dict[str, int], list[int]] | None]:
        """Flags and bytes in the order of the feeder, with its gaps; bytes beyond the last channel are anything."""
        found: list[tuple[dict[str, int], list[int]] | None] = []
        passes, size = 3 if self.epsilon is None else 2, self.array.word
        for block in blocks:
            count = -(-len(block[0]) // size)
            for number in range(passes):
                for word in range(count):
                    for row, values in enumerate(block):
                        flags = {"row": row, "first": word == 0, "last": word == count - 1, "number": number,
                                 "emit": number == passes - 1}
                        data = values[word * size:(word + 1) * size]
                        found.append((flags, data + [random.randrange(-128, 128)] * (size - len(data))))
                found += [None] * ROW_GAP if number < passes - 1 else []
        return found

    async def bench(self, ctx: Any, blocks: list[list[Row]], stops: random.Random | None) -> list[list[int]]:
        """Values as they come out; with ``stops`` the last pass stands still now and then."""
        unit, channels, size = self.unit, len(blocks[0][0]), self.array.word
        for name, value in [("softmax", self.epsilon is None), ("channels", channels), ("epsilon", self.epsilon or 0),
                            ("last_byte", (channels - 1) % size)]:
            ctx.set(getattr(unit, name), value)
        for name, function in zip(("elementwise", "scalar"), self.functions, strict=True):
            ctx.set(getattr(unit, name).as_value(), packed(function.words, 32))
        found, due = [], [False] * ROW_STAGES
        for beat in [*self.words(blocks), *[None] * ROW_STAGES]:
            while stops and beat and beat[0]["emit"] and stops.random() < 0.3:
                due = await self._step(ctx, None, due, found)
            due = await self._step(ctx, beat, due, found)
        return found

    async def _step(self, ctx: Any, beat: tuple[dict[str, int], list[int]] | None, due: list[bool],
                    found: list[list[int]]) -> list[bool]:
        unit = self.unit
        ctx.set(unit.valid, beat is not None)
        for name, value in (beat[0] if beat else {}).items():
            ctx.set(getattr(unit.flags, name), int(value))
        ctx.set(unit.i, packed(beat[1]) if beat else 0)
        assert ctx.get(unit.emit) == due[-1]
        if due[-1]:
            value = ctx.get(unit.o)
            words = [value >> ROW_WIDTH * byte & (1 << ROW_WIDTH) - 1 for byte in range(self.array.word)]
            found.append([word - (word >> ROW_WIDTH - 1 << ROW_WIDTH) for word in words])
        await ctx.tick()
        return [bool(beat and beat[0]["emit"]), *due[:-1]]

    def check(self, simulate: Simulate, blocks: list[list[Row]], stops: random.Random | None = None) -> None:
        found: list[list[int]] = []

        async def bench(ctx: SimulatorContext, reset: Signal) -> None:
            found.extend(await self.bench(ctx, blocks, stops))

        simulate(self.unit, bench)
        size = self.array.word
        for block in blocks:
            expected = [self.expected(row) for row in block]
            for word in range(0, len(block[0]), size):
                for row in expected:
                    assert found.pop(0)[:len(row[word:word + size])] == row[word:word + size]
        assert not found


def drawn(rng: random.Random, channels: int, blocks: tuple[int, ...]) -> list[list[Row]]:
    """Blocks of so many rows, each row of another spread."""
    def row() -> Row:
        low, high = sorted(rng.randrange(-128, 128) for _ in range(2))
        return [rng.randint(low, high) for _ in range(channels)]
    return [[row() for _ in range(rows)] for rows in blocks]


SIZES = [(1, 1, (1, 1)), (1, 5, (3, 3, 2)), (2, 7, (1, 1, 1)), (2, 8, (4, 1)), (4, 3, (2,)), (4, 30, (5, 5, 3)),
         (4, 64, (2, 2))]


@pytest.mark.parametrize(("word", "channels", "blocks"), SIZES)
@pytest.mark.parametrize("kind", ["softmax", "norm"])
def test_rows_of_many_sizes(simulate: Simulate, kind: str, word: int, channels: int, blocks: tuple[int, ...]) -> None:
    rng = random.Random(channels)
    epsilon = None if kind == "softmax" else rng.choice([1, 100, 2**32 - 1])
    functions = (exponential(rng.choice([0.02, 0.1, 1.0])), reciprocal() if kind == "softmax" else root())
    Rows(word, max(blocks), epsilon, functions).check(simulate, drawn(rng, channels, blocks), rng)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["softmax", "norm"])
def test_any_function(simulate: Simulate, kind: str, seed: int) -> None:
    """Also those that no converter would make: results clamp, sums may be 0."""
    rng = random.Random(seed)
    functions = random_function(rng, 256), random_function(rng, 2**15)
    Rows(2, 3, None if kind == "softmax" else seed, functions).check(simulate, drawn(rng, 9, (3, 2)), rng)


@pytest.mark.parametrize("pattern", EXTREMES)
@pytest.mark.parametrize("channels", [1, 4, 31, 2048])
@pytest.mark.parametrize("kind", ["softmax", "norm"])
def test_extremes(simulate: Simulate, kind: str, channels: int, pattern: str) -> None:
    """Constant rows, and the largest sums, squares and spreads there are."""
    row = (EXTREMES[pattern] * channels)[:channels]
    if kind == "softmax":
        for functions in ((exponential(0.05), reciprocal()), (Function([(0, 0, 2**15 - 1)], 0), CONSTANT)):
            Rows(4, 1, None, functions).check(simulate, [[row]])
    else:
        for epsilon, function in ((1, root()), (2**32 - 1, Function([(0, 0, 2**15 - 1)], 0))):
            Rows(4, 1, epsilon, (CONSTANT, function)).check(simulate, [[row]])


def test_shares_and_normal_values_are_near_the_real_ones() -> None:
    """The naive references themselves, against real arithmetic."""
    rng = random.Random(1)
    row = np.array([rng.randrange(-128, 128) for _ in range(100)])
    powers = np.exp(0.03 * (row - row.max()))
    shares = np.array(softmax(row.tolist(), exponential(0.03), reciprocal())) / 2**15
    assert np.abs(shares - powers / powers.sum()).max() < 0.002
    normal = np.array(norm(row.tolist(), 1, root())) / 2**12
    assert np.abs(normal - (row - row.mean()) / row.std()).max() < 0.005

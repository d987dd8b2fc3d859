"""hw.level_encoder and hw.level_arrays against look-ups written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.engines import engine_of, symbol_width, tree_width
from lutra_hw.level_encoder import LevelEncoder
from lutra_model.params import Array
from lutra_model.schedule import Pipeline
from tests.hw.words import packed, unpacked

Simulate = Callable[..., None]


@pytest.mark.parametrize(("levels", "zero"), [(2, 0), (2, 1), (33, 0), (33, 16), (17, 3), (64, 0), (64, 63), (63, 31)])
def test_codes_of_every_activation(simulate: Simulate, levels: int, zero: int) -> None:
    array = Array(engine="dln-row", length=1, entries=max(2, 1 << (levels - 2).bit_length()), weight_levels=2)
    unit = LevelEncoder(array)

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.zero, zero)
        ctx.set(unit.last, levels - 1)
        ctx.set(unit.vector, 1)
        found = []
        for value in [*range(-128, 128), 0, 0]:
            ctx.set(unit.data, value & 255)
            found.append(ctx.get(unit.o))
            await ctx.tick()
        assert found[2:] == [(min(max(value + zero, 0), levels - 1) - zero) % levels for value in range(-128, 128)]
        assert len(set(found[2:])) == levels

    simulate(unit, bench)


class Cells:
    """Cells, and what they hold: for each bank, row and column a weight's code; the table, by codes."""

    def __init__(self, form: str, rows: int, columns: int, fill: int, sizes: tuple[int, int], seed: int) -> None:
        self.rng = random.Random(seed)
        self.levels, self.weights = sizes
        entries, weight_levels = (max(2, 1 << (size - 2).bit_length()) for size in sizes)
        self.array = Array(engine=form, rows=rows, columns=columns, encoders=1, length=1, fill=fill, entries=entries,
                           weight_levels=weight_levels)
        self.unit = engine_of(self.array).cells(self.array)
        self.table = [[0] * self.weights] + [[0] + [self.rng.randint(-128, 127) for _ in range(self.weights - 1)]
                                             for _ in range(self.levels - 1)]
        self.codes = [[[self.rng.randrange(self.weights) for _ in range(columns)] for _ in range(rows)]
                      for _ in range(2)]

    def level(self, code: int) -> int:
        """A word of level memory."""
        places = [0] * self.array.weight_levels
        for weight in range(1, self.weights):
            places[weight % len(places)] = self.table[code][weight]
        return packed(places, 8)

    async def load(self, ctx: SimulatorContext) -> None:
        load, array = self.unit.load, self.array
        expanded = array.engine == "dln-row"
        if not expanded:
            for code in range(1, self.levels):
                for port, value in [(load.preload, 1), (load.entry, code - 1), (load.level, self.level(code))]:
                    ctx.set(port, value)
                await ctx.tick()
            ctx.set(load.preload, 0)
        ctx.set(load.valid, 1)
        for bank, rows in enumerate(self.codes):
            for group in range(array.rows // array.fill):
                beat = [code for row in rows[group * array.fill:(group + 1) * array.fill] for code in row]
                for code in range(1, self.levels if expanded else 2):
                    for port, value in [(load.bank, bank), (load.group, group), (load.entry, code - 1),
                                        (load.data, packed(beat, array.cell_bits)), (load.level, self.level(code))]:
                        ctx.set(port, value)
                    await ctx.tick()
        ctx.set(load.valid, 0)

    def issue(self, ctx: SimulatorContext) -> list[int]:
        """Any row; its sums."""
        array, rng = self.array, self.rng
        bank, used = rng.randrange(2), rng.getrandbits(array.rows)
        codes = [rng.randrange(self.levels) for _ in range(array.rows)]
        for port, value in [(self.unit.valid, 1), (self.unit.bank, bank), (self.unit.used, used),
                            (self.unit.symbols, packed(codes, symbol_width(array)))]:
            ctx.set(port, value)
        return [sum(self.table[code][self.codes[bank][row][n]] for row, code in enumerate(codes) if used >> row & 1)
                for n in range(array.columns)]


@pytest.mark.parametrize("form", ["dln-row", "dln-column"])
@pytest.mark.parametrize(("rows", "columns", "fill", "sizes"), [
    (1, 1, 1, (2, 2)), (4, 3, 4, (33, 33)), (4, 2, 2, (9, 5)), (3, 2, 1, (64, 64)), (5, 1, 5, (17, 64))])
def test_cells_sum_the_entries_of_levels(simulate: Simulate, form: str, rows: int, columns: int, fill: int,
                                         sizes: tuple[int, int]) -> None:
    cells = Cells(form, rows, columns, fill, sizes, rows)
    array, latency = cells.array, 1 + Pipeline(cells.array).tree

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        await cells.load(ctx)
        expected, found = [], []
        for _ in range(80):
            expected.append(cells.issue(ctx))
            found.append(unpacked(ctx.get(cells.unit.o), columns, tree_width(array)))
            await ctx.tick()
        assert found[latency:] == expected[:-latency]

    simulate(cells.unit, bench)

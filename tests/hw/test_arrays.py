"""hw.adder_tree, hw.dot_products, hw.lookup_array and hw.mac_array against sums written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.adder_tree import AdderTree
from lutra_hw.dot_products import DotProducts
from lutra_hw.lookup_array import LookupArray, tree_width
from lutra_hw.mac_array import MacArray
from lutra_hw.table_row import BlockRow, TableRow
from lutra_model.params import Array
from lutra_model.schedule import Pipeline
from tests.hw.words import packed, unpacked

Simulate = Callable[..., None]


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5, 8, 13, 16, 17])
def test_adder_tree_sums(simulate: Simulate, inputs: int) -> None:
    tree, rng = AdderTree(inputs=inputs, width=8), random.Random(inputs)
    stages = Pipeline(Array(rows=inputs, columns=1, encoders=1)).tree
    work = [[-128] * inputs, [127] * inputs] + [[rng.randint(-128, 127) for _ in range(inputs)] for _ in range(30)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(tree.enable, 2**max(1, stages) - 1)
        results = []
        for values in [*work, *work[:stages]]:
            ctx.set(tree.i, values)
            results.append(ctx.get(tree.o))
            await ctx.tick()
        assert results[stages:] == [sum(values) for values in work]

    simulate(tree, bench)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 1), (3, 2), (4, 4), (7, 2), (16, 2)])
def test_dot_products_are_exact(simulate: Simulate, rows: int, columns: int) -> None:
    unit, rng = DotProducts(rows=rows, columns=columns), random.Random(rows)
    edges = [([a] * rows, [[w] * columns] * rows) for a in (-128, 127, 0, -1) for w in (-128, 127, 0, 1)]
    work = edges + [([rng.randint(-128, 127) for _ in range(rows)],
                     [[rng.randint(-128, 127) for _ in range(columns)] for _ in range(rows)]) for _ in range(30)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(unit.enable, 3)
        results = []
        for a, w in [*work, *work[:2]]:
            ctx.set(unit.a, [x & 255 for x in a])
            ctx.set(unit.w, [packed(row, 8) for row in w])
            results.append(ctx.get(unit.o))
            await ctx.tick()
        for (a, w), result in zip(work, results[2:], strict=True):
            sums = [sum(x * row[n] for x, row in zip(a, w, strict=True)) for n in range(columns)]
            assert unpacked(result, columns, unit.width) == sums

    simulate(unit, bench)


@pytest.mark.parametrize("row", [TableRow, BlockRow])
@pytest.mark.parametrize(("rows", "columns", "entries", "fill"), [
    (1, 1, 2, 1), (3, 2, 4, 3), (6, 3, 8, 2), (4, 1, 2, 1)])
def test_lookup_array_sums_the_used_rows(simulate: Simulate, rows: int, columns: int, entries: int, fill: int,
                                         row: type[TableRow]) -> None:
    array, rng = Array(rows=rows, columns=columns, encoders=1, entries=entries, fill=fill), random.Random(rows)
    cells, bits = LookupArray(array, row), entries.bit_length() - 1
    banks = [[[[rng.randint(-128, 127) for _ in range(columns)] for _ in range(entries)] for _ in range(rows)]
             for _ in range(2)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(cells.load.valid, 1)
        for bank, tables in enumerate(banks):
            for group in range(rows // fill):
                for entry in range(entries):
                    beat = [value for row in range(group * fill, (group + 1) * fill) for value in tables[row][entry]]
                    ctx.set(cells.load.bank, bank)
                    ctx.set(cells.load.group, group)
                    ctx.set(cells.load.entry, entry)
                    ctx.set(cells.load.data, packed(beat, 8))
                    await ctx.tick()
        ctx.set(cells.load.valid, 0)
        expected, results, latency = [], [], 1 + Pipeline(array).tree
        for _ in range(60):
            bank, used = rng.randrange(2), rng.getrandbits(rows)
            indices = [rng.randrange(entries) for _ in range(rows)]
            for port, value in [(cells.valid, 1), (cells.bank, bank), (cells.used, used),
                                (cells.symbols, packed(indices, bits))]:
                ctx.set(port, value)
            expected.append([sum(banks[bank][row][index][n] for row, index in enumerate(indices) if used >> row & 1)
                             for n in range(columns)])
            results.append(unpacked(ctx.get(cells.o), columns, tree_width(array)))
            await ctx.tick()
        assert results[latency:] == expected[:-latency]

    simulate(cells, bench)


@pytest.mark.parametrize("fill", [1, 2, 4])
def test_mac_array_turns_to_the_loaded_weights(simulate: Simulate, fill: int) -> None:
    array, rng, rows = Array.mac(rows=4, columns=2, fill=fill), random.Random(fill), 4
    cells, latency = MacArray(array), 1 + Pipeline(array).tree

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        weights = [[0, 0]] * rows
        expected, results = [], []
        for _ in range(20):
            loaded = [[rng.randint(-128, 127) for _ in range(2)] for _ in range(rows)]
            for cycle in range(9):  # the beats, then the turn: rows issued before it use the old weights
                group = min(cycle, rows // fill - 1)
                ctx.set(cells.load.valid, cycle < rows // fill)
                ctx.set(cells.load.group, group)
                ctx.set(cells.load.data, packed([w for row in loaded[group * fill:(group + 1) * fill] for w in row], 8))
                ctx.set(cells.turn, cycle == 5)
                activations, used = [rng.randint(-128, 127) for _ in range(rows)], rng.getrandbits(rows)
                if cycle == 7:  # one cycle after the issue that follows the turn
                    weights = loaded
                ctx.set(cells.valid, 1)
                ctx.set(cells.used, used)
                ctx.set(cells.symbols, packed(activations, 8))
                expected.append([sum(a * w[n] for row, (a, w) in enumerate(zip(activations, weights, strict=True))
                                     if used >> row & 1) for n in range(2)])
                results.append(unpacked(ctx.get(cells.o), 2, tree_width(array)))
                await ctx.tick()
        assert results[9 + latency:] == expected[9:-latency]

    simulate(cells, bench)

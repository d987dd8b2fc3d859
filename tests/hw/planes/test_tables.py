"""hw.table_builder and hw.carry_tree: widths, tables of signed sums, and their values inverted."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.accumulator import accumulator_width
from lutra_hw.carry_tree import CarryTree
from lutra_hw.engines import lane_width, tree_width
from lutra_hw.table_builder import TableBuilder
from lutra_model.params import Array
from lutra_model.structure import Structure
from tests.hw.planes.arrays import array
from tests.hw.words import packed

Simulate = Callable[..., None]


@pytest.mark.parametrize("one", [array(), array(length=2), array(rows=8, length=1), array(entries=8),
                                 array(quantised=True), array(rows=2, entries=1)],
                         ids=["4", "2", "1", "8 planes", "8-bit", "1 plane"])
def test_model_and_hardware_find_the_same_widths(one: Array) -> None:
    structure = Structure(one)
    assert tree_width(one) == structure.tree_bits + one.entries - 1
    assert accumulator_width(one) == max(structure.accumulator_bits, 8 + (one.lanes - 1).bit_length())
    assert lane_width(one, one.codebooks) == one.cell.lane_bits(one)


def entries(a: list[int], quantised: bool) -> list[int]:
    found = [sum(v if index >> n & 1 else -v for n, v in enumerate(a)) for index in range(1 << len(a) - 1)]
    size = sum(map(abs, a))
    places = next((t for t in range(3) if (size + (1 << t >> 1)) >> t <= 127), 3) if quantised else 0
    return [(value + (1 << places >> 1)) >> places for value in found] + [places]


@pytest.mark.parametrize(("length", "quantised"), [(1, False), (2, False), (4, False), (4, True)])
def test_tables_hold_all_signed_sums(simulate: Simulate, length: int, quantised: bool) -> None:
    unit, rng = TableBuilder(array(rows=8, length=length, quantised=quantised)), random.Random(length)
    work = [[-128] * length, [127] * length, [0] * length] + [
        [rng.choice([-128, 127, 0, rng.randint(-128, 127), rng.randint(-40, 40)]) for _ in range(length)]
        for _ in range(200)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for a in work:
            ctx.set(unit.i, packed(a, 8))
            await ctx.delay(1e-8)
            expected = entries(a, quantised)
            assert [ctx.get(unit.o[n]) for n in range(len(unit.o))] + [ctx.get(unit.shift)] == expected
            assert ctx.get(unit.total) == -sum(a)

    simulate(unit, bench)


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5, 8, 13, 16, 17])
def test_carries_make_inverted_values_negative(simulate: Simulate, inputs: int) -> None:
    tree, rng = CarryTree(inputs=inputs, width=11), random.Random(inputs)
    stages = -(-(inputs - 1).bit_length() // 2)
    work = [([-512] * inputs, 2**inputs - 1), ([512] * inputs, 0)] + [
        ([rng.randint(-512, 512) for _ in range(inputs)], rng.getrandbits(inputs)) for _ in range(30)]

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(tree.enable, 2**max(1, stages) - 1)
        results = []
        for values, negative in [*work, *work[:stages]]:
            ctx.set(tree.i, [~v if negative >> n & 1 else v for n, v in enumerate(values)])
            ctx.set(tree.ones, negative)
            if not stages:
                await ctx.delay(1e-9)
            results.append(ctx.get(tree.o) + ctx.get(tree.one))
            await ctx.tick()
        assert results[stages:] == [sum(-v if negative >> n & 1 else v for n, v in enumerate(values))
                                    for values, negative in work]

    simulate(tree, bench)

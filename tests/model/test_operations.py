"""model.events.operations of every engine against what its encoders, cells and adders do, one layer at a time."""

from dataclasses import replace
from math import log2

import pytest

from lutra_model.counting import count
from lutra_model.params import Array, Layer, Metric
from lutra_model.tiling import product

SHAPES = [(1, 1, 1), (5, 3, 7), (17, 6, 4), (9, 11, 13)]  # activation rows, codebooks, columns
SMALL = {"rows": 4, "columns": 3, "encoders": 2, "codebooks": 64, "block_rows": 16, "index_words": 64}


def done(array: Array, layer: Layer) -> int:
    """What the layer's own operation does."""
    operation = product(layer, layer.reduction, array)
    return count(operation, array, layer).operations


def walk(layer: Layer, *, encode: int = 0, table: int = 0, row: int = 0, step: int = 1, output: int = 0) -> int:
    """Sum of the layer's terms on 4 x 3 cells, one at a time, with what stands before, in and behind them.

    encode : of each sub-vector. table : of each in every column tile. row : of each array row in every tile. step :
    terms of each codebook and output. output : of each output, beside its bias, product and rounding.
    """
    found = 0
    for _ in range(layer.rows):
        found += layer.codebooks * encode
        for first in range(0, layer.columns, 3):
            found += layer.codebooks * table
            found += sum(4 * row for _ in range(0, layer.codebooks, 4))
            for _ in range(first, min(first + 3, layer.columns)):
                terms = layer.codebooks * step
                found += terms + (terms - 1) + output + 3
    return found


@pytest.mark.parametrize("bits", [1, 2, 4, 7, 8])
@pytest.mark.parametrize(("rows", "reduction", "columns"), SHAPES)
def test_products_of_any_width_count_alike(rows: int, reduction: int, columns: int, bits: int) -> None:
    layer = Layer.dense(rows=rows, reduction=reduction, columns=columns)
    array = Array.mac(rows=4 if bits in (2, 4, 8) else 8, columns=3, weight_bits=bits)
    assert done(array, layer) == walk(layer) == rows * columns * (2 * reduction + 2)


@pytest.mark.parametrize(("rows", "reduction", "columns"), SHAPES)
def test_signs_are_chosen_of_a_negative_for_each_row(rows: int, reduction: int, columns: int) -> None:
    layer = Layer(rows=rows, codebooks=reduction, columns=columns, length=1, entries=1, engine="sign-flip")
    assert done(Array(engine="sign-flip", length=1, entries=1, **SMALL), layer) == walk(layer, row=1)


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize(("rows", "codebooks", "columns"), SHAPES)
def test_encoders_measure_or_compare(rows: int, codebooks: int, columns: int, metric: Metric) -> None:
    layer = Layer(rows=rows, codebooks=codebooks, columns=columns, length=5, entries=8)
    array = Array(length=5, entries=8, metric=metric, **SMALL)
    distances = 8 * (5 + 5 + 4) + 7  # differences, squares, sums of each centroid; comparisons
    assert done(array, layer) == walk(layer, encode=int(log2(8)) if metric is Metric.TREE else distances)


@pytest.mark.parametrize(("length", "quantised", "adders"), [(1, False, 1), (2, False, 2), (4, False, 4 + 8),
                                                             (4, True, 4 + 8 + 4 + 3 + 8 + 1)])
@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize(("rows", "codebooks", "columns"), SHAPES)
def test_planes_choose_among_sums_that_are_made(rows: int, codebooks: int, columns: int, planes: int, length: int,
                                                quantised: bool, adders: int) -> None:
    layer = Layer(rows=rows, codebooks=codebooks, columns=columns, length=length, entries=planes, engine="lut-tc",
                  runs=True, blank=False)
    array = Array(engine="lut-tc", length=length, entries=3, word=1, quantised=quantised,
                  **(SMALL | {"rows": 8 // length if length < 4 else 4}))
    tiles = -(-columns // 3)
    lane = rows * tiles * (codebooks - 1)  # the activations are summed once for all planes
    assert done(array, layer) == walk(layer, table=adders, step=planes, output=2) + lane


@pytest.mark.parametrize(("group", "entries"), [(3, 13), (4, 40), (5, 121)])
@pytest.mark.parametrize(("rows", "codebooks", "columns"), SHAPES)
def test_tokens_have_tables_of_single_additions(rows: int, codebooks: int, columns: int, group: int,
                                                entries: int) -> None:
    layer = Layer(rows=rows, codebooks=codebooks, columns=columns, length=group, entries=1, engine="vec-lut", runs=True)
    array = Array(engine="vec-lut", length=group, entries=1, word=1, **SMALL)
    operation = product(layer, layer.reduction, array)
    tables = rows * -(-codebooks // 4) * 4 * -(-operation.column_tiles // operation.sweep)
    assert done(array, layer) == walk(layer) + tables * entries


@pytest.mark.parametrize("engine", ["dln-row", "dln-column"])
@pytest.mark.parametrize(("rows", "reduction", "columns"), SHAPES)
def test_levels_are_clamped_and_moved(rows: int, reduction: int, columns: int, engine: str) -> None:
    layer = Layer(rows=rows, codebooks=reduction, columns=columns, length=1, entries=16, engine=engine)
    array = Array(engine=engine, length=1, entries=16, weight_levels=16, **SMALL)
    assert done(array, layer) == walk(layer, encode=3)


def test_an_addition_behind_the_finisher_by_hand() -> None:
    layer, array = Layer.dense(rows=2, reduction=3, columns=5), Array.mac(rows=4, columns=3)
    plain = product(layer, 3, array)
    added = replace(plain, residual=True)
    assert count(plain, array, layer).operations == 2 * 5 * (3 + 2 + 3)
    assert count(added, array, layer).operations == 2 * 5 * (3 + 2 + 3 + 4)

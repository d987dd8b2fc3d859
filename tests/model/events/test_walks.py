"""model.counting against naive loops over operations, and LUT-NN's formulas."""

import numpy as np
import pytest

from lutra_model.counting import count
from lutra_model.network import Window
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer
from lutra_model.tiling import pool, product
from tests.model.events.sizes import SMALL, SMALL_MAC

SHAPES = [(1, 1, 1), (5, 3, 7), (17, 5, 4), (40, 11, 13), (64, 16, 16)]


def walk(operation: Operation, layer: Layer, array: Array) -> dict[str, int]:
    """Every cell of every issue, one at a time, as docs/hardware.md orders them."""
    seen = dict.fromkeys(("reads", "idle", "tree", "accumulator", "issues", "encodes", "finishes"), 0)
    for rows in operation.block_sizes:
        for column in range(0, layer.columns, array.columns):
            for row in range(0, layer.codebooks, array.rows):
                used = min(array.rows, layer.codebooks - row)
                for _ in range(rows):
                    seen["issues"] += 1
                    seen["encodes"] += used if column == 0 else 0
                    for n in range(column, column + array.columns):
                        cells = used if n < layer.columns else 0
                        seen["reads"] += cells
                        seen["idle"] += array.rows - cells
                        seen["tree"] += max(cells - 1, 0)
                        seen["accumulator"] += cells > 0 and row > 0
                        seen["finishes"] += cells > 0 and row + array.rows >= layer.codebooks
    return seen


@pytest.mark.parametrize(("rows", "codebooks", "columns"), SHAPES)
@pytest.mark.parametrize("lookup", [True, False], ids=["lookup", "mac"])
def test_counts_equal_a_walk_over_all_cells(rows: int, codebooks: int, columns: int, lookup: bool) -> None:
    if lookup:
        layer, array = Layer(rows=rows, codebooks=codebooks, columns=columns, length=5, entries=4), SMALL
    else:
        layer, array = Layer.dense(rows=rows, reduction=codebooks, columns=columns), SMALL_MAC
    operation = product(layer, layer.reduction, array)
    events, seen = count(operation, array, layer), walk(operation, layer, array)
    assert (events.table_reads, events.multiplies) == ((seen["reads"], 0) if lookup else (0, seen["reads"]))
    assert events.idle_cells == seen["idle"]
    assert (events.tree_adds, events.accumulator_adds) == (seen["tree"], seen["accumulator"])
    assert (events.issues, events.encodes, events.finishes) == (seen["issues"], seen["encodes"], seen["finishes"])
    assert events.tree_adds + events.accumulator_adds == rows * columns * (codebooks - 1)


def gathered(operation: Operation) -> int:
    """Words of enabled lanes inside the image, one at a time."""
    words = 0
    for pixel in range(operation.rows):
        y, x = divmod(pixel, operation.out_width)
        for group in range(operation.groups):
            for part_y in range(operation.parts_y):
                for part_x in range(operation.parts_x):
                    for lane in operation.lanes:
                        on = lane.enabled_last if group == operation.groups - 1 else lane.enabled
                        py = y * operation.stride_y - operation.top + part_y * operation.part_y_dy + lane.dy
                        px = x * operation.stride_x - operation.left + part_x * operation.part_x_dx + lane.dx
                        words += on and 0 <= py < operation.height and 0 <= px < operation.width
    return words


@pytest.mark.parametrize("seed", range(12))
def test_gathered_words_equal_a_walk_over_all_windows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, channels, stride = int(rng.integers(3, 9)), int(rng.integers(1, 14)), int(rng.integers(1, 3))
    window = Window(kernel=(3, 3), stride=(stride, stride), padding=tuple(rng.integers(0, 3, 4).tolist()))
    rows = int(np.prod(window.output(side, side)))
    array = Array(rows=8, columns=4, encoders=int(rng.choice([1, 2, 4, 8])), length=9, entries=4)
    layer = Layer(rows=rows, codebooks=channels, columns=5, entries=4)
    for operation in [product(layer, channels, array, height=side, width=side, window=window),
                      pool("pool", channels, array, height=side, width=side, window=window)]:
        assert operation.words_inside == gathered(operation) > 0


@pytest.mark.parametrize("seed", range(4))
def test_lut_nn_formulas(seed: int) -> None:
    """LUT-NN's own counts: N*D*K encoding steps, N*M*D/V look-ups, a table of K*M*D/V bytes."""
    rng = np.random.default_rng(seed)
    n, m, k = int(rng.integers(1, 60)), int(rng.integers(1, 16)), 4
    v, codebooks = int(rng.integers(2, 6)), int(rng.integers(1, 17))
    d = v * codebooks
    layer = Layer(rows=n, codebooks=codebooks, columns=m, length=v, entries=k)
    events = count(product(layer, d, SMALL), SMALL, layer)
    assert events.distance_steps == n * d * k
    assert events.table_reads == n * m * d // v
    assert events.dram.tables == 8 * k * m * d // v
    assert events.compares == n * codebooks * (k - 1)

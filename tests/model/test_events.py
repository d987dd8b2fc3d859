"""model.counting against naive loops over operations."""

from dataclasses import replace

import numpy as np
import pytest

from lutra_model.counting import count
from lutra_model.engines.lookup import distance_bits
from lutra_model.network import Window
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer, Metric
from lutra_model.structure import Number, Structure, reduction_bits
from lutra_model.tiling import load, pool, product

SHAPES = [(1, 1, 1), (5, 3, 7), (17, 5, 4), (40, 11, 13), (64, 16, 16)]
SMALL = Array(rows=4, columns=3, encoders=2, length=5, entries=4, word=1, codebooks=64, block_rows=16, index_words=64)
SMALL_MAC = Array.mac(rows=4, columns=3, codebooks=64, block_rows=16, index_words=64)


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


LAYER = Layer(rows=2, codebooks=5, columns=4, length=3, entries=4)


def test_a_layer_by_hand() -> None:
    """2 rows, 5 codebooks of 3, 4 columns, 4 entries on a 4 x 3 array with 2 encoders of length 5."""
    events = count(product(LAYER, 15, SMALL), SMALL, LAYER)
    assert events.issues == 2 * 2 * 2
    assert events.index_write_bits == 2 * 2 * 4 * 2       # rows, row tiles, indices, bits
    assert events.index_read_bits == 8 * 4 * 2
    assert events.accumulator_read_bits == 2 * 2 * 1 * 3 * 14   # 8 bits and 64 codebooks make 14
    assert events.codebook_read_bits == 3 * 4 * 2 * 5 * 8  # slots, entries, encoders, lanes, bits: once for all rows
    assert events.codebook_write_bits == events.codebook_read_bits
    assert events.table_read_bits == 2 * (2 * 4 + 2) * 12 * 8  # column tiles; tiles, entries, parameters; bytes
    assert events.table_writes == 2 * 2 * 4 * 12
    assert events.parameter_bits == 2 * 7 * 3 * 8
    assert events.turn_bits == 0
    assert events.encoder_add_bits == 2 * 5 * 4 * (3 * 9 + 17 + 18)  # differences; squares of 16 bits: 3 -> 2 -> 1
    assert events.tree_add_bits == 8 * (9 + 9 + 10)       # 4 terms in the first tile, 1 in the second
    assert events.gather_read_bits == 2 * 15 * 8
    assert events.activation_write_bits == 2 * 4 * 8
    assert (events.residual_adds, events.residual_read_bits) == (0, 0)
    assert events.program_read_bits == (28 + 10) * 32
    assert events.dram.codebooks == 5 * 4 * 3 * 8
    assert events.dram.parameters == 4 * 56
    assert (events.dram.inputs, events.dram.outputs) == (0, 0)


def test_images_pay_once_for_what_stays_on_the_chip() -> None:
    operation = product(LAYER, 15, SMALL, to_stream=True)
    one, many = count(operation, SMALL, LAYER), count(operation, SMALL, LAYER, images=16)
    assert many.issues == 16 * one.issues
    assert one.activation_write_bits == 0
    assert one.output_beats == 2 * 2
    assert many.dram.outputs == 16 * one.dram.outputs == 16 * 2 * 4 * 8
    for memory in ("tables", "parameters", "codebooks", "program"):
        assert getattr(many.dram, memory) == getattr(one.dram, memory) > 0
    for memory in ("table", "codebook", "program"):
        assert getattr(many, f"{memory}_write_bits") == getattr(one, f"{memory}_write_bits") > 0


def test_streamed_tables_come_for_every_image_and_block() -> None:
    layer = Layer(rows=40, codebooks=5, columns=4, length=3, entries=4)
    streamed = product(layer, 15, SMALL, stream_tables=True, block=16)
    assert streamed.blocks == 3
    events = count(streamed, SMALL, layer, images=2)
    assert (events.table_read_bits, events.table_write_bits) == (0, 0)
    assert events.dram.tables == 2 * 3 * 5 * 4 * 4 * 8
    assert events.table_beats == 2 * 3 * 2 * (2 * 4 + 2)


def test_a_load_and_a_pool_by_hand() -> None:
    """8 x 6 pixels of 2 channels, then 2 x 2 maxima, on a machine of 4-byte words and 8 columns."""
    array = Array(columns=8)
    events = count(load("input", 2, array, height=8, width=6), array)
    assert events.dram.inputs == events.activation_beats * 64 == 48 * 2 * 8
    assert events.activation_write_bits == 48 * 4 * 8
    window = Window(kernel=(2, 2), stride=(2, 2))
    events = count(pool("pool", 2, array, height=8, width=6, window=window, to_stream=True), array)
    assert events.gather_read_bits == 48 * 4 * 8
    assert (events.pool_compare_bits, events.pool_add_bits) == (12 * 4 * 3 * 8, 0)
    assert events.output_beats == 12
    assert events.dram.outputs == 12 * 2 * 8
    mean = count(pool("pool", 2, array, height=8, width=6, window=window, maximum=False), array)
    assert (mean.pool_compare_bits, mean.pool_add_bits) == (0, 12 * 4 * (9 + 9 + 10))
    assert mean.activation_write_bits == 12 * 4 * 8


@pytest.mark.parametrize(("operands", "width", "bits"), [(1, 8, 0), (2, 8, 9), (3, 8, 19), (4, 8, 28), (5, 8, 39)])
def test_reduction_bits(operands: int, width: int, bits: int) -> None:
    assert reduction_bits(operands, width) == bits


@pytest.mark.parametrize(("metric", "bits"), [(Metric.L2, 20), (Metric.L1, 12), (Metric.CHEBYSHEV, 8)])
def test_distance_widths_are_those_of_the_arithmetic_rules(metric: Metric, bits: int) -> None:
    assert distance_bits(Array(metric=metric)) == bits


@pytest.mark.parametrize(("number", "bits"), [(Number.FP16, 16), (Number.FP32, 32)])
def test_wider_scalars_widen_memories_and_traffic(number: Number, bits: int) -> None:
    layer, array = Layer.dense(rows=6, reduction=8, columns=3), Array.mac(rows=4, columns=3)
    operation = product(layer, 8, array)
    narrow, wide = count(operation, array, layer), count(operation, array, layer, number=number)
    for name in ("index_read_bits", "gather_read_bits", "table_read_bits", "activation_write_bits"):
        assert getattr(wide, name) * 8 == getattr(narrow, name) * bits > 0
    assert wide.dram.tables * 8 == narrow.dram.tables * bits
    assert wide.multiplies == narrow.multiplies
    assert narrow.turn_bits == operation.blocks * 2 * 12 * 8  # row tiles, cells, bits


def test_a_lookup_array_computes_in_int8() -> None:
    with pytest.raises(ValueError, match=r"^a lookup array must compute in int8, not fp16$"):
        Structure(Array(), Number.FP16)


def test_images_are_at_least_one() -> None:
    with pytest.raises(ValueError, match=r"^images must be at least 1, not 0$"):
        count(product(LAYER, 15, SMALL), SMALL, LAYER, images=0)


@pytest.mark.parametrize(("metric", "lane", "total"), [(Metric.L2, 16, 20), (Metric.L1, 8, 12),
                                                       (Metric.CHEBYSHEV, 8, 8)])
def test_registers_by_hand(metric: Metric, lane: int, total: int) -> None:
    """The stages of the encoder and of a 16 x 16 lookup array, register by register."""
    structure = Structure(Array(metric=metric))
    tree = 8 * (total + 1) + 4 * (total + 2) + 2 * (total + 3) + total + 4
    assert structure.encode_registers == 9 * 8 + 16 * 9 * lane + 16 * total + tree
    assert structure.array.cell.codebook_registers(structure.array) == 2 * 16 * 9 * 8
    assert structure.issue_registers == 16 * (16 * 8 + 4 * 10 + 12)
    assert structure.accumulator_registers == 16 * (17 + 17)


def test_registers_of_a_mac_array_by_hand() -> None:
    """16 activations; for each column two carry-save words, their sum (20 bits), and the accumulator (29)."""
    assert Structure(Array.mac()).issue_registers == 16 * 8 + 16 * 3 * 20
    assert Array.mac().cell.codebook_registers(Array.mac()) == 0


def test_registers_of_the_finisher_by_hand() -> None:
    """Sum and bias, multiplier; two products, shift; their sum, shift; what whole bytes leave (10 bits, 7 more, 2
    flags) and 3 bits of shift; shifted; result; output buffer.
    """
    partial = (17 + 1 + 16) + (33 - 17 + 1 + 16)
    assert Structure(Array()).finish_registers == (33 + 16) + (partial + 6) + (49 + 6) + (10 + 7 + 2 + 3) + 10 + 8 + 8


def test_trees_compare_once_a_level() -> None:
    array = replace(SMALL, metric=Metric.TREE, entries=16)
    layer = Layer(rows=10, codebooks=7, columns=5, length=5, entries=8)
    events = count(product(layer, layer.reduction, array, block=5), array, layer)
    encodes = 10 * 7
    assert (events.encodes, events.compares, events.distance_steps) == (encodes, 3 * encodes, 0)
    assert events.encoder_compare_bits == 3 * 8 * encodes
    assert (events.encoder_add_bits, events.encoder_multiply_bits) == (0, 0)
    assert events.encoder_mux_bits == encodes * 8 * (3 * 4 + 0 + 1 + 3)  # a scalar of 5; a threshold of 1, 2 and 4
    assert events.codebook_read_bits == 2 * 4 * 17 * (2 * 8)  # blocks, slots, bytes of a tree (15 and 4 x 3 bits)


@pytest.mark.parametrize(("metric", "bits", "codebook"), [
    (Metric.TREE, 5 * 8 + (3 + 2 + 1) * 8 + 1 + 2 + 3, 2 * (7 * 8 + 3 * 3)), (Metric.L2, None, 2 * 8 * 5 * 8)])
def test_tree_registers_by_hand(metric: Metric, bits: int | None, codebook: int) -> None:
    array = replace(SMALL, metric=metric, entries=8)
    assert array.cell.codebook_registers(array) == codebook
    assert bits in (None, array.cell.encode_registers(array))


def test_a_gather_reads_selected_entries_only() -> None:
    array = replace(SMALL, fill=2, gather=True)
    layer = Layer(rows=7, codebooks=6, columns=4, length=5, entries=4)
    whole = product(layer, layer.reduction, array, block=7)
    some = replace(whole, gather=True, blocks=3, block=3, last_block=1)
    before, after = count(whole, array, layer), count(some, array, layer)
    word, index = 2 * 3 * 8, 4 * 2
    groups, parameters = 2 + 1, 4  # of two rows in the two row tiles; beats
    assert before.table_read_bits == 2 * (groups * 4 + parameters) * word
    assert after.table_read_bits == 2 * (groups * 7 + 3 * parameters) * word
    assert after.table_writes == 2 * groups * 7 * 2 * 3
    assert after.table_write_bits == before.table_write_bits == before.table_read_bits
    assert before.index_read_bits == 2 * 2 * 7 * index
    assert after.index_read_bits == 2 * groups * 7 * index
    assert after.dram.tables == before.dram.tables

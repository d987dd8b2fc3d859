"""model.counting: layers, loads, pools, images and selected entries, by hand."""

from dataclasses import replace

import pytest

from lutra_model.counting import count
from lutra_model.network import Window
from lutra_model.params import Array, Layer, Metric
from lutra_model.structure import Number
from lutra_model.tiling import load, pool, product
from tests.model.events.sizes import LAYER, SMALL


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


def test_images_are_at_least_one() -> None:
    with pytest.raises(ValueError, match=r"^images must be at least 1, not 0$"):
        count(product(LAYER, 15, SMALL), SMALL, LAYER, images=0)


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

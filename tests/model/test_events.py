"""model.events against naive loops over the schedule."""

import numpy as np
import pytest

from lutra_model.events import count
from lutra_model.params import Array, Layer, Metric
from lutra_model.schedule import Schedule
from lutra_model.structure import Number, Structure, reduction_bits

SHAPES = [(1, 1, 1), (5, 3, 7), (17, 5, 4), (40, 11, 13), (64, 16, 16)]
SMALL = Array(rows=4, columns=3, encoders=2, length=5, entries=4, codebooks=16, block_rows=16, index_words=32)


def walk(schedule: Schedule) -> dict[str, int]:
    """Every cell of every issue, one at a time, as docs/hardware.md orders them."""
    layer, array = schedule.layer, schedule.array
    seen = dict.fromkeys(("reads", "idle", "tree", "accumulator", "writes", "issues", "encodes", "finishes"), 0)
    blocks = [range(start, min(start + schedule.block, layer.rows)) for start in range(0, layer.rows, schedule.block)]
    for block in blocks:
        for column in range(0, layer.columns, array.columns):
            for row in range(0, layer.codebooks, array.rows):
                used = range(row, min(row + array.rows, layer.codebooks))
                seen["writes"] += len(used) * layer.entries * array.columns
                for _ in block:
                    seen["issues"] += 1
                    seen["encodes"] += len(used) if column == 0 else 0
                    for n in range(column, column + array.columns):
                        cells = len(used) if n < layer.columns else 0
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
        layer = Layer.dense(rows=rows, reduction=codebooks, columns=columns)
        array = Array.mac(rows=4, columns=3, codebooks=16, block_rows=16, index_words=32)
    schedule = Schedule(layer, array)
    events, seen = count(schedule), walk(schedule)
    assert (events.table_reads, events.multiplies) == ((seen["reads"], 0) if lookup else (0, seen["reads"]))
    assert events.idle_cells == seen["idle"]
    assert (events.tree_adds, events.accumulator_adds) == (seen["tree"], seen["accumulator"])
    assert (events.table_writes, events.issues) == (seen["writes"], seen["issues"])
    assert (events.encodes, events.finishes) == (seen["encodes"], seen["finishes"])
    assert events.tree_adds + events.accumulator_adds == rows * columns * (codebooks - 1)


@pytest.mark.parametrize("seed", range(4))
def test_lut_nn_formulas(seed: int) -> None:
    """LUT-NN's own counts: N*D*K encoding steps, N*M*D/V look-ups, a table of K*M*D/V bytes."""
    rng = np.random.default_rng(seed)
    n, m, k = int(rng.integers(1, 60)), int(rng.integers(1, 16)), 4
    v, codebooks = int(rng.integers(2, 6)), int(rng.integers(1, 17))
    d = v * codebooks
    layer = Layer(rows=n, codebooks=codebooks, columns=m, length=v, entries=k)
    big = SMALL.resized(block_rows=64, index_words=256)
    events = count(Schedule(layer, big))
    assert events.distance_steps == n * d * k
    assert events.table_reads == n * m * d // v
    assert events.dram.tables == 8 * k * m * d // v
    assert events.compares == n * codebooks * (k - 1)


def test_a_layer_by_hand() -> None:
    """2 rows, 5 codebooks of 3, 4 columns, 4 entries on a 4 x 3 array with 2 encoders of length 5."""
    events = count(Schedule(Layer(rows=2, codebooks=5, columns=4, length=3, entries=4), SMALL))
    assert events.issues == 2 * 2 * 2
    assert events.activation_beats == 2 * (2 + 1) + (2 + 1) * 4
    assert events.table_beats == 2 * (5 * 4 + 7)
    assert events.output_beats == 2 * 2
    assert events.index_write_bits == 2 * 2 * 4 * 2       # rows, row tiles, indices, bits
    assert events.index_read_bits == 8 * 4 * 2
    assert events.accumulator_read_bits == 2 * 2 * 1 * 3 * 12   # 8 bits and 16 codebooks make 12
    assert events.centroid_read_bits == 2 * (2 + 1) * 2 * 4 * 5 * 8  # rows, slots, encoders, entries, lanes, bits
    assert events.turn_bits == 0
    assert events.centroid_write_bits == 3 * 4 * 2 * 5 * 8
    assert events.distance_add_bits == 2 * 5 * 4 * (17 + 18)   # squares of 16 bits: 3 -> 2 -> 1
    assert events.tree_add_bits == 8 * (9 + 9 + 10)       # 4 terms in the first tile, 1 in the second
    assert events.dram.activations == 2 * 15 * 8
    assert events.dram.centroids == 5 * 4 * 3 * 8
    assert events.dram.outputs == 2 * 4 * 8
    assert events.window_read_bits == 0


@pytest.mark.parametrize(("operands", "width", "bits"), [(1, 8, 0), (2, 8, 9), (3, 8, 19), (4, 8, 28), (5, 8, 39)])
def test_reduction_bits(operands: int, width: int, bits: int) -> None:
    assert reduction_bits(operands, width) == bits


@pytest.mark.parametrize(("metric", "bits"), [(Metric.L2, 20), (Metric.L1, 12), (Metric.CHEBYSHEV, 8)])
def test_distance_widths_are_those_of_the_arithmetic_rules(metric: Metric, bits: int) -> None:
    assert Structure(Array(metric=metric)).distance_bits == bits


def test_a_window_reads_its_scalars_again_but_dram_does_not() -> None:
    layer = Layer(rows=10, codebooks=5, columns=3, length=5, entries=4)
    events = count(Schedule(layer, SMALL), inputs=60)
    assert (events.window_read_bits, events.window_write_bits) == (10 * 25 * 8, 60 * 8)
    assert events.dram.activations == 60 * 8


@pytest.mark.parametrize(("number", "bits"), [(Number.FP16, 16), (Number.FP32, 32)])
def test_wider_scalars_widen_memories_and_traffic(number: Number, bits: int) -> None:
    schedule = Schedule(Layer.dense(rows=6, reduction=8, columns=3), Array.mac(rows=4, columns=3))
    narrow, wide = count(schedule), count(schedule, number=number)
    assert wide.index_read_bits * 8 == narrow.index_read_bits * bits
    assert wide.dram.tables * 8 == narrow.dram.tables * bits
    assert wide.multiplies == narrow.multiplies
    assert narrow.turn_bits == 2 * 12 * 8  # row tiles, cells, bits


def test_a_lookup_array_computes_in_int8() -> None:
    with pytest.raises(ValueError, match=r"^a lookup array must compute in int8, not fp16$"):
        Structure(Array(), Number.FP16)


def test_inputs_are_at_least_one() -> None:
    with pytest.raises(ValueError, match=r"^inputs of layer layer must be at least 1, not 0$"):
        count(Schedule(Layer(rows=1, codebooks=1, columns=1, length=5, entries=4), SMALL), inputs=0)


@pytest.mark.parametrize(("metric", "lane", "total"), [(Metric.L2, 16, 20), (Metric.L1, 8, 12),
                                                       (Metric.CHEBYSHEV, 8, 8)])
def test_registers_by_hand(metric: Metric, lane: int, total: int) -> None:
    """The stages of the encoder and of a 16 x 16 lookup array, register by register."""
    structure = Structure(Array(metric=metric))
    tree = 8 * (total + 1) + 4 * (total + 2) + 2 * (total + 3) + total + 4
    assert structure.encode_registers == 9 * 8 + 16 * 9 * lane + 16 * total + tree
    assert structure.issue_registers == 16 * (16 * 8 + 4 * 10 + 12 + 17)


def test_registers_of_a_mac_array_by_hand() -> None:
    """16 activations; for each column two carry-save words, their sum (20 bits), and the accumulator (29)."""
    assert Structure(Array.mac()).issue_registers == 16 * 8 + 16 * (3 * 20 + 29)


def test_registers_of_the_finisher_by_hand() -> None:
    """Sum and bias, multiplier; product, shift; shifted; result; output buffer."""
    assert Structure(Array()).finish_registers == (33 + 16) + (49 + 6) + 10 + 8 + 8

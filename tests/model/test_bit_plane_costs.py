"""Events, area and machines of bit planes against naive loops and numbers worked out by hand."""

from dataclasses import replace

import pytest

from lutra_model.area import area_um2
from lutra_model.counting import count
from lutra_model.engines import reduction_bits
from lutra_model.fit import scheme_array
from lutra_model.network import Network
from lutra_model.params import Array, Layer
from lutra_model.structure import Structure
from lutra_model.technology import builtin
from lutra_model.tiling import product
from tests.model.bit_planes.layers import layer as coded_layer

ARRAY = Array(engine="lut-tc", rows=4, columns=3, encoders=2, length=4, entries=5, word=1, codebooks=64, block_rows=16,
              index_words=64)
SHAPES = [(1, 1, 1), (5, 3, 7), (17, 5, 4), (40, 12, 13)]


def shape(rows: int, codebooks: int, columns: int, planes: int, length: int = 4) -> Layer:
    return Layer(rows=rows, codebooks=codebooks, columns=columns, length=length, entries=planes, engine="lut-tc",
                 runs=True, blank=False)


@pytest.mark.parametrize("planes", [1, 2, 5])
@pytest.mark.parametrize(("rows", "codebooks", "columns"), SHAPES)
def test_counts_equal_a_walk_over_all_planes(rows: int, codebooks: int, columns: int, planes: int) -> None:
    layer = shape(rows, codebooks, columns, planes)
    operation = product(layer, layer.reduction, ARRAY)
    seen = dict.fromkeys(("reads", "idle", "tree", "accumulator", "issues", "words", "builds", "products"), 0)
    for _ in range(rows):
        for column in range(0, columns, ARRAY.columns):
            wide = min(ARRAY.columns, columns - column)
            for row in range(0, codebooks, ARRAY.rows):
                used = min(ARRAY.rows, codebooks - row)
                seen["words"] += 1
                seen["builds"] += used
                seen["accumulator"] += wide if row else 0
                for _ in range(planes):
                    seen["issues"] += 1
                    seen["reads"] += used * wide
                    seen["idle"] += ARRAY.cells - used * wide
                    seen["tree"] += wide * (used - 1)
            seen["products"] += wide
    events = count(operation, ARRAY, layer)
    assert (events.issues, events.table_reads, events.idle_cells) == (seen["issues"], seen["reads"], seen["idle"])
    assert (events.tree_adds, events.accumulator_adds) == (seen["tree"], seen["accumulator"])
    assert events.index_read_bits == seen["words"] * 4 * 32
    assert events.encoder_add_bits == seen["builds"] * (4 * 10 + 8 * 11)
    assert events.beside_multiply_bits == seen["products"] * 8 * (11 + 6)
    assert events.beside_register_bits == rows * -(-columns // ARRAY.columns) * (17 + ARRAY.columns * 2 * (8 + 17))
    assert (events.multiplies, events.multiply_bits) == (0, 0)
    assert events.table_writes % (ARRAY.fill * ARRAY.columns * planes) == 0


def test_tables_and_the_sum_lane_do_not_grow_with_the_planes() -> None:
    few, many = (count(product(layer, 48, ARRAY), ARRAY, layer) for layer in (shape(20, 12, 6, n) for n in (1, 4)))
    assert many.cell_register_bits == few.cell_register_bits
    assert many.encoder_add_bits == few.encoder_add_bits
    assert many.issue_register_bits == 4 * few.issue_register_bits
    assert many.cell_add_bits - few.cell_add_bits == 20 * 6 * 3 * 3 * (11 + 2 + 4)  # three row tiles, three more planes


def test_a_plane_is_summed_by_the_bits_of_its_tree() -> None:
    layer = shape(10, 4, 3, 2)
    assert count(product(layer, 16, ARRAY), ARRAY, layer).tree_add_bits == 10 * 3 * 2 * reduction_bits(4, 11)


@pytest.mark.parametrize("technology", ["horowitz-45", "nangate45-gates"])
def test_area_grows_with_planes_and_shrinks_with_rounded_tables(technology: str) -> None:
    prices = builtin(technology)
    array = Array(engine="lut-tc", rows=16, columns=16, encoders=4, length=4, entries=4)
    whole, fewer, small = (area_um2(Structure(item), prices)["cells"] for item in (
        array, replace(array, entries=2), replace(array, quantised=True)))
    assert fewer < whole
    assert small != whole


def test_a_machine_is_made_for_its_layers() -> None:
    nodes = tuple(replace(coded_layer(n, bits, channels=8, columns=8)[0], name=f"n{n}", inputs=(source,))
                  for n, (bits, source) in enumerate([(2, "input"), (5, "n0")]))
    network = Network(name="n", input_shape=(8,), input_scale=1.0, nodes=nodes)
    array = scheme_array(network, "lut-tc", rows=8, columns=8)
    assert (array.length, array.entries, array.quantised) == (4, 5, False)
    mixed = (nodes[0], replace(coded_layer(1, 5, channels=8, columns=8, group=1)[0], name="n1", inputs=("n0",)))
    with pytest.raises(ValueError, match=r"^network n: layers must have one length of groups, not 1 and 4$"):
        scheme_array(replace(network, nodes=mixed), "lut-tc")


def test_a_beat_of_patterns_is_half_as_wide_as_one_of_table_entries() -> None:
    table = Array(rows=16, columns=16, encoders=4)
    planes = Array(engine="lut-tc", rows=16, columns=16, encoders=4, length=4, entries=4)
    assert (table.beat_bytes, planes.beat_bytes, planes.parameter_beats) == (256, 128, 1)
    assert replace(planes, rows=32, lanes=0, fill=32).beat_bytes == table.beat_bytes

"""model.fit: memories just large enough, and no larger."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra_model import golden, netfile
from lutra_model.fit import arrays, cycles, lookup_array, mac_array, programs, sized
from lutra_model.params import Array, Metric
from lutra_model.program import compile_network
from tests.model.interpreter import Interpreter

NETWORKS = Path(__file__).parents[2] / "lutra" / "networks"
LOOKUP = netfile.load(NETWORKS / "fashion-resnet8.lutra")
INT8 = netfile.load(NETWORKS / "fashion-resnet8-int8.lutra")
MEMORIES = ["activation_words", "table_words", "codebook_words", "program_words", "codebooks"]


@pytest.mark.parametrize("array", [lookup_array(LOOKUP, rows=8, columns=4, encoders=2),
                                   mac_array(INT8, rows=8, columns=8)], ids=lambda a: a.engine)
def test_memories_fit_exactly(array: Array) -> None:
    network = LOOKUP if array.is_lookup else INT8
    program = compile_network(network, array, resident=True)
    x = np.random.default_rng(0).integers(-128, 128, (1, *network.input_shape), np.int8)
    machine = Interpreter(array, program.words, program.tables, program.codebooks)
    found = program.outputs(machine.run(program.input_beats(x)[0], program.streamed, 1))
    np.testing.assert_array_equal(found, golden.outputs(network, x))
    for memory in MEMORIES if array.is_lookup else [name for name in MEMORIES if name != "codebook_words"]:
        with pytest.raises(ValueError, match=r" needs? .* holds "):
            compile_network(network, replace(array, **{memory: getattr(array, memory) - 1}), resident=True)


def test_a_program_is_the_same_on_the_array_that_fits() -> None:
    ample = Array(rows=8, columns=8, encoders=4, activation_words=1 << 20, table_words=1 << 20,
                  codebook_words=1 << 20, program_words=1 << 20)
    small = sized(LOOKUP, ample)
    assert compile_network(LOOKUP, small).words == compile_network(LOOKUP, ample).words
    assert (small.rows, small.columns, small.encoders, small.lanes) == (8, 8, 4, ample.lanes)


def test_tables_beyond_the_limit_are_streamed() -> None:
    array = lookup_array(LOOKUP, encoders=4, table_bytes=60000)
    assert array.table_words <= 60000 // 256
    (program,) = programs(LOOKUP, array)
    assert len(program.streamed)


def test_auto_takes_the_fewest_encoders_that_keep_the_array_busy() -> None:
    taken = {count: cycles(LOOKUP, lookup_array(LOOKUP, encoders=count)) for count in (1, 2, 4, 8, 16)}
    chosen = lookup_array(LOOKUP).encoders
    assert taken[chosen] <= 1.03 * min(taken.values())
    assert all(count >= chosen for count, value in taken.items() if value <= 1.03 * min(taken.values()))


def test_a_mac_array_holds_the_twin_of_a_lookup_network() -> None:
    array = mac_array(LOOKUP)
    assert (array.encoders, array.codebooks) == (16, 64 * 9)
    assert array == mac_array(INT8)


def test_arrays_by_scheme() -> None:
    assert arrays(LOOKUP, rows=4, columns=2, encoders=2) == {
        "lut-nn": lookup_array(LOOKUP, rows=4, columns=2, encoders=2)}
    assert arrays(INT8, rows=4, columns=2) == {"int8": mac_array(INT8, rows=4, columns=2)}


def test_only_machines_that_can_gather() -> None:
    (found,) = arrays(LOOKUP, rows=4, columns=2, encoders=2, gather=True).values()
    assert found.gather
    with pytest.raises(ValueError, match=r"^an array of the engine mac must not gather$"):
        replace(mac_array(INT8), gather=True)
    with pytest.raises(ValueError, match=r"^network .* must have a layer for an engine that gathers \(lookup\), it has "
                                         r"mac$"):
        arrays(INT8, gather=True)


def test_both_labels_of_nearest_centroids_run_on_one_machine() -> None:
    one = LOOKUP.products[0]
    other = replace(one, coding=replace(one.coding, label="lut-dla"))
    mixed = replace(LOOKUP, nodes=tuple(other if node is one else node for node in LOOKUP.nodes))
    found = arrays(mixed, rows=4, columns=2, encoders=2)
    assert set(found) == {"lut-nn", "lut-dla"}
    assert found["lut-nn"] == found["lut-dla"] == lookup_array(LOOKUP, rows=4, columns=2, encoders=2)
    assert len(programs(mixed, found["lut-dla"])) == 1


def test_what_does_not_fit_a_lookup_array() -> None:
    with pytest.raises(ValueError, match=r"^network .* must have a layer for the engine lookup to run on its array$"):
        lookup_array(INT8)
    one = next(node for node in LOOKUP.products)
    other = replace(one, coding=replace(one.coding, metric=Metric.L1))
    mixed = replace(LOOKUP, nodes=tuple(other if node is one else node for node in LOOKUP.nodes))
    with pytest.raises(ValueError, match=r"^network .*: layers must use one metric, not l1 and l2$"):
        lookup_array(mixed)
    with pytest.raises(ValueError, match=r"^network .* must have a part that runs on the array$"):
        sized(replace(INT8, nodes=INT8.nodes[:1]), lookup_array(LOOKUP, encoders=4))

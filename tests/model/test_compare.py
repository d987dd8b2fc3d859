"""model.compare: which baseline is chosen, and what the choice promises."""

from dataclasses import replace

import numpy as np
import pytest

from lutra import embedded
from lutra_model import compare as comparing
from lutra_model import runs as running
from lutra_model.compare import compare, family, lookup_runs, memories
from lutra_model.fit import lookup_array
from lutra_model.latency import network_latency
from lutra_model.network import Network, Window
from lutra_model.params import Array, Layer
from lutra_model.program import compile_network
from lutra_model.runs import Design, run, run_programs, sized
from lutra_model.structure import Number
from lutra_model.technology import USUAL, builtin
from lutra_model.workloads import Work, of_network, resnet18
from tests.strategies import products

WINDOW = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
WORKS = (Work(name="a", height=12, width=12, channels=16, window=WINDOW,
              layer=Layer(name="a", rows=144, codebooks=16, columns=32)),
         Work(name="b", height=6, width=6, channels=32, window=WINDOW, residual=True,
              layer=Layer(name="b", rows=36, codebooks=32, columns=64)),
         Work(name="pool", height=6, width=6, channels=64, window=Window(kernel=(6, 6))),
         Work(name="c", channels=64, output=True, layer=Layer(name="c", rows=1, codebooks=16, columns=10, length=4)))
ARRAY, _ = sized(Array(), WORKS)
LOOKUP = run(Design("lookup", ARRAY), WORKS)
TECHNOLOGIES = [builtin(name) for name in USUAL]
FOUND = compare(WORKS, [LOOKUP], TECHNOLOGIES)
DENSE = tuple(work.as_dense() for work in WORKS)


def test_a_run_takes_the_twins_on_a_mac_array() -> None:
    array, streamed = sized(Array.mac(), DENSE)
    mac = run(Design("int8", array), WORKS)
    assert not streamed
    assert mac.cycles == network_latency([work.operation(array) for work in DENSE], array).cycles
    assert [item.multiplies for item in mac.events] == [work.macs for work in WORKS]
    assert sum(mac.causes.values()) == mac.cycles


def test_a_network_by_shape_takes_as_long_as_its_program() -> None:
    network = embedded.network()
    array = lookup_array(network, encoders=8)
    program = run_programs(Design("lookup", array), network, [("input", compile_network(network, array))])
    shape = run(Design("lookup", array), of_network(network))
    assert program.cycles == shape.cycles
    assert program.macs == shape.macs == network.macs
    assert program.events == shape.events


@pytest.mark.parametrize(("levels", "names"), [(2, {"int1", "sign-flip"}), (3, {"int2", "sign-flip"}), (4, {"int2"}),
                                               (8, {"int3"}), (128, {"int7"}), (129, set()), (256, set())])
def test_weights_as_fine_are_a_baseline(levels: int, names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of arrays at least as fast it is one of the smallest, and it needs less than INT8 on as many cells."""
    monkeypatch.setattr(comparing, "FAMILY_COLUMNS", (16, 64))
    tried = {name: [run(Design(name, replace(member, **kind)),
                        [work.as_dense(kind.get("engine", "mac")) for work in WORKS]) for member in family()[4::9]]
             for name, kind in comparing._as_fine(levels).items()}
    assert set(tried) == names
    found = compare(WORKS, [LOOKUP], TECHNOLOGIES[:1], weight_levels=levels)[TECHNOLOGIES[0].name]
    if not names:
        assert found.fine is None
        assert set(found.designs) == {"lookup", "int8", "fp16", "fp32"}
        return
    assert found.fine is not None
    assert found.fine.run.design.name in names
    assert found.designs[found.fine.run.design.name] is found.fine
    assert found.fine.run.cycles <= LOOKUP.cycles
    smaller = [item for runs in tried.values() for item in runs
               if item.design.array.cells < found.fine.run.design.array.cells]
    assert all(item.cycles > LOOKUP.cycles for item in smaller)
    assert found.fine.run.design.array.cells == found.int8.run.design.array.cells
    assert found.fine.bill.picojoules < found.int8.bill.picojoules


def test_a_grouped_layer_counts_its_own_products_only() -> None:
    """Eight channels of 3 x 3 windows in eight groups: what the block-diagonal tables add is no work."""
    array = Array(codebook_words=4096, table_words=4096)
    node = products(np.random.default_rng(0), array, "depthwise", "input", 9, 1, 9, groups=8, window=WINDOW)
    network = Network(name="grouped", input_shape=(5, 5, 8), input_scale=1.0, nodes=(node,))
    found = run_programs(Design("lookup", array), network, [("input", compile_network(network, array))])
    assert found.macs == network.macs == 25 * 9 * 8


def test_memories_are_just_large_enough() -> None:
    operations = [work.operation(ARRAY) for work in WORKS]
    rows = [16, 16, 0, 16]  # used rows of the last row tile: all
    tiles = [operation.column_tiles * operation.row_tiles for operation in operations]
    tables = sum(16 * count for count, used in zip(tiles, rows, strict=True) if used)
    parameters = sum(operation.column_tiles for operation, used in zip(operations, rows, strict=True) if used)
    assert ARRAY.table_words == tables + parameters
    assert ARRAY.codebook_words == 16 * sum(operation.slots for operation in (*operations[:2], operations[3]))
    assert ARRAY.activation_words == 144 * 32 // 4
    assert ARRAY.program_words == 4 * (28 + ARRAY.lanes)


def test_tables_beyond_the_memory_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TABLE_BYTES", ARRAY.table_words * 256 - 1)
    array, streamed = sized(Array(), WORKS)
    assert (streamed, array.table_words) == (True, 1)
    found = run(Design("lookup", array), WORKS, streamed=streamed)
    assert sum(events.table_read_bits for events in found.events) == 0
    assert sum(events.table_beats for events in found.events) > 0


@pytest.mark.parametrize("name", USUAL)
def test_baselines_keep_their_promises(name: str) -> None:
    lookup, baselines = FOUND[name].lookup, FOUND[name].baselines
    runs = []
    for array in family():
        try:
            fitting, streamed = sized(array, DENSE, activation_words=-(-ARRAY.activation_words * 4 // array.word))
        except ValueError:
            continue
        runs.append(run(Design("int8", fitting), WORKS, streamed=streamed))
    members = [item.priced(builtin(name)) for item in runs]
    fast = [item for item in members if item.run.cycles <= lookup.run.cycles]
    small = [item for item in members if item.area <= lookup.area]
    assert baselines.throughput is not None
    assert baselines.area is not None
    assert baselines.throughput.run.design.array.cells == min(item.run.design.array.cells for item in fast)
    assert baselines.area.run.design.array.cells == max(item.run.design.array.cells for item in small)
    assert baselines.energy.bill.picojoules == min(item.bill.picojoules for item in members)


@pytest.mark.parametrize("name", USUAL)
def test_float_baselines_share_schedule_and_cycles(name: str) -> None:
    found = FOUND[name]
    assert found.fp16.run.cycles == found.fp32.run.cycles == found.int8.run.cycles
    assert (found.fp16.run.design.number, found.fp32.run.design.number) == (Number.FP16, Number.FP32)
    assert found.int8.bill.picojoules < found.fp16.bill.picojoules < found.fp32.bill.picojoules


def test_totals_are_sums_of_jobs() -> None:
    for found in FOUND.values():
        for priced in found.designs.values():
            assert sum(item.picojoules for item in priced.bills) == pytest.approx(priced.bill.picojoules, rel=1e-12)
            macs = sum(work.macs for work in WORKS)
            assert priced.pj_per_mac == pytest.approx(priced.bill.picojoules / macs)


def test_a_batch_pays_once_for_what_stays_on_the_chip() -> None:
    one, many = LOOKUP.priced(TECHNOLOGIES[0]), LOOKUP.with_images(16).priced(TECHNOLOGIES[0])
    assert many.run.cycles == 16 * one.run.cycles
    assert many.bill.components["cells"] == pytest.approx(16 * one.bill.components["cells"])
    assert one.bill.components["dram"] < many.bill.components["dram"] < 4 * one.bill.components["dram"]


def test_fitted_memories_never_cost_more() -> None:
    runs = lookup_runs(WORKS, ARRAY)
    energies = [item.priced(TECHNOLOGIES[0]).bill.picojoules for item in runs]
    assert len(runs) == len(memories(ARRAY))
    best = compare(WORKS, runs, TECHNOLOGIES[:1])[TECHNOLOGIES[0].name]
    assert best.lookup.bill.picojoules == min(energies)


def test_progress_is_told_what_runs() -> None:
    told: list[tuple[str, int, int]] = []
    compare(WORKS[3:], [LOOKUP], TECHNOLOGIES[:1], progress=lambda *step: told.append(step))
    assert {step[0] for step in told} == {"MAC arrays"}
    assert [step[1] for step in told] == list(range(1, told[-1][2] + 1))


def test_dense_layers_run_on_the_companion() -> None:
    dense = WORKS[1].as_dense()
    companion, _ = sized(Array.mac(rows=8, columns=8), [dense])
    mixed = run(Design("lookup", ARRAY, companion=companion), (WORKS[0], dense)).priced(TECHNOLOGIES[0])
    alone = [run(Design("lookup", ARRAY), WORKS[:1]), run(Design("int8", companion), [dense])]
    assert mixed.run.cycles == sum(item.cycles for item in alone)
    parts = [item.priced(TECHNOLOGIES[0]) for item in alone]
    assert mixed.bill.picojoules == pytest.approx(sum(item.bill.picojoules for item in parts))
    assert mixed.area == pytest.approx(sum(item.area for item in parts))


def test_groups_run_one_after_the_other() -> None:
    grouped = replace(WORKS[0], groups=3)
    one, three = (run(Design("lookup", ARRAY), [work]) for work in (WORKS[0], grouped))
    assert three.cycles == 3 * one.cycles
    assert three.macs == 3 * one.macs
    assert three.events[0].table_reads == 3 * one.events[0].table_reads
    assert three.events[0].dram.tables == 3 * one.events[0].dram.tables


def test_counts_agree_with_accelforge_and_zigzag() -> None:
    """ResNet-18 on 32 x 32 INT8 MACs, priced with one common table: both mappers, given enough search, found the same.

    Their microjoules: products 544.2; input memory 137.1 to 137.2; sums 687.7 to 689.8 (they write each sum once
    more, and read it); DRAM 1,071 to 1,126, with every layer's inputs and outputs, which stay on our chip: weights
    alone are 93.5. Their cycles: 2.111 and 2.365 million, at least 1.772 at full use.
    """
    array = Array.mac(rows=32, columns=32, codebooks=4608, index_words=16384, block_rows=16384)
    works = [work for work in resnet18() if work.layer]
    found = run(Design("int8", array), works)
    count = {name: sum(getattr(events, name) for events in found.events)
             for name in ("multiplies", "index_read_bits", "accumulator_read_bits")}
    assert count["multiplies"] * 0.3e-6 == pytest.approx(544.2, abs=0.05)
    assert count["index_read_bits"] * 0.288e-6 == pytest.approx(137.1, rel=0.05)
    assert count["accumulator_read_bits"] / 29 * 32 * (0.124 + 0.242) * 1e-6 == pytest.approx(687.7, rel=0.1)
    assert sum(events.dram.tables for events in found.events) == 8 * (11_689_512 - 2 * 4_800 - 1_000)
    assert 1.772e6 < found.cycles < 2.111e6

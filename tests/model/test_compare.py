"""model.compare: which baseline is chosen, and what the choice promises."""

import pytest

from lutra_model.compare import Design, compare, family, run
from lutra_model.latency import cycles
from lutra_model.params import Array, Layer
from lutra_model.structure import Number
from lutra_model.technology import NAMES, builtin
from lutra_model.workloads import Work, resnet18

WORKS = (Work(Layer(name="a", rows=144, codebooks=16, columns=32), 144 * 16),
         Work(Layer(name="b", rows=36, codebooks=32, columns=64), 36 * 32),
         Work(Layer(name="c", rows=1, codebooks=16, columns=10, length=4), 64))
ARRAY = Array(codebooks=64)
TECHNOLOGIES = [builtin(name) for name in NAMES]
FOUND = compare(WORKS, ARRAY, TECHNOLOGIES)


def test_a_run_takes_the_twins_on_a_mac_array() -> None:
    mac = run(Design("int8", Array.mac()), WORKS)
    assert all(work.layer.is_dense for work in mac.works)
    assert mac.cycles == sum(cycles(work.layer.as_dense(), Array.mac()) for work in WORKS)
    assert [item.multiplies for item in mac.events] == [work.layer.macs for work in WORKS]


@pytest.mark.parametrize("name", NAMES)
def test_baselines_keep_their_promises(name: str) -> None:
    lookup, baselines = FOUND[name].lookup, FOUND[name].baselines
    members = [run(Design("int8", array), WORKS).priced(builtin(name)) for array in family(WORKS)]
    fast = [item for item in members if item.run.cycles <= lookup.run.cycles]
    small = [item for item in members if item.area <= lookup.area]
    assert baselines.throughput is not None
    assert baselines.area is not None
    assert baselines.throughput.run.design.array.cells == min(item.run.design.array.cells for item in fast)
    assert baselines.area.run.design.array.cells == max(item.run.design.array.cells for item in small)
    assert baselines.energy.bill.picojoules == min(item.bill.picojoules for item in members)


@pytest.mark.parametrize("name", NAMES)
def test_float_baselines_share_schedule_and_cycles(name: str) -> None:
    found = FOUND[name]
    assert found.fp16.run.cycles == found.fp32.run.cycles == found.int8.run.cycles
    assert (found.fp16.run.design.number, found.fp32.run.design.number) == (Number.FP16, Number.FP32)
    assert found.int8.bill.picojoules < found.fp16.bill.picojoules < found.fp32.bill.picojoules


def test_totals_are_sums_of_layers() -> None:
    for found in FOUND.values():
        for priced in found.designs.values():
            assert sum(item.picojoules for item in priced.bills) == pytest.approx(priced.bill.picojoules, rel=1e-12)
            macs = sum(work.layer.macs for work in WORKS)
            assert priced.pj_per_mac == pytest.approx(priced.bill.picojoules / macs)


def test_fitted_memories_never_cost_more() -> None:
    fitted = compare(WORKS, ARRAY.resized(index_words=1024, block_rows=256), TECHNOLOGIES, fit_memories=True)
    fixed = compare(WORKS, ARRAY.resized(index_words=1024, block_rows=256), TECHNOLOGIES)
    for name in NAMES:
        assert fitted[name].lookup.bill.picojoules <= fixed[name].lookup.bill.picojoules


def test_progress_is_told_what_runs() -> None:
    told: list[tuple[str, int, int]] = []
    compare(WORKS[2:], ARRAY, TECHNOLOGIES[:1], progress=lambda *step: told.append(step))
    assert told[0] == ("lookup arrays", 1, 1)
    assert [step[1] for step in told[1:]] == list(range(1, told[-1][2] + 1))


def test_dense_layers_run_on_the_companion() -> None:
    dense = WORKS[1].as_dense()
    companion = Array.mac(rows=8, columns=8)
    mixed = run(Design("lookup", ARRAY, companion=companion), (WORKS[0], dense)).priced(TECHNOLOGIES[0])
    alone = [run(Design("lookup", ARRAY), WORKS[:1]), run(Design("int8", companion), [dense])]
    assert mixed.run.cycles == sum(item.cycles for item in alone)
    parts = [item.priced(TECHNOLOGIES[0]) for item in alone]
    assert mixed.bill.picojoules == pytest.approx(sum(item.bill.picojoules for item in parts))
    assert mixed.area == pytest.approx(sum(item.area for item in parts))


def test_counts_agree_with_accelforge_and_zigzag() -> None:
    """ResNet-18 on 32 x 32 INT8 MACs, priced with one common table: both mappers, given enough search, found the same.

    Their microjoules: products 544.2; input memory 137.1 to 137.2; sums 687.7 to 689.8 (they write each sum once
    more, and read it); DRAM 1,071 to 1,126. Their cycles: 2.111 and 2.365 million, at least 1.772 at full use.
    """
    array = Array.mac(rows=32, columns=32, codebooks=4608, index_words=16384, block_rows=16384)
    found = run(Design("int8", array), resnet18())
    count = {name: sum(getattr(events, name) for events in found.events)
             for name in ("multiplies", "index_read_bits", "accumulator_read_bits")}
    assert count["multiplies"] * 0.3e-6 == pytest.approx(544.2, abs=0.05)
    assert count["index_read_bits"] * 0.288e-6 == pytest.approx(137.1, rel=0.05)
    assert count["accumulator_read_bits"] / 29 * 32 * (0.124 + 0.242) * 1e-6 == pytest.approx(687.7, rel=0.1)
    assert 1071 * 0.98 < sum(events.dram.total for events in found.events) * 8e-6 < 1126
    assert 1.772e6 < found.cycles < 2.111e6

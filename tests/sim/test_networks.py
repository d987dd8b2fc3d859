"""Random networks on random machines' RTL: every bit is the golden model's, every cycle the latency model's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lutra_model.params import Array, Metric
from lutra_sim.case import Case
from lutra_sim.compiled import CompiledMachine, build
from tests.strategies import LARGE, networks

CHEBYSHEV, L1, L2, TREE = Metric.CHEBYSHEV, Metric.L1, Metric.L2, Metric.TREE
ARRAYS = {
    "lookup-1x1-e1": Array(rows=1, columns=1, encoders=1, length=2, entries=2, block_rows=128, index_words=1200,
                           **LARGE),
    "lookup-2x3-e2-l1": Array(rows=2, columns=3, encoders=2, length=3, entries=4, metric=L1, block_rows=7,
                              index_words=1200, **LARGE),
    "lookup-6x4-e2-chebyshev": Array(rows=6, columns=4, encoders=2, length=9, entries=4, metric=CHEBYSHEV, fill=2,
                                     lanes=13, block_rows=16, index_words=1200, **LARGE),
    "lookup-8x8-e4-l2": Array(rows=8, columns=8, encoders=4, length=4, entries=8, metric=L2, fill=4, block_rows=40,
                              index_words=1200, **LARGE),
    "lookup-4x4-e4-l2": Array(rows=4, columns=4, encoders=4, word=2, length=9, entries=16, metric=L2, fill=1,
                              block_rows=1, index_words=1200, **LARGE),
    "lookup-4x3-e2-tree": Array(rows=4, columns=3, encoders=2, length=4, entries=8, metric=TREE, fill=2, block_rows=16,
                                index_words=1200, **LARGE),
    "lookup-2x2-e1-tree": Array(rows=2, columns=2, encoders=1, length=9, entries=16, metric=TREE, block_rows=3,
                                index_words=1200, **LARGE),
    "lookup-4x4-e4-tree-copies": Array(rows=4, columns=4, encoders=4, word=2, length=3, entries=16, metric=TREE,
                                       fill=2, stores=2, pool=3, block_rows=20, index_words=1200, **LARGE),
    "lookup-4x4-e2-gather": Array(rows=4, columns=4, encoders=2, length=3, entries=8, metric=L1, fill=2, gather=True,
                                  block_rows=16, index_words=200, **LARGE),
    "lookup-2x2-e1-gather-tree": Array(rows=2, columns=2, encoders=1, length=9, entries=4, metric=TREE, fill=1,
                                       gather=True, block_rows=9, index_words=1200, **LARGE),
    "mac-1x1-e1": Array.mac(rows=1, columns=1, encoders=1, block_rows=128, index_words=2048, **LARGE),
    "mac-3x2-e3": Array.mac(rows=3, columns=2, encoders=3, fill=1, lanes=5, block_rows=7, index_words=2048, **LARGE),
    "mac-8x8-e8": Array.mac(rows=8, columns=8, encoders=8, word=4, fill=2, block_rows=40, index_words=1200, **LARGE),
}
QUICK, MANY = 8, 40  # networks for each machine


@st.composite
def cases(draw: Any, array: Array) -> Case:
    """A network, inputs, and how the streams flow."""
    network = draw(networks(array, layers=4, side=7, channels=9))
    rng, count = np.random.default_rng(draw(st.integers(0, 2**16))), draw(st.integers(1, 3))
    inputs = rng.integers(-128, 128, (count, *network.input_shape), np.int8)
    periods = st.sampled_from([1, 1, 2, 3, 7])
    gather = draw(st.sampled_from([None, True, True, False])) if array.gather else None
    return Case(array=array, network=network, inputs=inputs, resident=draw(st.sampled_from([None, False])),
                gather=gather, stalls=draw(st.one_of(st.none(), st.none(), st.integers(0, 2**16))),
                activation_period=draw(periods), table_period=draw(periods))


def check(machine: CompiledMachine, case: Case) -> None:
    """Outputs, the cycles of the whole, and starts and ends of all operations of all runs."""
    machine.load(case.program)
    run = machine.run(case.program, case.inputs, activation_period=case.activation_period,
                      table_period=case.table_period, stalls=case.stalls, limit=2_000_000)
    assert np.array_equal(run.outputs, case.expected)
    if case.stalls is None:
        operations = case.latency.operations
        assert run.starts.ravel().tolist() == [operation.start for operation in operations]
        assert run.dones.ravel().tolist() == [operation.done for operation in operations]
        assert run.cycles == case.latency.cycles


def explore(name: str, examples: int) -> None:
    machine = build(ARRAYS[name])

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, print_blob=False,
              suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
    @given(cases(ARRAYS[name]))
    def run(case: Case) -> None:
        check(machine, case)

    run()


@pytest.mark.parametrize("name", ARRAYS)
def test_networks_equal_both_models(name: str) -> None:
    explore(name, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARRAYS)
def test_many_more_networks(name: str) -> None:
    explore(name, MANY)

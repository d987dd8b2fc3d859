"""Random networks with softmax, norm and functions on machines' RTL: every bit and every cycle."""

import numpy as np
import pytest

from lutra_model.network import Function, LayerNorm, Product, RowSoftmax
from lutra_model.operation import Kind
from lutra_model.params import Array, Metric
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine, build

LARGE = {"activation_words": 4096, "table_words": 4096, "codebook_words": 4096, "program_words": 4096,
         "codebooks": 4096}
ARRAYS = {
    "lookup-2x3-e2-w1": Array(rows=2, columns=3, encoders=2, length=3, entries=4, metric=Metric.L1, functions=4,
                              block_rows=7, index_words=1200, **LARGE),
    "lookup-4x4-e2-w2": Array(rows=4, columns=4, encoders=2, length=2, entries=4, fill=2, functions=15, block_rows=16,
                              index_words=1200, **LARGE),
    "mac-4x4-e4-w4": Array.mac(rows=4, columns=4, fill=1, functions=5, block_rows=3, index_words=1200, **LARGE),
    "mac-1x1-e1-w1": Array.mac(rows=1, columns=1, functions=3, block_rows=40, index_words=2048, **LARGE),
}
QUICK, MANY = 8, 50  # networks for each machine


def check(machine: CompiledMachine, case: Case) -> None:
    """Outputs, and the cycles in which every operation of every run starts and is done."""
    machine.load(case.program)
    run = machine.run(case.program, case.inputs, activation_period=case.activation_period,
                      table_period=case.table_period, stalls=case.stalls, limit=2_000_000)
    assert np.array_equal(run.outputs, case.expected), str(case)
    if case.stalls is None:
        assert run.starts.ravel().tolist() == [operation.start for operation in case.latency.operations], str(case)
        assert run.dones.ravel().tolist() == [operation.done for operation in case.latency.operations], str(case)
        assert run.cycles == case.latency.cycles == sum(case.latency.causes.values()), str(case)


def cases(name: str, count: int, first: int = 0) -> list[Case]:
    return [random_case(ARRAYS[name], seed, stalls=seed % 5 == 4) for seed in range(first, first + count)]


@pytest.mark.parametrize("name", ARRAYS)
def test_rows_and_functions_equal_both_models(name: str) -> None:
    machine = build(ARRAYS[name])
    for case in cases(name, QUICK):
        check(machine, case)


@pytest.mark.slow
@pytest.mark.parametrize("name", ARRAYS)
def test_many_more(name: str) -> None:
    machine = build(ARRAYS[name])
    for case in cases(name, MANY, QUICK):
        check(machine, case)


@pytest.mark.parametrize("name", ARRAYS)
def test_cases_reach_all_there_is(name: str) -> None:
    found = cases(name, MANY)
    nodes = [node for case in found for node in case.network.nodes]
    assert {type(node) for node in nodes} >= {Function, LayerNorm, RowSoftmax}
    assert {node.function is None for node in nodes if isinstance(node, Product)} == {True, False}
    rows = [operation for case in found for operation in case.program.operations if operation.kind is Kind.ROW]
    for flag in ("maximum", "stream_tables", "residual", "to_stream"):
        assert {getattr(operation, flag) for operation in rows} == {True, False}, flag
    for count in ("blocks", "parts_x"):
        assert {getattr(operation, count) == 1 for operation in rows} == {True, False}, count
    shares = [len(np.unique(case.expected)) / min(case.expected.size, 100) for case in found]
    assert np.median(shares) > 0.15

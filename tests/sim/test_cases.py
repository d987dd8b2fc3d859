"""lutra_sim.case, lutra_sim.cases and lutra_sim.stalls: random cases reach what they are for, and cross a process."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra_model.network import Add, AvgPool, Clamp, Concat, Flatten, MaxPool, Product
from lutra_model.operation import Arrange, Error, Kind
from lutra_model.params import Array
from lutra_sim.case import cases_from_environment, environment
from lutra_sim.cases import random_case
from lutra_sim.faults import faults
from lutra_sim.stalls import bursts

SIZES = {"block_rows": 16, "index_words": 64, "activation_words": 2048, "table_words": 2048, "codebook_words": 2048,
         "program_words": 1024}
LOOKUP = Array(rows=4, columns=4, encoders=2, length=4, entries=8, **SIZES)
MAC = Array.mac(rows=4, columns=4, encoders=4, codebooks=512, **(SIZES | {"index_words": 128}))


@pytest.mark.parametrize("array", [LOOKUP, MAC], ids=["lookup", "mac"])
def test_random_networks_reach_every_node_and_every_tiling(array: Array) -> None:
    cases = [random_case(array, seed) for seed in range(100)]
    nodes = {type(node) for case in cases for node in case.network.nodes}
    assert nodes == {Add, AvgPool, Clamp, Concat, Flatten, MaxPool, Product}
    operations = [operation for case in cases for operation in case.program.operations]
    products = [operation for operation in operations if operation.kind is Kind.PRODUCT]
    for kind in ("blocks", "row_tiles", "column_tiles", "groups"):
        assert {getattr(operation, kind) == 1 for operation in products} == {True, False}, kind
    for flag in ("residual", "stream_tables", "to_stream"):
        assert {getattr(operation, flag) for operation in products} == {True, False}, flag
    assert {operation.kind for operation in operations} == set(Kind) - {Kind.ROW}  # of machines with functions
    assert any(operation.last_block < operation.block for operation in products)


def test_lookup_networks_reach_every_arrangement() -> None:
    cases = [random_case(LOOKUP, seed) for seed in range(100)]
    products = [item for case in cases for item in case.program.operations if item.kind is Kind.PRODUCT]
    assert {operation.arrange for operation in products} == set(Arrange)


def test_outputs_are_spread() -> None:
    found = [random_case(LOOKUP, seed).expected for seed in range(100)]
    shares = [len(np.unique(values)) / min(values.size, 100) for values in found]
    assert np.median(shares) > 0.25


def test_cases_cross_a_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cases = [random_case(LOOKUP, 1), random_case(LOOKUP, 2, stalls=True)]
    for name, value in environment(cases, tmp_path).items():
        monkeypatch.setenv(name, value)
    for there, here in zip(cases_from_environment(), cases, strict=True):
        assert str(there) == str(here)
        assert there.program.words == here.program.words
        assert np.array_equal(there.expected, here.expected)


def test_faults_provoke_every_error() -> None:
    provoked = {fault.error for seed in range(10) for fault in faults(random_case(LOOKUP, seed))}
    assert provoked == set(Error) - {Error.NONE, Error.FUNCTION}
    rows = {fault.error for seed in range(5) for fault in faults(random_case(replace(LOOKUP, functions=4), seed))}
    assert Error.FUNCTION in rows


def test_bursts_differ_from_end_to_end_and_repeat() -> None:
    def taken(seed: int, end: int) -> list[bool]:
        stream = bursts(seed, end)
        return [next(stream) for _ in range(500)]

    assert taken(1, 0) == taken(1, 0)
    assert taken(1, 0) != taken(1, 1) != taken(2, 1)
    assert {True, False} == set(taken(1, 0))

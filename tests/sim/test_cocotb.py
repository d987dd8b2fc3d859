"""The machine under cocotb, driven by AXI4-Stream models that nobody here wrote."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from lutra_hw.machine import verilog
from lutra_model.params import Array, Metric
from lutra_sim.bench import build_bench, run_bench
from lutra_sim.case import Case
from lutra_sim.cases import random_case

ARRAYS = {
    "lookup-1x1-e1-l2": Array(rows=1, columns=1, encoders=1, length=1, entries=2, codebooks=5, block_rows=4,
                              index_words=8),
    "lookup-1x3-e1-l1": Array(rows=1, columns=3, encoders=1, length=2, entries=4, metric=Metric.L1, codebooks=9,
                              block_rows=8, index_words=9),
    "lookup-2x2-e2-chebyshev": Array(rows=2, columns=2, encoders=2, length=3, entries=4, metric=Metric.CHEBYSHEV,
                                     codebooks=16, block_rows=16, index_words=16),
    "lookup-4x5-e3-l1": Array(rows=4, columns=5, encoders=3, length=4, entries=8, metric=Metric.L1, codebooks=24,
                              block_rows=8, index_words=12),
    "lookup-8x8-e3-l2": Array(rows=8, columns=8, encoders=3, length=9, entries=16, codebooks=64, block_rows=32,
                              index_words=64),
    "mac-1x3-e1": Array.mac(rows=1, columns=3, encoders=1, codebooks=9, block_rows=8, index_words=9),
    "mac-4x5-e3": Array.mac(rows=4, columns=5, encoders=3, codebooks=40, block_rows=8, index_words=12),
    "mac-8x8-e2": Array.mac(rows=8, columns=8, encoders=2, codebooks=100, block_rows=32, index_words=64),
}


def cases(array: Array, seeds: range) -> list[Case]:
    """Every kind of data twice: on free streams, and on stalled ones."""
    free = [replace(random_case(array, seed), activation_period=1, table_period=1) for seed in seeds]
    return free + [random_case(array, seed + 1000, stalls=True) for seed in seeds]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder with an array's bench, built when first asked for."""
    @cache
    def folder(name: str) -> Path:
        path = tmp_path_factory.mktemp(name)
        build_bench(verilog(ARRAYS[name]), path)
        return path

    return folder


@pytest.mark.parametrize("name", ARRAYS)
def test_machine_equals_golden(name: str, built: Callable[[str], Path]) -> None:
    run_bench(built(name), cases(ARRAYS[name], range(10)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [100, 200, 300])
@pytest.mark.parametrize("name", ARRAYS)
def test_machine_equals_golden_at_length(name: str, seed: int, built: Callable[[str], Path]) -> None:
    run_bench(built(name), cases(ARRAYS[name], range(seed, seed + 20)))


def test_the_bench_notices_a_wrong_output(built: Callable[[str], Path]) -> None:
    array = ARRAYS["lookup-2x2-e2-chebyshev"]
    wrong = [replace(case, array=replace(array, metric=Metric.L1)) for case in cases(array, range(1))]
    with pytest.raises(AssertionError, match="differs from the golden model"):
        run_bench(built("lookup-2x2-e2-chebyshev"), wrong, tests=["equals_golden"])

"""The machine under cocotb, driven by AXI4-Stream models that nobody here wrote."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from lutra_hw.machine import verilog
from lutra_model.params import Array
from lutra_sim.bench import build_bench, run_bench
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.mutants import ARRAYS


def cases(array: Array, seeds: range) -> list[Case]:
    """Networks on free streams, then on stalled ones."""
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


@pytest.mark.parametrize("name", ["l2", "mac", "planes", "dln-column", "vec"])
def test_machine_equals_golden(name: str, built: Callable[[str], Path]) -> None:
    run_bench(built(name), cases(ARRAYS[name], range(6)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [100, 200, 300])
@pytest.mark.parametrize("name", ARRAYS)
def test_machine_equals_golden_at_length(name: str, seed: int, built: Callable[[str], Path]) -> None:
    run_bench(built(name), cases(ARRAYS[name], range(seed, seed + 20)))


def test_the_bench_notices_a_wrong_output(built: Callable[[str], Path]) -> None:
    """Golden outputs of other inputs are not what the machine gives."""
    (case, other) = (random_case(ARRAYS["l2"], 2), random_case(ARRAYS["l2"], 2))
    object.__setattr__(case, "expected", other.expected ^ 1)
    with pytest.raises(AssertionError, match="differs from the golden model"):
        run_bench(built("l2"), [case], tests=["equals_golden"])

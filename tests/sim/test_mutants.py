"""Every planted bug is noticed, and nothing is noticed where none is planted."""

from pathlib import Path

import pytest

from lutra_hw.machine import verilog
from lutra_sim.bench import build_bench, run_bench
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.mutants import ARRAYS, MUTANTS, Mutant, defect, planted

pytestmark = pytest.mark.slow


def cases(array: str) -> list[Case]:
    """A hundred networks, every fourth with stalls."""
    return [random_case(ARRAYS[array], seed, stalls=seed % 4 == 3) for seed in range(100)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("array", ARRAYS)
def test_the_machine_itself_has_no_defect(array: str, cache: Path) -> None:
    assert defect(verilog(ARRAYS[array]), cases(array), cache=cache) is None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.module}: {mutant.effect}")
def test_a_planted_bug_is_noticed(mutant: Mutant, cache: Path, tmp_path: Path) -> None:
    machine = planted(mutant, tmp_path)
    found = defect(machine.verilog(ARRAYS[mutant.array]), cases(mutant.array), cache=cache)
    assert found is not None


@pytest.mark.parametrize(("effect", "message"), [
    ("tvalid waits for tready", "no output beat is offered"),
    ("a beat changes while it waits", "must keep a beat until it is taken")])
def test_the_bench_notices_a_broken_stream_rule(effect: str, message: str, tmp_path: Path) -> None:
    (mutant,) = (mutant for mutant in MUTANTS if mutant.effect == effect)
    build_bench(planted(mutant, tmp_path).verilog(ARRAYS[mutant.array]), tmp_path)
    with pytest.raises(AssertionError, match=message):
        run_bench(tmp_path, [random_case(ARRAYS[mutant.array], seed, stalls=True) for seed in range(5)])


def test_every_component_has_a_mutant() -> None:
    components = {path.stem for path in Path(verilog.__code__.co_filename).parent.glob("*.py")}
    assert components - {"__init__", "verilog"} == {mutant.module for mutant in MUTANTS}

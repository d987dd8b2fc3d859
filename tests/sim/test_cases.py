"""lutra_sim.case, lutra_sim.cases and lutra_sim.stalls: random cases reach what they are for, and cross a process."""

import pytest

from lutra_model.params import Array, Layer
from lutra_sim.case import Case, cases_from_environment, environment
from lutra_sim.cases import random_case
from lutra_sim.stalls import bursts

ARRAY = Array(rows=4, columns=5, encoders=3, length=4, entries=8, codebooks=24, block_rows=16, index_words=24)


@pytest.mark.parametrize("array", [ARRAY, Array.mac(rows=4, columns=5, encoders=3, codebooks=40, block_rows=16,
                                                    index_words=24)], ids=["lookup", "mac"])
def test_random_layers_reach_every_kind_of_tiling(array: Array) -> None:
    schedules = [random_case(array, seed).schedule for seed in range(60)]
    for kind in ("blocks", "row_tiles", "column_tiles"):
        assert {getattr(s, kind) == 1 for s in schedules} == {True, False}, kind
    assert any(s.last_block < s.block for s in schedules)
    assert any(s.last_rows < array.rows and s.row_tiles > 1 for s in schedules)
    assert any(s.last_columns < array.columns and s.column_tiles > 1 for s in schedules)


def test_random_cases_are_bound_by_every_stage() -> None:
    cases = [random_case(ARRAY, seed) for seed in range(60)]
    assert {case.predicted.binding for case in cases} == {"lookup", "encode", "load"}


def test_outputs_of_random_data_are_spread() -> None:
    case = Case(array=ARRAY, layer=Layer(rows=64, codebooks=20, columns=10, length=3, entries=8))
    assert len(set(case.expected.ravel().tolist())) > 100


def test_cases_cross_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [random_case(ARRAY, 1), random_case(ARRAY, 2, stalls=True)]
    for name, value in environment(cases).items():
        monkeypatch.setenv(name, value)
    assert cases_from_environment() == cases


def test_unknown_data_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^data must be one of random, ties, edges, low, high, not noise$"):
        Case(array=ARRAY, layer=Layer(rows=1, codebooks=1, columns=1, length=3, entries=8), data="noise")


def test_bursts_differ_from_end_to_end_and_repeat() -> None:
    def taken(seed: int, end: int) -> list[bool]:
        stream = bursts(seed, end)
        return [next(stream) for _ in range(500)]

    assert taken(1, 0) == taken(1, 0)
    assert taken(1, 0) != taken(1, 1) != taken(2, 1)
    assert {True, False} == set(taken(1, 0))

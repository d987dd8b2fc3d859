"""Planted bugs can be planted: their snippets are where they were when they were chosen."""

from pathlib import Path

import pytest

from lutra_hw import machine
from lutra_sim.mutants import ARRAYS, MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.module}: {mutant.effect}")
def test_a_snippet_occurs_once(mutant: Mutant) -> None:
    source = Path(machine.__file__).with_name(f"{mutant.module}.py").read_text()
    assert source.count(mutant.original) == 1
    assert mutant.array in ARRAYS

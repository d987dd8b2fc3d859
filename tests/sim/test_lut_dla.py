"""Decision trees and gathers on RTL: every bit is the golden model's, every cycle the latency model's.

Two hundred random cases of layers, data (ties, thresholds and scalars at the ends of int8) and stream rates.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lutra_model.operation import Kind
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine, build
from tests.sim.test_networks import ARRAYS, check

TREES = ["lookup-4x3-e2-tree", "lookup-2x2-e1-tree"]
GATHERS = ["lookup-4x4-e2-gather", "lookup-2x2-e1-gather-tree"]
MANY = 50
SEEDS = [pytest.param(seed, marks=[] if seed < 4 else pytest.mark.slow, id=f"seed{seed}") for seed in range(MANY)]


@cache
def machine(name: str) -> CompiledMachine:
    return build(ARRAYS[name])


def gathering(name: str, seed: int) -> Case:
    """The next random case that has a product; its tables stay on the chip and are gathered."""
    while True:
        case = random_case(ARRAYS[name], seed)
        if any(operation.kind is Kind.PRODUCT for operation in case.program.operations):
            return replace(case, resident=None, gather=True)
        seed += MANY


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", TREES)
def test_trees(name: str, seed: int) -> None:
    check(machine(name), random_case(ARRAYS[name], seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", GATHERS)
def test_gathers(name: str, seed: int) -> None:
    case = gathering(name, seed)
    assert any(operation.gather for operation in case.program.operations)
    check(machine(name), case)


@pytest.mark.parametrize("name", GATHERS)
def test_what_takes_fewer_cycles_is_chosen(name: str) -> None:
    choices = list[int]()
    for seed in range(20):
        case = gathering(name, seed)
        best, always, never = (replace(case, gather=gather) for gather in (None, True, False))
        for own, one, other in zip(best.program.operations, always.program.operations, never.program.operations,
                                   strict=True):
            if own.kind is Kind.PRODUCT:
                choices.append(own.gather)
                assert own == (one if own.gather else other)
        assert np.array_equal(best.expected, always.expected)
    assert len(set(choices)) == 2

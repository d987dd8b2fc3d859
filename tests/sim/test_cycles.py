"""Cycles of the latency model against cycles of the machine, and outputs of the machine against the golden model."""

import numpy as np
import pytest

from lutra_model.host import unpack
from lutra_model.params import Array, Metric
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine, build

CHEBYSHEV, L1, L2 = Metric.CHEBYSHEV, Metric.L1, Metric.L2
ARRAYS = {
    "lookup-1x1-e1": Array(rows=1, columns=1, encoders=1, length=2, entries=2, codebooks=9, block_rows=4,
                           index_words=12),
    "lookup-2x3-e2": Array(rows=2, columns=3, encoders=2, length=1, entries=4, metric=L1, codebooks=20, block_rows=16,
                           index_words=16),
    "lookup-3x2-e2": Array(rows=3, columns=2, encoders=2, length=3, entries=8, metric=CHEBYSHEV, codebooks=30,
                           block_rows=7, index_words=10),
    "lookup-4x5-e3": Array(rows=4, columns=5, encoders=3, length=4, entries=8, metric=L1, codebooks=24, block_rows=8,
                           index_words=12),
    "lookup-5x4-e1": Array(rows=5, columns=4, encoders=1, length=2, entries=16, metric=L2, codebooks=40,
                           block_rows=32, index_words=9),
    "lookup-8x8-e8": Array(rows=8, columns=8, encoders=8, length=9, entries=16, metric=L2, codebooks=64,
                           block_rows=64, index_words=64),
    "mac-1x1-e1": Array.mac(rows=1, columns=1, encoders=1, codebooks=9, block_rows=4, index_words=12),
    "mac-3x2-e2": Array.mac(rows=3, columns=2, encoders=2, codebooks=30, block_rows=7, index_words=10),
    "mac-4x5-e4": Array.mac(rows=4, columns=5, encoders=4, codebooks=50, block_rows=16, index_words=13),
    "mac-8x8-e3": Array.mac(rows=8, columns=8, encoders=3, codebooks=100, block_rows=32, index_words=64),
}
FREE, STALLED = 30, 10  # cases for each array


@pytest.fixture(scope="module", params=ARRAYS)
def machine(request: pytest.FixtureRequest) -> tuple[Array, CompiledMachine]:
    array = ARRAYS[request.param]
    return array, build(array)


def run(machine: CompiledMachine, case: Case) -> int:
    """Cycles of the machine; its outputs must be the golden model's."""
    done = machine.run(case.traffic, beats=case.beats, activation_period=case.activation_period,
                       table_period=case.table_period, stalls=case.stalls)
    assert np.array_equal(unpack(case.schedule, done.beats), case.expected), f"{case} differs from the golden model"
    return done.cycles


@pytest.mark.parametrize("seed", range(FREE))
def test_cycles_equal_the_latency_model(machine: tuple[Array, CompiledMachine], seed: int) -> None:
    case = random_case(machine[0], seed)
    assert run(machine[1], case) == case.predicted.cycles, str(case)


@pytest.mark.parametrize("seed", range(1000, 1000 + STALLED))
def test_stalls_change_no_bit(machine: tuple[Array, CompiledMachine], seed: int) -> None:
    run(machine[1], random_case(machine[0], seed, stalls=True))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_more_layers(machine: tuple[Array, CompiledMachine], block: int) -> None:
    for seed in range(10_000 + 200 * block, 10_200 + 200 * block):
        case = random_case(machine[0], seed, stalls=seed % 4 == 0)
        cycles = run(machine[1], case)
        assert case.stalls is not None or cycles == case.predicted.cycles, str(case)


def test_a_layer_cut_off_leaves_nothing_behind() -> None:
    array = ARRAYS["lookup-4x5-e3"]
    machine, case = build(array), random_case(array, 3)
    for left in (1, len(case.traffic.activations) // 2, len(case.traffic.activations) - 1):
        cut = type(case.traffic)(case.traffic.command, case.traffic.activations[:left], case.traffic.tables)
        with pytest.raises(RuntimeError, match=rf"^\d+ of {case.beats} output beats after \d+ cycles$"):
            machine.run(cut, beats=case.beats, timeout=500)
        run(machine, case)

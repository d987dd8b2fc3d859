"""Random cases on the machine of every engine: bits of the golden model, cycles of the latency model."""

import numpy as np
import pytest

from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine, build
from tests.strategies import LARGE

ARRAYS = {
    "mac-w4-2x3": Array.mac(rows=2, columns=3, weight_bits=4, block_rows=7, **LARGE),
    "mac-w3-8x2": Array.mac(rows=8, columns=2, weight_bits=3, block_rows=16, **LARGE),
    "mac-w1-8x2": Array.mac(rows=8, columns=2, weight_bits=1, block_rows=40, **LARGE),
    "sign-flip-4x3": Array(engine="sign-flip", rows=4, columns=3, encoders=2, length=1, entries=1, block_rows=7,
                           index_words=1200, **LARGE),
    "lut-tc-w3-4x4": Array(engine="lut-tc", rows=4, columns=4, encoders=2, length=4, entries=3, word=2, block_rows=16,
                           **LARGE),
    "lut-tc-w1-2x3": Array(engine="lut-tc", rows=2, columns=3, encoders=1, length=4, entries=1, block_rows=7, **LARGE),
    "lut-tc-w8-4x2": Array(engine="lut-tc", rows=4, columns=2, encoders=2, length=4, entries=8, fill=2, block_rows=9,
                           **LARGE),
    "lut-tc-8bit-4x2": Array(engine="lut-tc", rows=4, columns=2, encoders=4, length=4, entries=4, fill=2, block_rows=40,
                             quantised=True, **LARGE),
    "bit-serial-8x3": Array(engine="lut-tc", rows=8, columns=3, encoders=2, length=1, entries=4, block_rows=16,
                            **LARGE),
    **{f"{form}-{name}": Array(engine=form, length=1, index_words=1200, **LARGE | sizes)
       for form in ("dln-row", "dln-column") for name, sizes in {
           "4x3": {"rows": 4, "columns": 3, "encoders": 2, "fill": 2, "entries": 4, "weight_levels": 8,
                   "block_rows": 7},
           "4x2": {"rows": 4, "columns": 2, "encoders": 2, "entries": 32, "weight_levels": 32, "block_rows": 16},
           "1x1": {"rows": 1, "columns": 1, "encoders": 1, "entries": 64, "weight_levels": 64, "block_rows": 40,
                   "table_words": 1 << 14}}.items()},
    "vec-lut-g4-2x3": Array(engine="vec-lut", rows=2, columns=3, encoders=2, length=4, entries=1, block_rows=7,
                            index_words=64, **LARGE),
    "vec-lut-g3-4x4": Array(engine="vec-lut", rows=4, columns=4, encoders=2, length=3, entries=1, block_rows=12,
                            index_words=128, **LARGE),
    "vec-lut-g5-3x2": Array(engine="vec-lut", rows=3, columns=2, encoders=1, length=5, entries=1, block_rows=128,
                            index_words=1200, **LARGE),
}
QUICK, MANY = 6, 200


def check(machine: CompiledMachine, array: Array, seed: int) -> None:
    case = random_case(array, seed)
    machine.load(case.program)
    run = machine.run(case.program, case.inputs, activation_period=case.activation_period,
                      table_period=case.table_period, limit=2_000_000)
    assert np.array_equal(run.outputs, case.expected), f"seed {seed}"
    operations = case.latency.operations
    assert run.starts.ravel().tolist() == [operation.start for operation in operations], f"seed {seed}"
    assert run.dones.ravel().tolist() == [operation.done for operation in operations], f"seed {seed}"


@pytest.mark.parametrize("name", ARRAYS)
def test_random_cases(name: str) -> None:
    machine = build(ARRAYS[name])
    for seed in range(QUICK):
        check(machine, ARRAYS[name], seed)


def test_both_forms_of_levels_give_the_same() -> None:
    """One network's outputs by cells with tables and by rows with tables."""
    forms = [(array := ARRAYS[f"{name}-4x3"], build(array)) for name in ("dln-row", "dln-column")]
    for seed in range(20):
        case, outputs = random_case(ARRAYS["dln-row-4x3"], seed), []
        for array, machine in forms:
            program = compile_network(case.network, array)
            machine.load(program)
            outputs.append(machine.run(program, case.inputs, limit=2_000_000).outputs)
        assert np.array_equal(*outputs), f"seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ARRAYS)
def test_many_random_cases(name: str) -> None:
    machine = build(ARRAYS[name])
    for seed in range(QUICK, MANY):
        check(machine, ARRAYS[name], seed)

"""model.nnlut.functions: errors over all inputs."""

import numpy as np
import pytest

from lutra_model.nnlut import functions
from lutra_model.nnlut.functions import Errors
from tests.model.nnlut.targets import TARGETS

BOUNDS = {  # largest error of every function's table, at 8 and at 16 bits, as a share of the largest output
    "gelu": (6e-4, 5e-4), "exp": (2e-5, 1.3e-3), "1/x": (1.1e-3, 3e-3), "1/sqrt": (1.3e-3, 7e-3), "silu": (6e-4, 5e-4),
    "sigmoid": (1.7e-3, 1.6e-3), "tanh": (3.3e-3, 3.2e-3)}


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], Errors]:
    return {(item.function, item.bits): item for item in functions.study()}


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("bits", [8, 16])
def test_errors_over_all_inputs_are_bounded(name: str, bits: int, found: dict[tuple[str, int], Errors]) -> None:
    errors, target = found[name, bits], TARGETS[name]
    assert errors.largest <= BOUNDS[name][bits == 16] * errors.full
    assert errors.mean <= errors.largest
    assert errors.problems == ()
    table, (low, high) = target.table(bits), target.codes(bits)
    worst, step = 0.0, max(1, (high - low) // 500)
    for x in range(low, high + 1, step):  # the same, one number after the other
        k = sum(1 for place in table.breakpoints.tolist() if place <= x)
        value = (int(table.slopes[k]) * x + int(table.intercepts[k])) // 2**table.shift
        real = float(target.real(np.array(x * target.step(bits))))
        worst = max(worst, abs(min(value, 2**15 - 1) * target.scale(bits) - real))
    assert worst <= errors.largest * (1 + 1e-9)
    assert worst >= errors.largest * 0.5


def test_input_scaling_makes_steep_functions_exact() -> None:
    errors = functions.relative_errors()
    assert errors["1/x direct"] > 0.5, "one table over 1..1024 has no digit of 1/1024"
    assert errors["1/sqrt scaled"] < 0.1 < errors["1/sqrt direct"]
    assert errors["1/x leading one"] < 4e-4
    assert errors["1/sqrt leading one"] < 6e-4

"""model.rank_one finds products of two vectors, and only those; model.level_forms prices what they allow."""

import numpy as np
import pytest

from lutra_model.level_forms import FORMS, level_forms
from lutra_model.network import Window
from lutra_model.params import Array, Layer
from lutra_model.rank_one import rank_one
from lutra_model.technology import builtin
from lutra_model.workloads import Work

UNIFORM = np.outer(np.arange(33), np.arange(-16, 17)) / 512 * 127


@pytest.mark.parametrize("seed", range(5))
def test_integer_products_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.integers(-11, 12, 33), rng.integers(-11, 12, 17)
    one[0] = other[8] = 0
    found = rank_one(np.outer(one, other).astype(np.int8))
    assert (found.exact, found.residual) == (True, 0.0)
    assert np.array_equal(np.outer(found.activations, found.weights), np.outer(one, other))
    assert np.array_equal(found.activations, np.rint(found.activations))


def test_a_table_of_zeros_is_a_product() -> None:
    assert rank_one(np.zeros((3, 5), np.int8)).exact


@pytest.mark.parametrize("table", [UNIFORM, np.outer(np.sqrt(np.arange(33)), np.linspace(-1, 1, 33)**3) * 20,
                                   UNIFORM[:2], UNIFORM[:, 15:17]], ids=["uniform", "bent", "2 rows", "2 columns"])
def test_rounded_products_are_recognised(table: np.ndarray) -> None:
    found = rank_one(np.rint(table).astype(np.int8))
    assert found.within_rounding
    difference = np.rint(table) - np.outer(found.activations, found.weights)
    assert np.abs(difference).max() == pytest.approx(found.residual)
    assert found.residual <= found.in_int8 < 2.5


@pytest.mark.parametrize("place", [(5, 3), (32, 32), (1, 17)])
def test_one_wrong_entry_is_seen(place: tuple[int, int]) -> None:
    table = np.rint(UNIFORM).astype(np.int8)
    table[place] -= 4
    found = rank_one(table)
    assert not found.exact
    assert not found.within_rounding
    assert 1 < found.residual < 4.5


def test_three_forms_of_a_layer() -> None:
    layer = Layer(rows=64, codebooks=72, columns=16, length=1, entries=32, engine="dln-row")
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    work = Work(name="a", layer=layer, height=8, width=8, channels=8, window=window)
    array = Array(engine="dln-row", rows=8, columns=8, encoders=8, length=1, entries=32, weight_levels=32)
    found = level_forms(work, array, builtin("horowitz-45"))
    assert tuple(found) == FORMS
    assert found["decoded"].area < min(found["dln-row"].area, found["dln-column"].area)
    assert found["dln-row"].bill.components["cells"] < found["dln-column"].bill.components["cells"]
    assert found["decoded"].cycles < found["dln-row"].cycles  # which writes 32 entries for each code

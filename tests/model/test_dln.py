"""The scheme dln: float layers as levels and a fitted table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra_model import fit, golden, onnx_read
from lutra_model.codings import Levels
from lutra_model.convert import convert
from lutra_model.network import Network, Product
from lutra_model.program import compile_network
from lutra_model.rank_one import rank_one
from lutra_model.schemes import SCHEMES, Options
from lutra_model.schemes.dln import fitted, weight_steps
from lutra_model.segments import segments
from tests.model.convert.models import errors, mobile, residual
from tests.model.test_refine import layer


def products(network: Network) -> list[Product]:
    return list(network.products)


def coding(product: Product) -> Levels:
    assert isinstance(product.coding, Levels)
    return product.coding


@pytest.mark.parametrize("half", [1, 8, 16])
def test_weight_steps_are_nearly_the_best(half: int) -> None:
    weight = np.random.default_rng(half).standard_t(4, (200, 3))
    weight[:, 2] = 0

    def error(steps: np.ndarray) -> np.ndarray:
        safe = np.where(steps > 0, steps, 1.0)
        found: np.ndarray = ((weight - safe * np.clip(np.rint(weight / safe), -half, half))**2).sum(axis=0)
        return found

    best = np.min([error(np.full(3, step)) for step in np.linspace(1e-3, np.abs(weight).max() / half, 2000)], axis=0)
    found = weight_steps(weight, half)
    assert (error(found) <= 1.01 * best + 1e-9).all()
    assert found[2] == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_hidden_table_is_found(seed: int) -> None:
    """Targets that a table made, and a prior that knows nothing of it."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(4, 5))
    hidden[0] = hidden[:, 0] = 0
    activations = rng.integers(0, 4, (2, 6, 500)).astype(np.uint8)
    weights = rng.integers(0, 5, (2, 6, 3)).astype(np.uint8)
    target = np.hstack([hidden[activations[g, :, :, None], weights[g, :, None]].sum(axis=0) for g in range(2)])
    table, hits = fitted(np.zeros((4, 5)), activations, weights, target, np.ones(6), seed)
    inner = np.s_[1:, 1:]
    assert np.corrcoef(table[inner].ravel(), hidden[inner].ravel())[0, 1] > 0.99
    assert not table[0].any()
    assert not table[:, 0].any()
    assert hits.sum() == 6 * target.size


@pytest.mark.parametrize("groups", [1, 2])
def test_steps_and_biases_are_those_of_least_squares(groups: int) -> None:
    """Of the sums that the rounded table really makes, against NumPy."""
    given = replace(layer(groups, (3, 2), groups), span=(-31, 31))
    node = SCHEMES["dln"].product(given, Options())
    sums, target = golden.accumulate(node, given.columns()), given.target()
    for column in range(3 * groups):
        known = np.stack([sums[:, column], np.ones(len(sums))], axis=1)
        (slope, offset), *_ = np.linalg.lstsq(known, target[:, column], rcond=None)
        assert node.table_scale[column] == pytest.approx(slope, rel=1e-9)
        assert node.bias[column] * slope == pytest.approx(offset, abs=0.51 * slope)


@pytest.mark.parametrize(("levels", "most"), [(33, 0.2), (17, 0.35)])
@pytest.mark.parametrize("seed", range(2))
def test_values_stay_close_to_the_float_model(seed: int, levels: int, most: float, tmp_path: Path) -> None:
    model, x = residual(tmp_path, seed)
    network = convert(model, x[:100], scheme="dln", levels=levels)
    assert max(errors(network, model, x[100:]).values()) < most
    shapes = [coding(product).levels.shape for product in products(network)]
    assert all(shape[1] == levels for shape in shapes)
    assert shapes[0][0] == 63  # the signed input: as many levels as there can be
    assert {shape[0] for shape in shapes[1:]} == {levels}


def test_a_fitted_table_is_closer_and_no_product(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 0)
    plain, fine = (convert(model, x[:100], scheme="dln", levels=9, refine=refine) for refine in (False, True))
    last = products(plain)[-1].name
    assert errors(fine, model, x[100:])[last] < errors(plain, model, x[100:])[last]
    assert all(rank_one(coding(product).levels).within_rounding for product in products(plain))
    assert not any(rank_one(coding(product).levels).within_rounding for product in products(fine))


def test_levels_of_rectified_and_other_values(tmp_path: Path) -> None:
    """What layers read has as many steps as they have levels; what only others read keeps its eight bits."""
    model, x = mobile(tmp_path, 0)
    network = convert(model, x[:60], scheme="dln", levels=33, refine=False)
    values = golden.run(network, golden.quantise(network, x[60:].transpose(0, 2, 3, 1)))
    for product in products(network):
        read, held = values[product.inputs[0]], coding(product)
        assert len(held.levels) == (63 if product.inputs[0] == "input" else 33)
        assert held.zero in (0, len(held.levels) // 2)
        share = np.mean((read + held.zero < 0) | (read + held.zero >= len(held.levels)))
        assert share < 0.05, product.name  # few saturate
        assert np.abs(read).max() >= (len(held.levels) - 1 - held.zero) // 2, product.name  # and none is wasted


@pytest.mark.parametrize("engine", ["dln-row", "dln-column"])
def test_a_network_runs_on_a_machine_made_for_it(engine: str, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 1)
    network = convert(model, x[:60], scheme="dln", refine=False)
    array = fit.scheme_array(network, engine, rows=4, columns=4)
    assert (array.engine, array.entries, array.weight_levels, array.cell_bits) == (engine, 64, 32, 6)
    assert compile_network(network, array).output_shape == (4,)


def test_a_first_layer_of_eight_bits(tmp_path: Path) -> None:
    """It runs on a machine of its own; the network is cut into parts behind it."""
    model, x = residual(tmp_path, 1)
    first = onnx_read.read(model).steps[0].name
    network = convert(model, x[:60], scheme="dln", schemes={first: "int8"}, refine=False)
    assert [product.scheme for product in products(network)][:2] == ["int8", "dln"]
    assert network.input_scale * 127 == pytest.approx(np.abs(x[:60]).max(), rel=0.3)
    arrays = fit.arrays(network, rows=4, columns=4)
    assert {name: array.engine for name, array in arrays.items()} == {"int8": "mac", "dln": "dln-row"}
    starts = [(part.nodes[0].name, part.network is None) for part in segments(network, arrays["dln"])]
    assert starts == [(first, True), (network.nodes[1].name, False)]


@pytest.mark.parametrize("levels", [1, 2, 32, 65])
def test_even_or_too_many_levels_are_refused(levels: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 0)
    with pytest.raises(ValueError, match=f"levels must be an odd number of 3 to 63, not {levels}"):
        convert(model, x, scheme="dln", levels=levels)

"""model.products and the activation scales against plain restatements of what they minimise."""

import numpy as np
import pytest

from lutra_model import calibrate, golden, kernels, products
from lutra_model.codings import Nearest
from lutra_model.params import Metric


@pytest.mark.parametrize("seed", range(3))
def test_fitted_tables_predict_like_least_squares(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "RIDGE", 1e-7)
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (3, 500)).astype(np.uint8)
    target = rng.normal(size=(500, 2))
    tables, bias = products.fit_tables(rng.normal(size=(3, 4, 2)), codes, target, seed)
    hot = np.array([[float(codes[k, row] == c) for k in range(3) for c in range(4)] for row in range(500)])
    best = hot @ np.linalg.lstsq(hot, target, rcond=None)[0]
    found = np.array([sum(tables[k, codes[k, row]] for k in range(3)) + bias for row in range(500)])
    np.testing.assert_allclose(found, best, atol=1e-3)
    np.testing.assert_allclose(tables.max(axis=1), -tables.min(axis=1))  # centred


def test_entries_that_no_vector_takes_keep_their_prior_spread() -> None:
    prior = np.arange(8.0).reshape(1, 4, 2)
    codes = np.zeros((1, 100), np.uint8)
    tables, bias = products.fit_tables(prior, codes, np.full((100, 2), 5.0), 0)
    np.testing.assert_allclose((tables + bias)[0, 1:], prior[0, 1:])
    weight = 100 / (100 + products.RIDGE * 100 / 4)  # of the data, beside the prior's
    np.testing.assert_allclose((tables + bias)[0, 0], prior[0, 0] + weight * (5 - prior[0, 0]))


@pytest.mark.parametrize("entries", [2, 16])
def test_centroids_are_better_than_random_members(entries: int) -> None:
    rng = np.random.default_rng(entries)
    vectors = rng.integers(-128, 128, (3, 4, 600), np.int8)

    def distortion(centroids: np.ndarray) -> int:
        codes = kernels.nearest(vectors, centroids, Metric.L2)
        return sum(int(((vectors[k].T.astype(int) - centroids[k, codes[k]]) ** 2).sum()) for k in range(3))

    found = products.cluster(vectors, entries, 0)
    assert found.shape == (3, entries, 4)
    assert distortion(found) < 0.85 * distortion(vectors[:, :, :entries].transpose(0, 2, 1).copy())


def test_fewer_distinct_vectors_than_entries_are_all_found() -> None:
    vectors = np.repeat(np.array([[-7, 0, 90]], np.int8)[:, None], 20, axis=2)
    assert {-7, 0, 90} <= set(products.cluster(vectors, 8, 0).ravel().tolist())


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_an_activation_scale_is_nearly_the_best(seed: int, relu: bool) -> None:
    values = np.random.default_rng(seed).standard_t(4, 20000)

    def error(scale: float) -> float:
        real = np.maximum(values, 0) if relu else values
        return float(((real - scale * np.clip(np.rint(real / scale), -127, 127)) ** 2).mean())

    best = min(error(np.abs(values).max() / 127 * part) for part in np.linspace(0.02, 1, 200))
    assert error(calibrate.activation_scale(values, relu)) < 1.1 * best


def test_silent_activations_have_no_scale() -> None:
    assert calibrate.activation_scale(np.zeros(5)) == 0
    assert calibrate.activation_scale(np.full(5, -1.0), relu=True) == 0


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_layers_of_their_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups, columns = 3, 4
    columns_of = [slice(g * columns, (g + 1) * columns) for g in range(groups)]
    inputs = rng.integers(-128, 128, (groups * 7, 400), np.int8)
    weight, bias = rng.normal(size=(7, groups * columns)), rng.normal(size=groups * columns)
    vectors = products.pieces(inputs, 3, groups)
    centroids = products.cluster(vectors, 4, seed)
    tables = products.plain_tables(products.stacked(weight, groups), centroids, 0.1, groups)
    codes = kernels.nearest(vectors, centroids, Metric.L2)
    target = inputs.reshape(groups, 7, -1).transpose(0, 2, 1) @ weight.reshape(7, groups, columns).swapaxes(0, 1)
    fitted, moved = products.fit_groups(tables, codes, np.concatenate(target, axis=1), seed, groups)
    whole = products.lookup("p", "x", fitted, bias + moved, Nearest(centroids), reduction=7, scale=1.0, groups=groups)
    dense = products.dense("p", "x", weight, bias, input_scale=0.1, scale=1.0, groups=groups)
    for g, mine in enumerate(columns_of):
        some = inputs[g * 7:(g + 1) * 7]
        cut = products.pieces(some, 3)
        own = slice(g * 3, (g + 1) * 3)
        assert (cut == vectors[own]).all()
        np.testing.assert_allclose(tables[own], products.plain_tables(weight[:, mine], centroids[own], 0.1))
        one, shift = products.fit_tables(tables[own], codes[own], target[g], seed)
        np.testing.assert_allclose(fitted[own], one)
        for node, alone in (
                (whole, products.lookup("p", "x", one, bias[mine] + shift, Nearest(centroids[own]), reduction=7,
                                        scale=1.0)),
                (dense, products.dense("p", "x", weight[:, mine], bias[mine], input_scale=0.1, scale=1.0))):
            expected = golden.evaluate(alone, some.T)
            assert (golden.evaluate(node.group(g), some.T) == expected).all()
            assert (golden.evaluate(node, inputs.T)[:, mine] == expected).all()

"""model.kernels: exact at the extremes, ties and halves by hand."""

import numpy as np
import pytest

from lutra_model import kernels
from lutra_model.params import DISTANCES, Metric


@pytest.mark.parametrize("value", [-128, 127])
@pytest.mark.parametrize("reduction", [1024, 1025, 5000])
def test_products_beyond_float32_are_exact(value: int, reduction: int) -> None:
    weights = np.full((reduction, 2), -128, np.int8)
    weights[0, 1] = 1
    columns = np.full((reduction, 3), value, np.int8)
    expected = [-128 * value * reduction, -128 * value * (reduction - 1) + value]
    assert kernels.multiply(columns, weights).tolist() == [expected] * 3
    both = kernels.multiply_groups(np.stack([columns, 0 * columns]), np.stack([weights, weights]))
    assert both.tolist() == [[*expected, 0, 0]] * 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("entries", [2, 16, 64])
def test_many_rows_take_the_paired_tables_and_agree(seed: int, entries: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(-128, 128, (3, entries, 4), np.int8)
    indices = rng.integers(0, entries, (3, entries**2 + 7)).astype(np.uint8)
    naive = [[sum(int(table[k, indices[k, m], n]) for k in range(3)) for n in range(4)]
             for m in range(indices.shape[1])]
    assert kernels.lookup(table, indices).tolist() == naive


@pytest.mark.parametrize("codebooks", [255, 256, 300])
def test_sums_of_extreme_entries_do_not_wrap(codebooks: int) -> None:
    table = np.full((codebooks, 2, 1), -128, np.int8)
    assert kernels.lookup(table, np.zeros((codebooks, 9), np.uint8)).tolist() == [[-128 * codebooks]] * 9


@pytest.mark.parametrize("shift", [1, 20, 52, 53, 63])
@pytest.mark.parametrize("seed", [0, 1])
def test_rescale_equals_integer_arithmetic(shift: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sums = np.concatenate([rng.integers(-2**31, 2**31, 500), [-2**31, 2**31 - 1, 0, -1]])[:, None]
    bias, multiplier = rng.integers(-2**31, 2**31, 1), np.array([65535 - seed])
    got = kernels.rescale(sums, bias, multiplier, np.array([shift]), -128, 127)
    exact = [max(-128, min(127, ((s + int(bias[0])) * int(multiplier[0]) + 2**(shift - 1)) >> shift))
             for (s,) in sums.tolist()]
    assert got[:, 0].tolist() == exact


def test_a_half_rounds_up() -> None:
    one = np.ones(1, np.int64)
    got = kernels.rescale(np.array([[-3], [-1], [1], [3]]), 0 * one, one, one, -128, 127)
    assert got[:, 0].tolist() == [-1, 0, 1, 2]


@pytest.mark.parametrize(("metric", "centroids", "index"), [
    (Metric.L2, [(3, 0), (2, 2)], 1), (Metric.L1, [(3, 0), (2, 2)], 0), (Metric.CHEBYSHEV, [(3, 0), (2, 2)], 1),
    (Metric.L2, [(3, 3), (4, 0)], 1), (Metric.L1, [(3, 3), (4, 0)], 1), (Metric.CHEBYSHEV, [(3, 3), (4, 0)], 0),
    *[(metric, [(1, 0), (0, 1), (-1, 0)], 0) for metric in DISTANCES]])
def test_metrics_differ_and_ties_go_to_the_lowest_index(
        metric: Metric, centroids: list[tuple[int, int]], index: int) -> None:
    zero = np.zeros((1, 2, 1), np.int8)
    assert kernels.nearest(zero, np.array([centroids], np.int8), metric).tolist() == [[index]]


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("length", [9, 64])
def test_extreme_distances_are_exact(metric: Metric, length: int) -> None:
    x = np.full((1, length, 1), -128, np.int8)
    centroids = np.full((1, 16, length), 127, np.int8)
    centroids[0, 11, 0] = 126
    expected = 0 if metric is Metric.CHEBYSHEV else 11
    assert kernels.nearest(x, centroids, metric).tolist() == [[expected]]

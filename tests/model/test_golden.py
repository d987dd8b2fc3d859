"""model.golden and model.kernels against naive loops and against published vectors."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lutra_model import algorithm, golden, kernels
from lutra_model.network import Add, AvgPool, MaxPool, Network, Product, Window
from lutra_model.params import Metric

DISTANCE = {Metric.L2: lambda d: sum(x * x for x in d), Metric.L1: lambda d: sum(abs(x) for x in d),
            Metric.CHEBYSHEV: lambda d: max(abs(x) for x in d)}


def layer(seed: int, *, channels: int = 3, columns: int = 5, length: int = 4, entries: int = 8,
          window: Window | None = None, metric: Metric = Metric.L2, dense: bool = False) -> Product:
    rng = np.random.default_rng(seed)
    reduction = channels * (window.kernel[0] * window.kernel[1] if window else 1)
    codebooks = reduction if dense else -(-reduction // length)
    return Product(
        name="p", inputs=("input",), scale=0.5, low=-100, high=90, metric=metric, reduction=reduction, window=window,
        table=rng.integers(-128, 128, (codebooks, 1 if dense else entries, columns), np.int8),
        centroids=None if dense else rng.integers(-128, 128, (codebooks, entries, length), np.int8),
        bias=rng.integers(-5000, 5000, columns), multiplier=rng.integers(2**15, 2**16, columns),
        shift=rng.integers(16, 26, columns), table_scale=np.ones(columns))


def naive_rows(x: np.ndarray, window: Window) -> list[list[int]]:
    top, left, _, _ = window.padding
    _, height, width, channels = x.shape
    rows = []
    for image in x.tolist():
        for i in range(window.output(height, width)[0]):
            for j in range(window.output(height, width)[1]):
                row = []
                for c in range(channels):
                    for di in range(window.kernel[0]):
                        for dj in range(window.kernel[1]):
                            r, s = i * window.stride[0] + di - top, j * window.stride[1] + dj - left
                            row.append(image[r][s][c] if 0 <= r < height and 0 <= s < width else 0)
                rows.append(row)
    return rows


def naive_product(node: Product, rows: list[list[int]]) -> list[list[int]]:
    codebooks, _, columns = node.table.shape
    length = 1 if node.centroids is None else node.centroids.shape[2]
    out = []
    for row in rows:
        row = row + [0] * (codebooks * length - len(row))
        sums = [0] * columns
        for k in range(codebooks):
            part = row[k * length:(k + 1) * length]
            if node.centroids is None:
                terms = [part[0] * w for w in node.table[k, 0].tolist()]
            else:
                distances = [DISTANCE[node.metric]([a - p for a, p in zip(part, centroid, strict=True)])
                             for centroid in node.centroids[k].tolist()]
                terms = node.table[k, distances.index(min(distances))].tolist()
            sums = [s + t for s, t in zip(sums, terms, strict=True)]
        out.append([max(node.low, min(node.high, ((s + b) * m + 2**(h - 1)) // 2**h)) for s, b, m, h in zip(
            sums, node.bias.tolist(), node.multiplier.tolist(), node.shift.tolist(), strict=True)])
    return out


WINDOWS = [Window(kernel=(3, 3), padding=(1, 1, 1, 1)), Window(kernel=(3, 3), stride=(2, 2), padding=(0, 0, 1, 1)),
           Window(kernel=(1, 1), stride=(2, 1)), Window(kernel=(2, 3), stride=(1, 2), padding=(1, 0, 0, 2))]


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w.kernel}-{w.stride}")
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_product_equals_naive_loops(metric: Metric, window: Window, dense: bool, seed: int) -> None:
    node = layer(seed, window=window, metric=metric, dense=dense)
    x = np.random.default_rng(seed + 10).integers(-128, 128, (2, 5, 6, 3), np.int8)
    got = golden.evaluate(node, x)
    assert got.reshape(-1, 5).tolist() == naive_product(node, naive_rows(x, window))
    assert got.shape[1:] == node.shape(x.shape[1:])


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
    *[(metric, [(1, 0), (0, 1), (-1, 0)], 0) for metric in Metric]])
def test_metrics_differ_and_ties_go_to_the_lowest_index(
        metric: Metric, centroids: list[tuple[int, int]], index: int) -> None:
    zero = np.zeros((1, 2, 1), np.int8)
    assert kernels.nearest(zero, np.array([centroids], np.int8), metric).tolist() == [[index]]


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("length", [9, 64])
def test_extreme_distances_are_exact(metric: Metric, length: int) -> None:
    x = np.full((1, length, 1), -128, np.int8)
    centroids = np.full((1, 16, length), 127, np.int8)
    centroids[0, 11, 0] = 126
    expected = 0 if metric is Metric.CHEBYSHEV else 11
    assert kernels.nearest(x, centroids, metric).tolist() == [[expected]]


def test_pools_and_add_by_hand() -> None:
    x = np.array([[1, 2, 3], [4, 5, -6], [-7, 8, 9]], np.int8).reshape(1, 3, 3, 1)
    window = Window(kernel=(2, 2), stride=(2, 2), padding=(0, 0, 1, 1))
    largest = golden.evaluate(MaxPool(name="m", inputs=("input",), scale=1.0, window=window), x)
    assert largest[0, :, :, 0].tolist() == [[5, 3], [8, 9]]
    mean = AvgPool(name="a", inputs=("input",), scale=1.0, multiplier=1, shift=2, window=window)
    assert golden.evaluate(mean, x)[0, :, :, 0].tolist() == [[3, -1], [0, 2]]
    whole = replace(mean, window=None, multiplier=2, shift=1)
    assert golden.evaluate(whole, x).tolist() == [[[[19]]]]
    added = Add(name="s", inputs=("a", "b"), scale=1.0, low=0, multipliers=(3, 2), shift=2)
    assert golden.evaluate(added, x, x)[0, :, :, 0].tolist() == [[1, 3, 4], [5, 6, 0], [0, 10, 11]]


def network(seed: int = 0) -> Network:
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    first = layer(seed, channels=1, columns=4, length=3, window=window)
    return Network(name="n", input_shape=(5, 5, 1), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        first, replace(layer(seed + 1, channels=4, columns=4, length=9, window=window), name="q", inputs=("p",)),
        Add(name="s", inputs=("p", "q"), scale=0.5, multipliers=(16384, 16384), shift=15)))


def test_parts_of_a_batch_are_independent() -> None:
    x = np.random.default_rng(0).integers(0, 256, (7, 5, 5, 1)).astype(np.uint8)
    whole = golden.run(network(), x)
    for i in range(7):
        assert (golden.run(network(), x[i:i + 1])["s"][0] == whole["s"][i]).all()


@pytest.mark.parametrize(("x", "message"), [
    (np.zeros((2, 5, 4, 1), np.int8), "input of network n must have shape (batch, 5, 5, 1), not (2, 5, 4, 1)"),
    (np.zeros((2, 5, 5, 1), np.int32),
     "input of network n must be int8, a uint8 image or floating point, not int32"),
    (np.full((1, 5, 5, 1), np.nan), "input of network n must be finite, but it holds NaN or infinity")])
def test_wrong_input_is_refused(x: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        golden.run(network(), x)


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_float_algorithm_is_within_its_bound(metric: Metric, dense: bool, seed: int) -> None:
    node = layer(seed, metric=metric, dense=dense, channels=16, length=4)
    factor = node.multiplier * 2.0**-node.shift
    node = replace(node, low=-128, high=127, scale=1.0, table_scale=factor)
    x = np.random.default_rng(seed).integers(-128, 128, (50, 16), np.int8)
    real = algorithm.evaluate(node, 1.0, x.astype(np.float64))
    got = golden.evaluate(node, x)
    inside = (real > -128) & (real < 127)
    assert inside.any()
    assert np.abs(real - got)[inside].max() <= 0.5

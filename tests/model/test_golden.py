"""model.golden and model.kernels against naive loops and against published vectors."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lutra_model import algorithm, golden, kernels
from lutra_model.network import (
    Add,
    AvgPool,
    Concat,
    Elementwise,
    MaxPool,
    Multiply,
    Network,
    Permute,
    Product,
    Softmax,
    Window,
)
from lutra_model.params import DISTANCES, Metric
from tests.coded import coded

DISTANCE = {Metric.L2: lambda d: sum(x * x for x in d), Metric.L1: lambda d: sum(abs(x) for x in d),
            Metric.CHEBYSHEV: lambda d: max(abs(x) for x in d)}


def layer(seed: int, *, channels: int = 3, columns: int = 5, length: int = 4, entries: int = 8,
          window: Window | None = None, metric: Metric = Metric.L2, dense: bool = False, groups: int = 1) -> Product:
    """A random layer; ``channels`` and ``columns`` are those of one group."""
    rng = np.random.default_rng(seed)
    reduction = channels * (window.kernel[0] * window.kernel[1] if window else 1)
    codebooks = groups * (reduction if dense else -(-reduction // length))
    return Product(
        name="p", inputs=("input",), scale=0.5, low=-100, high=90, reduction=reduction, window=window,
        table=rng.integers(-128, 128, (codebooks, 1 if dense else entries, columns), np.int8),
        coding=coded(None if dense else rng.integers(-128, 128, (codebooks, entries, length), np.int8), metric),
        bias=rng.integers(-5000, 5000, groups * columns), multiplier=rng.integers(2**15, 2**16, groups * columns),
        shift=rng.integers(16, 26, groups * columns), table_scale=np.ones(groups * columns), groups=groups)


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


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w.kernel}-{w.stride}")
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_product_equals_naive_loops(metric: Metric, window: Window, dense: bool, seed: int) -> None:
    node = layer(seed, window=window, metric=metric, dense=dense)
    x = np.random.default_rng(seed + 10).integers(-128, 128, (2, 5, 6, 3), np.int8)
    got = golden.evaluate(node, x)
    assert got.reshape(-1, 5).tolist() == naive_product(node, naive_rows(x, window))
    assert got.shape[1:] == node.shape(x.shape[1:])


def naive_groups(node: Product, rows: list[list[int]]) -> list[list[int]]:
    """Each group a layer of its own, cut out here by hand."""
    codebooks, _, columns = node.table.shape
    parts = []
    for g in range(node.groups):
        books = range(g * codebooks // node.groups, (g + 1) * codebooks // node.groups)
        mine = range(g * columns, (g + 1) * columns)
        one = replace(node, groups=1, table=node.table[books], bias=node.bias[mine], shift=node.shift[mine],
                      coding=coded(None if node.centroids is None else node.centroids[books], node.metric),
                      multiplier=node.multiplier[mine], table_scale=node.table_scale[mine])
        parts.append(naive_product(one, [row[g * node.reduction:(g + 1) * node.reduction] for row in rows]))
    return [[value for part in row for value in part] for row in zip(*parts, strict=True)]


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize(("groups", "channels", "columns"), [(6, 1, 1), (6, 1, 2), (2, 3, 4), (3, 2, 1)])
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_grouped_product_equals_naive_loops(metric: Metric, groups: int, channels: int, columns: int, dense: bool,
                                            seed: int) -> None:
    window = WINDOWS[seed]
    node = layer(seed, window=window, metric=metric, dense=dense, groups=groups, channels=channels, columns=columns)
    x = np.random.default_rng(seed + 10).integers(-128, 128, (2, 5, 6, 6), np.int8)
    got = golden.evaluate(node, x)
    assert got.reshape(-1, groups * columns).tolist() == naive_groups(node, naive_rows(x, window))
    assert got.shape[1:] == node.shape(x.shape[1:])
    assert node.macs(x.shape[1:]) == got[0].size * channels * 9
    assert node.lookups(x.shape[1:]) == got[0].size * (channels * 9 if dense else -(-channels * 9 // 4))
    flat = layer(seed, metric=metric, dense=dense, groups=groups, channels=channels, columns=columns)
    y = golden.evaluate(flat, x.reshape(-1, 6))
    assert y.tolist() == naive_groups(flat, x.reshape(-1, 6).tolist())


@pytest.mark.parametrize("window", [*WINDOWS, None], ids=str)
@pytest.mark.parametrize("block", [1, 300, 1000])
def test_rows_in_blocks_equal_all_at_once(window: Window | None, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    node = layer(3, window=window)
    x = np.random.default_rng(3).integers(-128, 128, (3, 9, 7, 3) if window else (3, 3), np.int8)
    whole = golden.evaluate(node, x)
    monkeypatch.setattr(golden, "BLOCK", block)
    np.testing.assert_array_equal(golden.evaluate(node, x), whole)


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


@pytest.mark.parametrize("seed", range(3))
def test_host_nodes_equal_naive_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-128, 128, (2, 3, 4, 5), np.int8) for _ in range(2))
    each = [(n, i, j, c) for n in range(2) for i in range(3) for j in range(4) for c in range(5)]
    for columns in (1, 5):
        table = rng.integers(-128, 128, (256, columns), np.int8)
        got = golden.evaluate(Elementwise(name="e", inputs=("a",), scale=1.0, table=table), a)
        assert all(got[at] == table[int(a[at]) + 128, at[3] % columns] for at in each)
    gate = Multiply(name="m", inputs=("a", "b"), scale=1.0, low=-50, high=100, multiplier=5, shift=9)
    got, pixel = golden.evaluate(gate, a, b), golden.evaluate(gate, a, b[:, :1, :1])
    assert all(got[at] == max(-50, min(100, (int(a[at]) * int(b[at]) * 5 + 256) // 512)) for at in each)
    assert all(pixel[n, i, j, c] == golden.evaluate(gate, a[n:n + 1], b[n:n + 1, :1, :1] + 0 * a[n:n + 1])[0, i, j, c]
               for n, i, j, c in each)
    order = rng.integers(0, 60, 24)
    moved = golden.evaluate(Permute(name="p", inputs=("a",), scale=1.0, order=order, to=(2, 3, 4)), a)
    assert [moved[n].ravel().tolist() for n in range(2)] == [[a[n].ravel()[k] for k in order] for n in range(2)]
    joined = golden.evaluate(Concat(name="c", inputs=("a", "b"), scale=1.0), a, b[..., :2])
    assert joined.tolist() == [[[[*a[n, i, j], *b[n, i, j, :2]] for j in range(4)] for i in range(3)] for n in range(2)]


@pytest.mark.parametrize("seed", range(3))
def test_softmax_is_within_a_step_of_the_real_one(seed: int) -> None:
    x = np.random.default_rng(seed).integers(-128, 128, (50, 10), np.int8)
    scale = 0.05
    steps = np.array([round(2**16 * math.exp(-scale * d)) for d in range(256)])
    got = golden.evaluate(Softmax(name="s", inputs=("x",), scale=1 / 127, exponentials=steps, peak=127), x)
    for row, found in zip(x.tolist(), got.tolist(), strict=True):
        parts = [math.exp(scale * value) for value in row]
        assert all(abs(127 * part / sum(parts) - value) <= 0.51 for part, value in zip(parts, found, strict=True))


def network(seed: int = 0) -> Network:
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    first = layer(seed, channels=1, columns=4, length=3, window=window)
    return Network(name="n", input_shape=(5, 5, 1), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        first, replace(layer(seed + 1, channels=4, columns=4, length=9, window=window), name="q", inputs=("p",)),
        Add(name="s", inputs=("p", "q"), scale=0.5, multipliers=(16384, 16384), shift=15)))


def test_only_what_is_still_read_is_kept() -> None:
    x = np.random.default_rng(0).integers(0, 256, (7, 5, 5, 1)).astype(np.uint8)
    assert list(golden._run(network(), golden.quantise(network(), x), lambda name: name == "s")) == ["s"]
    np.testing.assert_array_equal(golden.outputs(network(), x), golden.run(network(), x)["s"])


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


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_float_algorithm_is_within_its_bound(metric: Metric, dense: bool, groups: int, seed: int) -> None:
    node = layer(seed, metric=metric, dense=dense, channels=16 // groups, length=4, groups=groups)
    factor = node.multiplier * 2.0**-node.shift
    node = replace(node, low=-128, high=127, scale=1.0, table_scale=factor)
    x = np.random.default_rng(seed).integers(-128, 128, (50, 16), np.int8)
    real = algorithm.evaluate(node, 1.0, x.astype(np.float64))
    got = golden.evaluate(node, x)
    inside = (real > -128) & (real < 127)
    assert inside.any()
    assert np.abs(real - got)[inside].max() <= 0.5


def test_float_algorithm_of_host_nodes() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-100, 100, (2, 3, 4, 5), np.int8) for _ in range(2))
    ramp = np.clip(np.arange(-128, 128)[:, None] // 2, -128, 127).astype(np.int8)
    nodes = [(Elementwise(name="e", inputs=("a",), scale=0.5, table=ramp), (a,)),
             (Concat(name="c", inputs=("a", "b"), scale=0.25), (a, b)),
             (Multiply(name="m", inputs=("a", "b"), scale=16.0, multiplier=2**15, shift=23), (a, b)),
             (Permute(name="p", inputs=("a",), scale=0.25, order=rng.permutation(60), to=(60,)), (a,))]
    for node, inputs in nodes:
        real = algorithm.evaluate(node, 0.25, *(x * 0.25 for x in inputs))
        assert np.abs(real / node.scale - golden.evaluate(node, *inputs)).max() <= 0.5, node.name
    scores = Softmax(name="s", inputs=("a",), scale=1 / 127, peak=127,
                     exponentials=np.rint(2**16 * np.exp(-0.25 * np.arange(256))).astype(np.int64))
    real = algorithm.evaluate(scores, 0.25, a * 0.25)
    assert np.abs(real * 127 - golden.evaluate(scores, a)).max() <= 0.51

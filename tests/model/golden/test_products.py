"""model.golden: products, grouped or not, against naive loops."""

from dataclasses import replace

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.network import Product, Window
from lutra_model.params import DISTANCES, Metric
from tests.coded import coded
from tests.model.golden.layers import layer

DISTANCE = {Metric.L2: lambda d: sum(x * x for x in d), Metric.L1: lambda d: sum(abs(x) for x in d),
            Metric.CHEBYSHEV: lambda d: max(abs(x) for x in d)}


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

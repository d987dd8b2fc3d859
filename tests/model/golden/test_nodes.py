"""model.golden: pools, sums and what the host computes, by hand and against naive loops."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.network import Add, AvgPool, Concat, Elementwise, MaxPool, Multiply, Permute, Softmax, Window


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

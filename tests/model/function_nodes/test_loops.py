"""Functions, row softmax and layer norm: golden against naive loops."""

import numpy as np
import pytest

from lutra_model import function_golden, function_makers, golden
from tests.functions import function, layer_norm, row_softmax
from tests.model.function_nodes.naive import clamp, naive_norm, naive_softmax, rows

SIZES = [1, 2, 7, 48, 197, 768, 2048]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("channels", SIZES)
def test_rows_equal_naive_loops(channels: int, seed: int) -> None:
    rng, x = np.random.default_rng(seed), rows(seed, channels, 12)
    shares, norm = row_softmax(rng, "s", "input"), layer_norm(rng, "n", "input", channels)
    assert golden.evaluate(shares, x).tolist() == [naive_softmax(shares, row) for row in x.tolist()]
    assert golden.evaluate(norm, x).tolist() == [naive_norm(norm, row) for row in x.tolist()]


@pytest.mark.parametrize("seed", range(6))
def test_functions_equal_naive_loops(seed: int) -> None:
    node, x = function(np.random.default_rng(seed), "f", "input"), np.arange(-128, 128).astype(np.int8)
    for one, value in zip(x.tolist(), golden.evaluate(node, x).tolist(), strict=True):
        wide = clamp((one * node.multiplier + 2 ** (node.shift - 1)) // 2**node.shift, -(2**15), 2**15 - 1)
        assert value == clamp(int(node.function.evaluate(wide)), node.low, node.high)


def test_a_planted_bug_in_the_golden_model_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leading one that is found in floating point rounds up: 2^15 - 1 of 24 bits would count as the next place."""
    x, node = rows(0, 197), function_makers.row_softmax("s", "x", input_scale=0.1)
    monkeypatch.setattr(function_golden, "leading_one",
                        lambda values: np.rint(np.log2(values.astype(float))).astype(np.int64))
    with pytest.raises(AssertionError):
        assert golden.evaluate(node, x).tolist() == [naive_softmax(node, row) for row in x.tolist()]


def test_the_leading_one_is_exact() -> None:
    values = np.array([number for bits in range(1, 50) for number in (2**bits - 1, 2**bits, 2**bits + 1)])
    assert function_golden.leading_one(values).tolist() == [int(value).bit_length() - 1 for value in values]

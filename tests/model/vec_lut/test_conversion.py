"""Vec-LUT's weights and tokens, quantised as published."""

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.graph import Affine
from lutra_model.network import Window
from lutra_model.schemes import Layer as ToConvert
from lutra_model.schemes import Options
from lutra_model.schemes.vec_lut import VecLut, quantise_tokens, ternarise
from tests.model.vec_lut.layers import GROUPS


def test_tokens_are_quantised_by_their_largest_magnitude() -> None:
    """x = [-10, 1]; vlut.cpp takes the largest value, 1, and clips."""
    q, scale = quantise_tokens(np.array([[-10.0, 1.0], [0.0, 0.0]]))
    assert (q.tolist(), scale.tolist()) == ([[-127, 13], [0, 0]], [10 / 127, 0])
    q, scale = quantise_tokens(np.array([[-10.0, 1.0]]), compat="vlut-max")
    assert (q.tolist(), scale.tolist()) == ([[-128, 127]], [1 / 127])
    with pytest.raises(ValueError, match=r"^compat must be vlut-max or None, not max$"):
        quantise_tokens(np.zeros((1, 1)), compat="max")  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", ["mse", "absmean"])
def test_ternary_weights_stay_what_they_are(threshold: str) -> None:
    rng = np.random.default_rng(3)
    weights, scale = rng.integers(-1, 2, (24, 5)), rng.uniform(0.1, 2, 5)
    found, step = ternarise(weights * scale, threshold)
    assert np.array_equal(found, weights)
    assert np.allclose(step, scale if threshold == "mse" else scale * np.abs(weights).mean(axis=0))


def test_absmean_is_that_of_bitnet() -> None:
    """Mean magnitude 1: from half of it on a weight counts (0.5 rounds to even)."""
    weights, scale = ternarise(np.array([[0.5], [-0.6], [2.5], [0.4]]), "absmean")
    assert (weights[:, 0].tolist(), scale.tolist()) == ([0, -1, 1, 0], [1.0])


@pytest.mark.parametrize("group", GROUPS)
def test_a_converted_layer_is_the_float_layer_of_its_ternary_weights(group: int) -> None:
    rng = np.random.default_rng(group)
    window = Window(kernel=(2, 2))
    weight, bias = rng.integers(-1, 2, (28, 6)) * rng.uniform(0.2, 0.4, 6), rng.normal(size=6)
    step = Affine(name="c", inputs=("input",), tensor="c", places=None, weight=weight, bias=bias,  # type: ignore[arg-type]
                  window=window, groups=1)
    x = rng.integers(-128, 128, (40, 3, 3, 7), np.int8)
    columns = golden.windows(x, window)
    real = (columns.T * 0.02) @ weight + bias
    scale = float(np.abs(real).max()) / 127
    node = VecLut().product(ToConvert(step=step, source="input", input_scale=0.02, scale=scale, low=-128, high=127,
                                      columns=lambda: columns, target=lambda: real), Options(group=group))
    bound = 0.5 + node.table_scale.max() / scale / 2 + 0.01  # output and bias rounded, multiplier
    assert np.abs(golden.finish(node, golden.accumulate(node, columns)) - real / scale).max() <= bound
    ordered = golden.ordered(node, columns)[0].T * 0.02
    assert np.allclose(node.coding.float_sums(node, ordered, 0.02) + bias, real)

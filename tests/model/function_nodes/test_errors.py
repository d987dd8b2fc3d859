"""Functions, row softmax and layer norm: golden against the real functions."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from lutra_model import algorithm, function_golden, function_makers, golden
from lutra_model.network import Network
from lutra_model.nnlut.functions import gelu
from lutra_model.nnlut.integers import problems
from tests.model.function_nodes.naive import rows
from tests.model.function_nodes.test_loops import SIZES

SCALES = [0.01, 0.05, 0.1, 0.4, 2.0]


@pytest.mark.parametrize("channels", SIZES)
@pytest.mark.parametrize("scale", SCALES)
def test_softmax_is_near_the_real_one(channels: int, scale: float) -> None:
    node, x = function_makers.row_softmax("s", "x", input_scale=scale), rows(channels, channels)
    below = (x.astype(float) - x.max(axis=-1, keepdims=True)) * scale
    real = np.exp(below) / np.exp(below).sum(axis=-1, keepdims=True)
    shares = function_golden.softmax_shares(node, x) / 2**15
    assert np.abs(shares - real).max() < 0.005 + channels / 2**15, "an exponential is a whole number of 2^-15"
    assert np.abs(shares - real)[7:].max() < 0.01, "random rows"
    assert (np.abs(shares.sum(axis=-1) - 1) < 0.001 + channels / 2**15).all(), "each share is floored by up to 2^-15"
    y = golden.evaluate(node, x)
    assert np.abs(y * node.scale - real).max() < (0.5 + 127 * 0.005 + channels / 2**8) * node.scale
    assert (y >= 0).all()
    order = np.argsort(x, axis=-1, kind="stable")
    assert (np.diff(np.take_along_axis(y, order, axis=-1).astype(int), axis=-1) >= 0).all(), "order is kept"


@pytest.mark.parametrize("scale", [*SCALES, 1e-3, 5.0, 11.0, 50.0])
def test_the_exponential_rises_and_ends_at_nothing(scale: float) -> None:
    table = function_makers.exponential(scale)
    assert problems(table, rising=True) == []
    below = np.arange(-255, 1)
    found = np.clip(table.evaluate(below), 0, 2**15 - 1)
    assert np.abs(found - 2**15 * np.exp(below * scale)).max() < 250
    assert found[-1] > 2**15 - 200
    far = 2**15 * np.exp(below * scale) < 0.1
    assert (found[far] <= 2).all(), "long rows of almost nothing must not sum up"


def real_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> np.ndarray:
    return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) + beta


@pytest.mark.parametrize("channels", [5, 16, 77, 197, 768, 2048])
@pytest.mark.parametrize("scale", [0.02, 0.3])
def test_norm_is_near_the_real_one(channels: int, scale: float) -> None:
    rng, x = np.random.default_rng(channels), rows(channels, channels)
    gamma, beta = rng.normal(0, 1, channels), rng.normal(0, 1, channels)
    gamma[:3], beta[:3] = [0, 1e-7, -2], [1.5, -1, 0]
    out = float(np.abs(gamma).max() * 5 / 127)
    exact = 1 / channels**2 * scale**2  # an epsilon that is a whole number of input steps
    node = function_makers.layer_norm("n", "x", gamma, beta, input_scale=scale, scale=out, epsilon=exact * channels)
    assert node.epsilon == channels
    real = np.clip(real_norm(x * scale, gamma, beta, exact * channels) / out, -128, 127)
    found = golden.evaluate(node, x)
    assert np.abs(found - real).max() < 0.5 + 0.15 + 0.0006 * 128
    assert (node.multiplier < 0).any()


def test_a_constant_row_is_the_bias() -> None:
    beta = np.array([0.0, 1.0, -0.5, 3.0, 0.26])
    node = function_makers.layer_norm("n", "x", np.array([1, -1, 0, 2, 1e-3]), beta, input_scale=0.05, scale=0.1)
    x = np.repeat(np.array([[-128], [127], [0], [3]]), 5, axis=1).astype(np.int8)
    assert golden.evaluate(node, x).tolist() == [[0, 10, -5, 30, 3]] * 4


def test_norms_of_extreme_rows() -> None:
    """One value apart from 2047 others is sqrt(2047) deviations away: 2^12 times that still fits 20 bits."""
    node = function_makers.layer_norm("n", "x", np.ones(2048), np.zeros(2048), input_scale=0.05, scale=0.5)
    x = np.full((1, 2048), -128, np.int8)
    x[0, 1000] = 127
    values = function_golden.norm_values(node, x)
    assert abs(values[0, 1000] / 2**12 - sqrt(2047)) < 0.03
    assert values.max() < 2**19
    assert golden.evaluate(node, x)[0, 1000] in (90, 91), "90.49 steps"
    one = function_makers.layer_norm("n", "x", np.ones(1), np.ones(1), input_scale=0.05, scale=0.5)
    assert golden.evaluate(one, np.array([[-128], [127]], np.int8)).tolist() == [[2], [2]]


@pytest.mark.parametrize(("real", "scale"), [(gelu, 0.02), (gelu, 0.3), (np.tanh, 0.05), (np.exp, 0.02)])
def test_functions_are_near_the_real_ones_at_every_input(real: object, scale: float) -> None:
    assert callable(real)
    inputs = np.arange(-128, 128)
    wanted = real(inputs * scale)
    out = float(np.abs(wanted).max()) / 127
    node = function_makers.function("f", "x", real, input_scale=scale, scale=out)
    found = golden.evaluate(node, inputs.astype(np.int8))
    assert np.abs(found - wanted / out).max() < 1.0
    whole = Network(name="n", input_shape=(256,), input_scale=scale, nodes=(replace(node, inputs=("input",)),))
    values = algorithm.run(whole, inputs[None] * scale)["f"][0]
    assert np.abs(values - wanted).max() < 0.6 * out


def test_calibration_makes_the_error_of_what_comes_small() -> None:
    rng = np.random.default_rng(0)
    seen = np.clip(np.rint(rng.normal(-20, 12, 4000)), -128, 127).astype(np.int8)
    common = {"input_scale": 0.05, "scale": 6.4 / 32767}  # no clamp at 8 bits: the tables themselves are compared
    away = []
    for given in (None, seen * 0.05):
        node = function_makers.function("f", "x", gelu, low=-32768, high=32767, seen=given, **common)
        x = seen.astype(np.int64)
        away.append(np.abs(node.function.evaluate(x * 256) * node.scale - gelu(x * 0.05)).mean())
    assert away[1] < away[0] / 1.5

"""Functions, row softmax and layer norm: golden against naive loops, float, the network file and ONNX Runtime."""

from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lutra_model import algorithm, function_golden, function_makers, golden, netfile, onnx_write
from lutra_model.network import LayerNorm, Network, Node, RowSoftmax, Window
from lutra_model.nnlut.functions import gelu
from lutra_model.nnlut.integers import problems
from lutra_model.products import dense
from tests.functions import function, layer_norm, piecewise, row_softmax

SIZES = [1, 2, 7, 48, 197, 768, 2048]
SCALES = [0.01, 0.05, 0.1, 0.4, 2.0]


def rows(seed: int, channels: int, count: int = 40) -> np.ndarray:
    """Random rows of several spreads, and adversarial ones: constant, one large, two levels, all values, extremes."""
    rng = np.random.default_rng(seed)
    spread = rng.choice([0, 1, 3, 20, 60, 300], (count, 1))
    found = np.clip(np.rint(rng.normal(rng.normal(0, 20, (count, 1)), spread, (count, channels))), -128, 127)
    found[0], found[1], found[2], found[3] = -128, 127, 0, np.arange(channels) % 256 - 128
    found[4], found[5] = -128, np.where(np.arange(channels) % 2, -128, 127)
    found[4, rng.integers(channels)] = 127
    found[6] = 5
    found[6, 0] = 6
    return found.astype(np.int8)


def clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def finished(value: int, multiplier: int, shift: int, node: Node) -> int:
    return clamp((value * multiplier + 2 ** (shift - 1)) // 2**shift, node.low, node.high)


def naive_softmax(node: RowSoftmax, row: list[int]) -> list[int]:
    parts = [clamp(int(node.exponential.evaluate(x - max(row))), 0, 32767) for x in row]
    total = max(sum(parts), 1)
    place = len(f"{total:b}") - 1
    mantissa = total * 2**14 // 2**place
    inverse = clamp(int(node.reciprocal.evaluate(mantissa)), 0, 32767)
    return [finished(part * inverse // 2**place, node.multiplier, node.shift, node) for part in parts]


def naive_norm(node: LayerNorm, row: list[int]) -> list[int]:
    count, total = len(row), sum(row)
    spread = count * sum(x * x for x in row) - total * total + node.epsilon
    place = len(f"{spread:b}") - 1
    even = place - place % 2
    inverse = clamp(int(node.root.evaluate(spread * 2**12 // 2**even)), 0, 32767)
    values = [(count * x - total) * inverse // 2 ** (even // 2 + 3) for x in row]
    return [finished(value + int(bias), int(multiplier), int(shift), node) for value, bias, multiplier, shift
            in zip(values, node.bias, node.multiplier, node.shift, strict=True)]


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


def mixed(seed: int, channels: int = 11) -> Network:
    rng = np.random.default_rng(seed)
    wide = dense("wide", "norm", rng.normal(0, 0.3, (channels, 6)), rng.normal(0, 1, 6), input_scale=0.05, scale=0.05,
                 window=Window(kernel=(1, 1)))
    nodes = (layer_norm(rng, "norm", "input", channels), replace(wide, function=piecewise(rng), low=-120),
             function(rng, "bend", "wide"), row_softmax(rng, "shares", "bend"), layer_norm(rng, "last", "shares", 6))
    return Network(name="mixed", input_shape=(2, 3, channels), input_scale=0.05, nodes=nodes)


@pytest.mark.parametrize("seed", range(4))
def test_onnx_runtime_and_the_network_file_agree_with_golden(seed: int, tmp_path: Path) -> None:
    net = mixed(seed)
    x = rows(seed, 11, 24).reshape(4, 2, 3, 11)
    values = golden.run(net, x)
    netfile.save(net, tmp_path / "net.lutra")
    for name, again in golden.run(netfile.load(tmp_path / "net.lutra"), x).items():
        np.testing.assert_array_equal(again, values[name])
    model = onnx_write.export(net)
    for node in net.nodes[:-1]:
        model.graph.output.append(onnx_write.helper.make_tensor_value_info(node.name, 3, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    for name, value in zip(names, session.run(names, {"input": x}), strict=True):
        np.testing.assert_array_equal(value, values[name], err_msg=name)


def test_a_function_joins_the_product_that_it_follows() -> None:
    rng = np.random.default_rng(0)
    common = {"input_scale": 0.05, "window": Window(kernel=(1, 1))}
    wide = dense("wide", "input", rng.normal(0, 0.3, (8, 12)), rng.normal(0, 1, 12), scale=0.04, **common)
    bend = function_makers.function("bend", "wide", gelu, input_scale=0.04, scale=0.04)
    narrow = dense("narrow", "bend", rng.normal(0, 0.3, (12, 8)), rng.normal(0, 1, 8), scale=0.05, **common)
    net = Network(name="n", input_shape=(4, 4, 8), input_scale=0.05, nodes=(wide, bend, narrow))
    joined = function_makers.fused(net)
    assert [node.name for node in joined.nodes] == ["bend", "narrow"]
    x = rng.integers(-128, 128, (5, 4, 4, 8), np.int8)
    apart, whole = golden.run(net, x)["bend"].astype(int), golden.run(joined, x)["bend"].astype(int)
    real = gelu(algorithm.run(Network(name="n", input_shape=(4, 4, 8), input_scale=0.05, nodes=(wide,)),
                              x * 0.05)["wide"]) / 0.04
    inside = (real > -128) & (real < 127)
    assert np.abs(whole - real)[inside].mean() < np.abs(apart - real)[inside].mean(), "one rounding less"
    assert np.abs(whole - apart).max() <= 2
    for kept in (replace(wide, low=0), replace(wide, shift=wide.shift // 4)):
        nodes = (kept, bend, narrow)
        assert len(function_makers.fused(replace(net, nodes=nodes)).nodes) == 3
    twice = replace(narrow, name="other", inputs=("wide",), reduction=12)
    assert len(function_makers.fused(replace(net, nodes=(wide, bend, twice))).nodes) == 3


@pytest.mark.parametrize(("make", "message"), [
    (lambda: replace(row_softmax(np.random.default_rng(0), "s", "x"), shift=0), "^shift of s must be 1 to 63, not 0$"),
    (lambda: row_softmax(np.random.default_rng(0), "s", "x").shape((2, 2, 2049)),
     "^rows of s must have 1 to 2048 channels, not 2049$"),
    (lambda: layer_norm(np.random.default_rng(0), "n", "x", 4).shape((5,)), r"^norm n needs 4 channels, its input is"),
    (lambda: replace(layer_norm(np.random.default_rng(0), "n", "x", 4), epsilon=0), "^epsilon of n must be 1 to 42949"),
    (lambda: replace(layer_norm(np.random.default_rng(0), "n", "x", 4), multiplier=np.full(4, 2**16)),
     "^multiplier of n must be -65535 to 65535, not 65536$"),
    (lambda: function_makers.layer_norm("n", "x", [1.0], [np.nan], input_scale=1, scale=1), "^gamma and beta of n m"),
    (lambda: function_makers.layer_norm("n", "x", np.ones(64), np.ones(64), input_scale=1e-6, scale=1), "^epsilon of"),
    (lambda: function_makers.row_softmax("s", "x", input_scale=0), "^the input scale of a softmax must be above 0")])
def test_bad_nodes_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()


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

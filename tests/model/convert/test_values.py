"""model.convert: integer networks beside the float models that they come from."""

from pathlib import Path

import numpy as np
import pytest

from lutra_model import calibrate, golden, onnx_read
from lutra_model.convert import convert
from tests.model.convert.models import LIMITS, VECTOR, errors, mobile, residual
from tests.model.onnx_text import random, written

NETWORKS = Path(__file__).parents[3] / "lutra" / "networks"


@pytest.mark.parametrize("seed", range(3))
def test_int8_values_stay_close_to_the_float_model(seed: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, seed)
    network = convert(model, x[:100], scheme="int8")
    assert max(errors(network, model, x[100:]).values()) < 0.06
    assert {product.scheme for product in network.products} == {"int8"}


@pytest.mark.parametrize("seed", range(3))
def test_a_mobile_network_stays_close_in_int8(seed: int, tmp_path: Path) -> None:
    model, x = mobile(tmp_path, seed)
    network = convert(model, x[:60], scheme="int8")
    assert {type(node).__name__ for node in network.nodes} == {
        "Product", "Elementwise", "AvgPool", "Multiply", "Add", "MaxPool", "Concat", "Softmax", "Flatten"}
    assert [node.groups for node in network.products] == [1, 8, 1, 2, 1]
    assert network.scale("m") == network.scale("a") == network.scale("n") == network.scale("q")
    assert max(errors(network, model, x[60:]).values()) < 0.12


@pytest.mark.parametrize("scheme", ["int8", "int4", "sign-flip", "bit-serial", "lut-nn", "lut-tc"])
def test_a_norm_that_no_product_absorbs(scheme: str, tmp_path: Path) -> None:
    text = """(float[N,6,4,4] x) => (float y) {
        n = BatchNormalization(x, g, o, m, v)
        y = Relu(n)
    }"""
    weights = random(1, dict.fromkeys("gom", (6,))) | {"v": np.full(6, 0.3, np.float32)}
    model, x = written(tmp_path, text, weights), np.random.default_rng(1).normal(size=(50, 6, 4, 4)).astype(np.float32)
    network = convert(model, x, scheme=scheme)
    assert [type(node).__name__ for node in network.nodes] == [
        "Elementwise" if scheme.startswith("lut") else "Product"]
    assert errors(network, model, x)["n"] < 0.03


def test_relu6_is_a_clamp_of_the_finisher(tmp_path: Path) -> None:
    text = "(float[N,6] x) => (float y) { c = MatMul(x, w)\ny = Clip(c, zero, six) }"
    rng = np.random.default_rng(2)
    model = written(tmp_path, text, {"w": rng.normal(size=(6, 5)).astype(np.float32) * 4} | LIMITS)
    network = convert(model, rng.normal(size=(400, 6)).astype(np.float32), scheme="int8")
    (node,) = network.nodes
    assert (node.low, node.high) == (0, round(6 / node.scale))
    assert 100 < node.high <= 127


def test_sizes_that_the_model_leaves_free_follow_the_data(tmp_path: Path) -> None:
    text = "(float[N,3,h,w] x) => (float y) { c = Conv<kernel_shape=[3,3]>(x, k)\ny = GlobalAveragePool(c) }"
    model = written(tmp_path, text, random(1, {"k": (2, 3, 3, 3)}))
    x = np.random.default_rng(1).normal(size=(20, 3, 9, 7)).astype(np.float32)
    network = convert(model, x, scheme="int8")
    assert network.input_shape == (9, 7, 3)
    real = calibrate.predict(onnx_read.read(model, (3, 9, 7)), x)[:, :, 0, 0]
    assert np.abs(golden.run(network, x.transpose(0, 2, 3, 1))["y"][:, 0, 0] * network.scale("y") - real).max() < 0.05


def test_dead_columns_huge_biases_and_dead_inputs_convert(tmp_path: Path) -> None:
    weights = random(9, {"w": (8, 3), "b": (3,)})
    weights["w"][:, 1] = 0
    weights["w"][:, 2] *= 1e-12
    weights["b"][:] = [0.5, 0, 3]
    model = written(tmp_path, VECTOR, weights)
    x = np.random.default_rng(9).normal(size=(64, 8)).astype(np.float32)
    for scheme in ("int8", "lut-nn"):
        network = convert(model, x, scheme=scheme)
        y = golden.run(network, x)["y"] * network.scale("y")
        assert np.abs(y[:, 1]).max() == 0
        np.testing.assert_allclose(y[:, 2], 3, atol=0.05)
        dead = convert(model, 0 * x, scheme=scheme)
        np.testing.assert_allclose(golden.run(dead, 0 * x)["y"] * dead.scale("y"), [[0.5, 0, 3]] * 64, atol=0.05)


def test_the_embedded_model_keeps_its_accuracy_in_8_bits() -> None:
    images = np.load(NETWORKS / "fashion-test.npz")
    graph = onnx_read.read(NETWORKS / "fashion-resnet8.onnx")
    x = (images["images"].transpose(0, 3, 1, 2) / 255).astype(np.float32)
    network = convert(graph, x[:64], scheme="int8", pixel_scale=1 / 255)
    real = calibrate.predict(graph, x).argmax(axis=1)
    ours = golden.classify(network, images["images"])
    assert (real == images["labels"]).mean() > 0.85
    assert (ours == real).mean() > 0.95

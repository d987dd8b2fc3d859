"""The exported ONNX model in ONNX Runtime against the golden model: every value, every bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lutra_model import golden, netfile, onnx_write
from lutra_model.network import Network
from lutra_model.params import DISTANCES, Metric
from tests.coded import coded
from tests.model.onnx_write.computed import assert_equal, computed
from tests.model.onnx_write.networks import hosted, mixed, product

NETWORKS = Path(__file__).parents[3] / "lutra" / "networks"


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("length", [0, 1, 4, 5])
@pytest.mark.parametrize("seed", [0, 100])
def test_every_value_of_a_mixed_network(seed: int, length: int, metric: Metric) -> None:
    network = mixed(seed, length, metric)
    x = np.random.default_rng(seed).integers(-128, 128, (5, *network.input_shape), np.int8)
    values = golden.run(network, x)
    least = 2 if metric is Metric.TREE else 4  # few sub-vectors come to many leaves
    assert all(len(np.unique(values[node.name])) >= least for node in network.nodes)  # nothing is dead
    assert_equal(network, x)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("length", [0, 1, 4, 9])
@pytest.mark.parametrize("seed", [0, 100])
def test_every_value_of_grouped_layers_and_of_the_host(seed: int, length: int, metric: Metric) -> None:
    network = hosted(seed, length, metric)
    x = np.random.default_rng(seed).integers(-128, 128, (5, *network.input_shape), np.int8)
    values = golden.run(network, x)
    assert all(len(np.unique(values[node.name])) > 3 for node in network.nodes)  # nothing is dead
    assert_equal(network, x)


@pytest.mark.parametrize("metric", DISTANCES)
def test_equal_distances_take_the_lowest_index(metric: Metric) -> None:
    layer = product(1, "p", "input", 4, 6, length=2, entries=16, metric=metric)
    assert layer.centroids is not None
    near = np.random.default_rng(2).integers(-1, 2, layer.centroids.shape, np.int8)  # many equal centroids
    network = Network(name="ties", input_shape=(4,), input_scale=1.0,
                      nodes=(replace(layer, coding=coded(near, metric)),))
    assert_equal(network, np.random.default_rng(3).integers(-2, 3, (64, 4), np.int8))


@pytest.mark.parametrize("shift", [1, 2, 16, 31, 47, 48, 49, 50, 51, 62, 63])
def test_the_finisher_rounds_half_up_at_every_shift(shift: int) -> None:
    rng = np.random.default_rng(shift)
    for bias in (2**31 - 1, -(2**31), 0):
        layer = replace(product(shift, "p", "input", 3, 64), shift=np.full(64, shift), bias=np.full(64, bias),
                        multiplier=rng.integers(0, 2**16, 64) if shift > 20 else rng.integers(0, 3, 64))
        network = Network(name="shifts", input_shape=(3,), input_scale=1.0, nodes=(layer,))
        assert_equal(network, rng.integers(-128, 128, (16, 3), np.int8))


@pytest.mark.parametrize("value", [-128, 127])
@pytest.mark.parametrize("length", [0, 4])
def test_extremes_do_not_overflow(value: int, length: int) -> None:
    layer = product(5, "p", "input", 512, 3, length=length)
    layer = replace(layer, table=np.full_like(layer.table, -128))
    network = Network(name="extremes", input_shape=(512,), input_scale=1.0, nodes=(layer,))
    assert_equal(network, np.full((2, 512), value, np.int8))


def test_a_changed_bit_would_be_seen() -> None:
    network = mixed(0, 4, Metric.L2)
    first = network.products[0]
    wrong = replace(network, nodes=(replace(first, bias=first.bias + 1000), *network.nodes[1:]))
    x = np.random.default_rng(0).integers(-128, 128, (5, 7, 6, 3), np.int8)
    assert (computed(wrong, x)["a"] != golden.run(network, x)["a"]).any()


@pytest.mark.parametrize("name", ["fashion-resnet8", "fashion-resnet8-int8"])
def test_the_embedded_network_on_its_test_images(name: str) -> None:
    network = netfile.load(NETWORKS / f"{name}.lutra")
    x = golden.quantise(network, np.load(NETWORKS / "fashion-test.npz")["images"])
    session = onnxruntime.InferenceSession(onnx_write.export(network).SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    expected = golden.run(network, x)[network.nodes[-1].name]
    found = np.concatenate([session.run(None, {"input": x[i:i + 16]})[0] for i in range(0, len(x), 16)])
    np.testing.assert_array_equal(found, expected)

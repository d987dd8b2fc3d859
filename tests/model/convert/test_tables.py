"""model.convert: tables, plain ones by their formula, fitted ones closer, and trees."""

from pathlib import Path

import numpy as np
import pytest

from lutra import embedded
from lutra_model import golden, onnx_read
from lutra_model.convert import convert
from lutra_model.params import DISTANCES, Metric
from tests.model.convert.models import MOBILE_SHAPES, RESIDUAL_SHAPES, VECTOR, errors, mobile, residual
from tests.model.onnx_text import random, written
from tests.model.onnx_write.computed import assert_equal


@pytest.mark.parametrize("metric", DISTANCES)
def test_a_mobile_network_by_tables(metric: Metric, tmp_path: Path) -> None:
    model, x = mobile(tmp_path, 4)
    network = convert(model, x[:60], metric=metric)
    assert [layer.length for layer in network.layers()] == [9, 9, 4, 4, 4]
    assert [layer.codebooks for layer in network.layers()] == [4, 1, 2, 1, 16]
    assert {node.scheme for node in network.products} == {"lut-nn"}
    assert max(errors(network, model, x[60:]).values()) < 0.7


def test_grouped_plain_tables_are_centroid_times_weight(tmp_path: Path) -> None:
    model, x = mobile(tmp_path, 3)
    network = convert(model, x[:60], refine=False)
    weight = random(3, MOBILE_SHAPES)["w4"]
    layer = next(product for product in network.products if product.name == "p")
    assert layer.centroids is not None
    assert layer.table.shape == (2, 16, 4)
    for column in range(8):
        group, n = divmod(column, 4)
        exact = [sum(int(p) * float(w) for p, w in zip(centroid, weight[column].ravel(), strict=True))
                 * network.scale("u") for centroid in layer.centroids[group]]
        assert layer.table_scale[column] == pytest.approx(np.abs(exact).max() / 127)
        np.testing.assert_array_equal(layer.table[group, :, n], np.rint(np.array(exact) / layer.table_scale[column]))


@pytest.mark.parametrize("metric", DISTANCES)
def test_fitted_tables_are_closer_than_plain_ones(metric: Metric, tmp_path: Path) -> None:
    plain, fitted = [], []
    for seed in (1, 3):
        model, x = residual(tmp_path, seed)
        for refine, found in ((False, plain), (True, fitted)):
            found.append(errors(convert(model, x[:100], metric=metric, refine=refine), model, x[100:]))
    for name in "cdae":  # the last layer has hardly more rows than table entries to fit them
        assert sum(found[name] for found in fitted) < sum(found[name] for found in plain), name
    assert max(found["y"] for found in fitted) < 0.6


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("refine", [False, True])
def test_inputs_that_are_centroids_lose_only_rounding(refine: bool, metric: Metric, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    patterns = rng.integers(-127, 128, (2, 6, 4)) / np.float32(127)  # six vectors for each of two codebooks
    patterns[0, 0, 0] = 1.0  # so that the scale of the input is 1 / 127
    choice = rng.integers(0, 6, (2, 400))
    x = np.concatenate([patterns[0, choice[0]], patterns[1, choice[1]]], axis=1)
    model = written(tmp_path, VECTOR, random(12, {"w": (8, 3), "b": (3,)}))
    network = convert(model, x, entries=6, metric=metric, refine=refine)
    assert network.input_scale == pytest.approx(1 / 127, rel=1e-6)
    assert errors(network, model, x)["y"] < 0.02


@pytest.mark.parametrize("entries", [4, 16])
def test_trees_are_learned_and_exported(entries: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 1)
    plain, fitted = (convert(model, x[:100], scheme="lut-dla", metric=Metric.TREE, entries=entries, refine=refine)
                     for refine in (False, True))
    assert {(node.scheme, node.coding.kind) for node in fitted.products} == {("lut-dla", "tree")}
    assert errors(fitted, model, x[100:])["y"] < errors(plain, model, x[100:])["y"] < 1
    network_input = onnx_read.read(model).places.ours(x[100:120])
    assert_equal(fitted, golden.quantise(fitted, network_input))


def test_trees_need_their_scheme_and_a_power_of_two(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 1)
    with pytest.raises(ValueError, match=r"^metric of scheme lut-nn must be l2, l1, chebyshev, not tree$"):
        convert(model, x[:100], metric=Metric.TREE)
    with pytest.raises(ValueError, match=r"^entries of a tree must be a power of two from 2 to 256, not 12$"):
        convert(model, x[:100], scheme="lut-dla", metric=Metric.TREE, entries=12)


@pytest.mark.slow
def test_encoders_on_the_default_network() -> None:
    """Without training, 128 images to learn from, 128 others to be right about: cheaper encoders are worse."""
    images, labels = embedded.test_set()
    data = (images[:128] / np.float32(255)).transpose(0, 3, 1, 2)
    right = {metric: (golden.classify(convert(embedded.path("fashion-resnet8.onnx"), data, scheme="lut-dla",
                                              metric=metric, pixel_scale=1 / 255), images[128:]) == labels[128:]).mean()
             for metric in (Metric.L2, Metric.TREE)}
    assert right[Metric.L2] > right[Metric.TREE] > 0.6


def test_plain_tables_are_centroid_times_weight(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 3)
    network = convert(model, x, refine=False)
    weight = random(3, RESIDUAL_SHAPES)["w2"]
    layer = next(product for product in network.products if product.name == "d")
    assert layer.centroids is not None
    for column in range(6):
        exact = [[sum(int(p) * float(w) for p, w in zip(centroid, weight[column, k].ravel(), strict=True))
                  * network.scale("c") for centroid in layer.centroids[k]] for k in range(6)]
        assert layer.table_scale[column] == pytest.approx(np.abs(exact).max() / 127)
        np.testing.assert_array_equal(layer.table[:, :, column], np.rint(np.array(exact) / layer.table_scale[column]))

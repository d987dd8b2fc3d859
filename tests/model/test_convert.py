"""model.convert: integer networks beside the float models that they come from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from lutra_model import calibrate, golden, netfile, onnx_read
from lutra_model.convert import convert, sub_vector_length
from lutra_model.graph import Affine, Layout
from lutra_model.network import Network, Window
from lutra_model.params import Metric

NETWORKS = Path(__file__).parents[2] / "lutra" / "networks"
HEAD = '<ir_version: 8, opset_import: ["" : 13]> net '
RESIDUAL = HEAD + """(float[N,3,8,8] x) => (float[N,4] y) {
    c = Conv<kernel_shape=[3,3], pads=[1,1,1,1]>(x, w1, b1)
    r = Relu(c)
    d = Conv<kernel_shape=[3,3], pads=[1,1,1,1]>(r, w2)
    a = Add(d, r)
    s = Relu(a)
    m = MaxPool<kernel_shape=[2,2], strides=[2,2]>(s)
    e = Conv<kernel_shape=[1,1], strides=[1,1]>(m, w3)
    k = Relu(e)
    g = AveragePool<kernel_shape=[2,2], strides=[2,2]>(k)
    f = Flatten(g)
    y = Gemm<transB=1>(f, w4, b4)
}"""
RESIDUAL_SHAPES = {"w1": (6, 3, 3, 3), "b1": (6,), "w2": (6, 6, 3, 3), "w3": (5, 6, 1, 1), "w4": (4, 20), "b4": (4,)}
VECTOR = HEAD + "(float[N,8] x) => (float[N,3] y) { y = Gemm(x, w, b) }"


def written(path: Path, text: str, weights: Mapping[str, NDArray[Any]]) -> Path:
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in weights.items())
    onnx.save(model, path / "net.onnx")
    return path / "net.onnx"


def random(seed: int, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {name: (rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
            for name, shape in shapes.items()}


def residual(path: Path, seed: int) -> tuple[Path, NDArray[np.float32]]:
    """A model and smooth images for it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 3, 2, 2)).repeat(4, axis=2).repeat(4, axis=3) + rng.normal(size=(200, 3, 8, 8)) / 8
    return written(path, RESIDUAL, random(seed, RESIDUAL_SHAPES)), x.astype(np.float32)


def errors(network: Network, model: Path, x: NDArray[np.float32]) -> dict[str, float]:
    """Of every value: root mean square error over root mean square."""
    graph = onnx_read.read(model)
    real = calibrate.collect(graph, x)
    ours = golden.run(network, real["input"])
    found = {}
    for step in graph.steps:
        expected = np.maximum(real[step.name], 0) if step.relu else real[step.name]
        difference = ours[step.name] * network.scale(step.name) - expected
        found[step.name] = float(np.sqrt((difference**2).mean() / (expected**2).mean()))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_int8_values_stay_close_to_the_float_model(seed: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, seed)
    network = convert(model, x[:100], scheme="int8")
    assert max(errors(network, model, x[100:]).values()) < 0.06
    assert {product.scheme for product in network.products} == {"int8"}


@pytest.mark.parametrize("metric", Metric)
def test_fitted_tables_are_closer_than_plain_ones(metric: Metric, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 7)
    plain, fitted = (errors(convert(model, x[:100], metric=metric, refine=refine), model, x[100:])
                     for refine in (False, True))
    assert fitted["y"] < plain["y"]
    assert fitted["y"] < 0.6


@pytest.mark.parametrize("metric", Metric)
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


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 5)
    for name, seed in [("one", 0), ("two", 0), ("other", 1)]:
        netfile.save(convert(model, x[:40], seed=seed), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(("kernel", "channels", "length"), [
    ((3, 3), 16, 9), ((3, 3), 4, 9), ((3, 3), 3, 3), ((3, 3), 1, 3), ((5, 5), 16, 5), ((1, 3), 8, 3), ((1, 1), 16, 4),
    (None, 64, 4)])
def test_default_sub_vector_lengths(kernel: tuple[int, int] | None, channels: int, length: int) -> None:
    size = channels * (kernel[0] * kernel[1] if kernel else 1)
    step = Affine(name="a", inputs=("input",), tensor="a", layout=Layout(), weight=np.zeros((size, 2)),
                  bias=np.zeros(2), window=Window(kernel=kernel) if kernel else None)
    assert sub_vector_length(step) == length


@pytest.mark.parametrize(("lengths", "expected"), [(None, [3, 9, 4, 4]), (5, [5, 5, 5, 5]), ({"d": 6}, [3, 6, 4, 4])])
def test_lengths_can_be_chosen(lengths: Mapping[str, int] | int | None, expected: list[int], tmp_path: Path) -> None:
    model, x = residual(tmp_path, 6)
    network = convert(model, x[:20], lengths=lengths)
    assert [layer.length for layer in network.layers()] == expected
    assert [layer.reduction for layer in network.layers()] == [27, 54, 6, 20]


def test_the_network_tells_where_it_comes_from(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 8)
    network = convert(model, x[:20], scheme="lut-nn", entries=8, metric=Metric.L1, seed=4, name="mine",
                      pixel_scale=1 / 255, classes=("a", "b", "c", "d"))
    assert (network.name, network.pixel_scale, network.classes) == ("mine", 1 / 255, ("a", "b", "c", "d"))
    story = dict(network.provenance)
    assert story.pop("model")["file"] == "net.onnx"
    assert story == {"scheme": "lut-nn", "entries": 8, "metric": "l1", "refine": True, "seed": 4,
                     "calibration_inputs": 20}


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


def test_progress_counts_every_step(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 10)
    seen: list[tuple[str, int, int]] = []
    network = convert(model, x[:10], scheme="int8", progress=lambda *step: seen.append(step))
    count = len(network.nodes)
    assert seen == [("converting to int8", done, count) for done in range(1, count + 1)]


def test_the_embedded_model_keeps_its_accuracy_in_8_bits() -> None:
    images = np.load(NETWORKS / "fashion-test.npz")
    graph = onnx_read.read(NETWORKS / "fashion-resnet8.onnx")
    x = (images["images"].transpose(0, 3, 1, 2) / 255).astype(np.float32)
    network = convert(graph, x[:64], scheme="int8", pixel_scale=1 / 255)
    real = calibrate.predict(graph, x).argmax(axis=1)
    ours = golden.classify(network, images["images"])
    assert (real == images["labels"]).mean() > 0.85
    assert (ours == real).mean() > 0.95


@pytest.mark.parametrize(("change", "sentence"), [
    (lambda x: x[:0], "calibration data must hold at least one input, not 0"),
    (lambda x: np.where(x == x.max(), np.nan, x), "calibration data must be finite, but it holds NaN or infinity"),
    (lambda x: np.where(x == x.max(), np.inf, x), "calibration data must be finite, but it holds NaN or infinity"),
    (lambda x: x.astype(np.float64) * 1e300, "calibration data must be finite, but it holds NaN or infinity"),
    (lambda x: np.sign(x) * np.float32(3.3e38),
     "the model's tensor y must be finite, but calibration makes it NaN or infinite"),
    (lambda x: x[:, 1:], "calibration data must have shape (batch, 8), not (40, 7)"),
    (lambda x: x[0], "calibration data must have shape (batch, 8), not (8,)"),
    (lambda x: x.astype(np.uint8), "calibration data must be floating point, not uint8"),
    (lambda x: x[:15], "layer y must see at least 16 calibration vectors (one for each entry), not 15")])
def test_bad_calibration_data_is_refused(change: Any, sentence: str, tmp_path: Path) -> None:
    model = written(tmp_path, VECTOR, random(13, {"w": (8, 3), "b": (3,)}))
    x = np.random.default_rng(13).normal(size=(40, 8)).astype(np.float32)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        convert(model, change(x))


@pytest.mark.parametrize(("options", "sentence"), [
    ({"scheme": "dln"}, "scheme must be lut-nn or int8, not dln"),
    ({"entries": 1}, "entries must be 2 to 256, not 1"),
    ({"entries": 257}, "entries must be 2 to 256, not 257"),
    ({"lengths": {"z": 3}}, "lengths must name layers (y), not z"),
    ({"lengths": 0}, "sub-vectors of layer y must have at least 1 scalar, not 0"),
    ({"metric": "cosine"}, "metric must be l2, l1 or chebyshev, not cosine")])
def test_bad_options_are_refused(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    model = written(tmp_path, VECTOR, random(14, {"w": (8, 3), "b": (3,)}))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        convert(model, np.zeros((40, 8), np.float32), **options)

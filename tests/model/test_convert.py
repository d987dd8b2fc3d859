"""model.convert: integer networks beside the float models that they come from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from lutra import embedded
from lutra_model import calibrate, golden, netfile, onnx_read
from lutra_model.convert import convert, sub_vector_length
from lutra_model.graph import Affine
from lutra_model.network import Network, Window
from lutra_model.params import DISTANCES, Metric
from lutra_model.places import Places
from lutra_model.schemes import SCHEMES
from tests.model.test_onnx_write import assert_equal

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
        expected = np.clip(real[step.name], step.low, step.high)
        difference = ours[step.name] * network.scale(step.name) - expected
        found[step.name] = float(np.sqrt((difference**2).mean() / (expected**2).mean()))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_int8_values_stay_close_to_the_float_model(seed: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, seed)
    network = convert(model, x[:100], scheme="int8")
    assert max(errors(network, model, x[100:]).values()) < 0.06
    assert {product.scheme for product in network.products} == {"int8"}


MOBILE = HEAD + """(float[N,4,8,8] x) => (float y) {
    c = Conv<kernel_shape=[3,3], pads=[1,1,1,1], strides=[2,2]>(x, w1)
    h = Add(c, three)
    i = Clip(h, zero, six)
    j = Mul(c, i)
    k = Div(j, six)
    d = Conv<group=8, kernel_shape=[3,3], pads=[1,1,1,1]>(k, w2, b2)
    e = Clip(d, zero, six)
    g = GlobalAveragePool(e)
    s = Conv<kernel_shape=[1,1]>(g, w3)
    t = Sigmoid(s)
    u = Mul(t, e)
    p = Conv<group=2, kernel_shape=[1,1]>(u, w4)
    q = Add(p, k)
    m = MaxPool<kernel_shape=[2,2], strides=[2,2]>(q)
    a = AveragePool<kernel_shape=[2,2], strides=[2,2]>(k)
    n = Concat<axis=1>(m, a)
    r = PRelu(n, slope)
    v = Softmax<axis=1>(r)
    f = Flatten(v)
    y = Gemm<transB=1>(f, w5)
}"""
MOBILE_SHAPES = {"w1": (8, 4, 3, 3), "w2": (8, 1, 3, 3), "b2": (8,), "w3": (8, 8, 1, 1), "w4": (8, 4, 1, 1),
                 "w5": (5, 64), "slope": (16, 1, 1)}
LIMITS = {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)}


def mobile(path: Path, seed: int) -> tuple[Path, NDArray[np.float32]]:
    """Every kind of step, and smooth images."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(120, 4, 2, 2)).repeat(4, axis=2).repeat(4, axis=3) * 2 + rng.normal(size=(120, 4, 8, 8)) / 4
    return written(path, MOBILE, random(seed, MOBILE_SHAPES) | LIMITS), x.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_a_mobile_network_stays_close_in_int8(seed: int, tmp_path: Path) -> None:
    model, x = mobile(tmp_path, seed)
    network = convert(model, x[:60], scheme="int8")
    assert {type(node).__name__ for node in network.nodes} == {
        "Product", "Elementwise", "AvgPool", "Multiply", "Add", "MaxPool", "Concat", "Softmax", "Flatten"}
    assert [node.groups for node in network.products] == [1, 8, 1, 2, 1]
    assert network.scale("m") == network.scale("a") == network.scale("n") == network.scale("q")
    assert max(errors(network, model, x[60:]).values()) < 0.12


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


@pytest.mark.parametrize("scheme", ["int8", "int4", "sign-flip", "bit-serial", "lut-nn", "lut-tc"])
def test_a_norm_that_no_product_absorbs(scheme: str, tmp_path: Path) -> None:
    text = HEAD + """(float[N,6,4,4] x) => (float y) {
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
    text = HEAD + "(float[N,6] x) => (float y) { c = MatMul(x, w)\ny = Clip(c, zero, six) }"
    rng = np.random.default_rng(2)
    model = written(tmp_path, text, {"w": rng.normal(size=(6, 5)).astype(np.float32) * 4} | LIMITS)
    network = convert(model, rng.normal(size=(400, 6)).astype(np.float32), scheme="int8")
    (node,) = network.nodes
    assert (node.low, node.high) == (0, round(6 / node.scale))
    assert 100 < node.high <= 127


def test_sizes_that_the_model_leaves_free_follow_the_data(tmp_path: Path) -> None:
    text = HEAD + "(float[N,3,h,w] x) => (float y) { c = Conv<kernel_shape=[3,3]>(x, k)\ny = GlobalAveragePool(c) }"
    model = written(tmp_path, text, random(1, {"k": (2, 3, 3, 3)}))
    x = np.random.default_rng(1).normal(size=(20, 3, 9, 7)).astype(np.float32)
    network = convert(model, x, scheme="int8")
    assert network.input_shape == (9, 7, 3)
    real = calibrate.predict(onnx_read.read(model, (3, 9, 7)), x)[:, :, 0, 0]
    assert np.abs(golden.run(network, x.transpose(0, 2, 3, 1))["y"][:, 0, 0] * network.scale("y") - real).max() < 0.05


@pytest.mark.parametrize("activations", ["QUInt8", "QInt8"])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_model_that_onnx_runtime_quantised(activations: str, per_channel: bool, seed: int, tmp_path: Path) -> None:
    from onnxruntime import quantization

    model, x = residual(tmp_path, seed)
    inputs = iter([{"x": row[None]} for row in x[:100]])
    reader = type("Reader", (quantization.CalibrationDataReader,), {"get_next": lambda self: next(inputs, None)})
    quantization.quantize_static(model, tmp_path / "q.onnx", reader(), quant_format=quantization.QuantFormat.QDQ,
                                 activation_type=quantization.QuantType[activations], per_channel=per_channel,
                                 weight_type=quantization.QuantType.QInt8)
    network = convert(tmp_path / "q.onnx", x[:100], scheme="int8")
    graph = onnx_read.read(tmp_path / "q.onnx")
    assert {step.name for step in graph.steps} >= {*graph.ranges} - {"input"}
    real = calibrate.predict(onnx_read.read(model), x[100:])
    ours = golden.run(network, graph.places.ours(x[100:]))[network.nodes[-1].name] * network.nodes[-1].scale
    theirs = calibrate.predict(graph, x[100:])
    power = np.sqrt((real**2).mean())
    assert np.sqrt(((ours - real)**2).mean()) < 0.06 * power
    assert np.sqrt(((ours - theirs)**2).mean()) < 0.06 * power


def test_quantised_ranges_give_the_scales(tmp_path: Path) -> None:
    text = HEAD + """(float[N,4] x) => (float y) {
        q = QuantizeLinear(x, s, n)
        d = DequantizeLinear(q, s, n)
        c = MatMul(d, w)
        a = QuantizeLinear(c, t, z)
        y = DequantizeLinear(a, t, z)
    }"""
    constants = {"s": np.float32(0.02), "n": np.int8(0), "t": np.float32(0.01), "z": np.uint8(0)}
    model = written(tmp_path, text, random(1, {"w": (4, 3)}) | constants)
    network = convert(model, np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32), scheme="int8")
    assert network.input_scale == pytest.approx(0.02)
    (node,) = network.nodes
    assert node.scale == pytest.approx(2.55 / 127)
    assert (node.low, node.high) == (0, 127)


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


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 5)
    for name, seed in [("one", 0), ("two", 0), ("other", 1)]:
        netfile.save(convert(model, x[:40], seed=seed), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(("kernel", "channels", "groups", "length"), [
    ((3, 3), 16, 1, 9), ((3, 3), 4, 1, 9), ((3, 3), 3, 1, 3), ((3, 3), 1, 1, 3), ((5, 5), 16, 1, 5), ((1, 3), 8, 1, 3),
    ((1, 1), 16, 1, 4), (None, 64, 1, 4), ((3, 3), 1, 8, 9), ((7, 7), 1, 8, 7), ((1, 5), 1, 8, 5), ((3, 3), 4, 2, 9),
    ((1, 1), 2, 4, 2), ((1, 1), 8, 4, 4)])
def test_default_sub_vector_lengths(kernel: tuple[int, int] | None, channels: int, groups: int, length: int) -> None:
    size = channels * (kernel[0] * kernel[1] if kernel else 1)
    step = Affine(name="a", inputs=("input",), tensor="a", places=Places.channels_first((8, 1, 1)), groups=groups,
                  weight=np.zeros((size, 8)), bias=np.zeros(8), window=Window(kernel=kernel) if kernel else None)
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
    ({"scheme": "none"}, f"scheme must be {', '.join(SCHEMES)}, not none"),
    ({"entries": 1}, "entries must be 2 to 256, not 1"),
    ({"entries": 257}, "entries must be 2 to 256, not 257"),
    ({"lengths": {"z": 3}}, "lengths must name layers (y), not z"),
    ({"lengths": 0}, "sub-vectors of layer y must have at least 1 scalar, not 0"),
    ({"metric": "cosine"}, "metric must be l2, l1, chebyshev or tree, not cosine")])
def test_bad_options_are_refused(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    model = written(tmp_path, VECTOR, random(14, {"w": (8, 3), "b": (3,)}))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        convert(model, np.zeros((40, 8), np.float32), **options)

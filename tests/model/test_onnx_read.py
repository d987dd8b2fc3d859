"""model.onnx_read: what it understood, computed here by loops over taps, against ONNX Runtime on the file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from lutra_model import calibrate, onnx_read
from lutra_model.graph import Affine, AveragePool, Flattening, FloatGraph, MaximumPool, Rectifier, Residual
from lutra_model.network import Window

Real = NDArray[np.float64]
HEAD = '<ir_version: 8, opset_import: ["" : {}]> net '


def written(path: Path, text: str, weights: Mapping[str, NDArray[Any]], opset: int = 13) -> Path:
    """A model file from ONNX's own text form and its weights."""
    model = onnx.parser.parse_model(HEAD.format(opset) + text)
    for node in model.graph.node:
        node.name = node.output[0]
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in weights.items())
    onnx.save(model, path / "net.onnx")
    return path / "net.onnx"


def random(seed: int, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0.5, 1.5, shape).astype(np.float32) if name.startswith("v")
            else rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def taps(x: Real, window: Window, fill: float) -> Real:
    """``(batch, height, width, channels, taps)``."""
    top, left, bottom, right = window.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    height, width = window.output(*x.shape[1:3])
    return np.stack([padded[:, i:i + height * window.stride[0]:window.stride[0],
                            j:j + width * window.stride[1]:window.stride[1]][:, :height, :width]
                     for i in range(window.kernel[0]) for j in range(window.kernel[1])], axis=-1)


def evaluated(graph: FloatGraph, x: NDArray[Any]) -> dict[str, Real]:
    """Every step's value before its ReLU."""
    before, after = {}, {"input": graph.layout.ours(x).astype(np.float64)}
    for step in graph.steps:
        value = after[step.inputs[0]]
        if isinstance(step, Affine):
            if step.window is not None:
                value = taps(value, step.window, 0.0)
                value = value.reshape(*value.shape[:3], -1)
            value = value @ step.weight + step.bias
        elif isinstance(step, Residual):
            value = value + after[step.inputs[1]]
        elif isinstance(step, MaximumPool):
            value = taps(value, step.window, -np.inf).max(axis=-1)
        elif isinstance(step, AveragePool):
            value = (value.mean(axis=(1, 2), keepdims=True) if step.window is None
                     else taps(value, step.window, 0.0).mean(axis=-1))
        elif isinstance(step, Flattening):
            value = value.reshape(len(value), -1)
        elif isinstance(step, Rectifier):
            value = np.maximum(value, 0)
        before[step.name] = value
        after[step.name] = np.maximum(value, 0) if step.relu else value
    return before | {"output": after[graph.steps[-1].name]}


def assert_understood(graph: FloatGraph, seed: int = 0) -> None:
    x = np.random.default_rng(seed).normal(size=(3, *graph.model_shape)).astype(np.float32)
    ours = evaluated(graph, x)
    theirs = calibrate.collect(graph, x)
    for step in graph.steps:
        expected = theirs[step.name].reshape(ours[step.name].shape)
        np.testing.assert_allclose(ours[step.name], expected, rtol=1e-3, atol=1e-4, err_msg=step.name)
    if not graph.dropped:
        output = graph.steps[-1].layout.ours(calibrate.predict(graph, x))
        np.testing.assert_allclose(ours["output"], output, rtol=1e-3, atol=1e-4)


PLAIN = """(float[N,2,9,8] x) => (float[N,5] y) {
    c = Conv<kernel_shape=[3,2], pads=[1,0,2,1], strides=[2,1]>(x, w)
    b = BatchNormalization<epsilon=0.01>(c, g, o, m, v)
    r = Relu(b)
    p = MaxPool<kernel_shape=[2,2], strides=[2,2], pads=[1,0,0,1]>(r)
    f = Flatten(p)
    y = Gemm(f, w2, b2)
}"""
PLAIN_SHAPES = {"w": (4, 2, 3, 2), "g": (4,), "o": (4,), "m": (4,), "v": (4,), "w2": (48, 5), "b2": (5,)}
RESIDUAL = """(float[N,3,8,8] x) => (float[N,4] y) {
    c = Conv<kernel_shape=[3,3], auto_pad="SAME_UPPER">(x, w, b)
    r = Relu(c)
    d = Conv<kernel_shape=[1,1]>(r, w2)
    a = Add(d, r)
    s = Relu(a)
    i = Identity(s)
    g = GlobalAveragePool(i)
    q = Squeeze(g, axes)
    z = Gemm<alpha=0.5, beta=2.0, transB=1>(q, w3, b3)
    y = Softmax<axis=1>(z)
}"""
SAME = """(float[N,2,7,6] x) => (float[N,3,2,2] y) {
    c = Conv<kernel_shape=[2,3], strides=[2,2], auto_pad="SAME_LOWER">(x, w)
    k = Add(c, b)
    p = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1>(k)
    r = Relu(p)
    m = MaxPool<kernel_shape=[2,2], strides=[2,2], ceil_mode=1>(r)
    y = Relu(m)
}"""
CHANNELS_LAST = """(float[N,6,5,2] x) => (float[N,3] y) {
    t = Transpose<perm=[0,3,1,2]>(x)
    c = Conv<kernel_shape=[3,3]>(t, w)
    u = Transpose<perm=[0,2,3,1]>(c)
    r = Relu(u)
    m = ReduceMean<axes=[1,2], keepdims=0>(r)
    d = Dropout(m)
    f = MatMul(d, w2)
    y = Add(b, f)
}"""
SHAPED = """(float[N,2,4,4] x) => (float[N,3] y) {
    m = MaxPool<kernel_shape=[2,2]>(x)
    r = Relu(m)
    s = Shape(r)
    n = Gather(s, zero)
    a = Unsqueeze(n, zeros)
    l = Concat<axis=0>(a, rest)
    f = Reshape(r, l)
    k = Relu(f)
    w = Constant<value = float[18,3] {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,
      28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54}>()
    y = MatMul(k, w)
}"""
VECTOR = """(float[1,6] x) => (float[1,3] y) {
    a = MatMul(x, w)
    n = BatchNormalization(a, g, o, m, v)
    r = Relu(n)
    s = Relu(r)
    y = Gemm(s, w2)
}"""
FLAT_LAST = """(float[N,4,4,2] x) => (float[N,3] y) {
    t = Transpose<perm=[0,3,1,2]>(x)
    c = Conv<kernel_shape=[3,3]>(t, w)
    u = Transpose<perm=[0,2,3,1]>(c)
    f = Flatten(u)
    y = MatMul(f, w2)
}"""
MODELS: dict[str, tuple[str, dict[str, tuple[int, ...]], dict[str, NDArray[Any]]]] = {
    "plain": (PLAIN, PLAIN_SHAPES, {}),
    "residual": (RESIDUAL, {"w": (5, 3, 3, 3), "b": (5,), "w2": (5, 5, 1, 1), "w3": (4, 5), "b3": (4,)},
                 {"axes": np.array([2, 3])}),
    "same": (SAME, {"w": (3, 2, 2, 3), "b": (1, 3, 1, 1)}, {}),
    "channels-last": (CHANNELS_LAST, {"w": (4, 2, 3, 3), "w2": (4, 3), "b": (3,)}, {}),
    "shaped": (SHAPED, {}, {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1])}),
    "vector": (VECTOR, {"w": (6, 4), "g": (4,), "o": (4,), "m": (4,), "v": (4,), "w2": (4, 3)}, {}),
    "flat-last": (FLAT_LAST, {"w": (3, 2, 3, 3), "w2": (12, 3)}, {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_step_equals_the_file(name: str, tmp_path: Path) -> None:
    text, shapes, constants = MODELS[name]
    graph = onnx_read.read(written(tmp_path, text, random(1, shapes) | constants))
    assert_understood(graph)


def test_axes_may_be_an_input_as_in_newer_operator_sets(tmp_path: Path) -> None:
    path = written(tmp_path, """(float[N,4,3,3] x) => (float[N,4,1,1] y) {
        axes = Constant<value = int64[2] {-1, -2}>()
        y = ReduceMean(x, axes)
    }""", {}, opset=18)
    assert_understood(onnx_read.read(path))


def test_norms_relus_and_biases_are_folded_away(tmp_path: Path) -> None:
    graph = onnx_read.read(written(tmp_path, PLAIN, random(2, PLAIN_SHAPES)))
    assert [(step.name, type(step).__name__, step.relu) for step in graph.steps] == [
        ("c", "Affine", True), ("p", "MaximumPool", False), ("f", "Flattening", False), ("y", "Affine", False)]
    assert graph.input_shape == (9, 8, 2)
    assert graph.model_shape == (2, 9, 8)


def test_a_softmax_at_the_end_is_left_out_and_told(tmp_path: Path) -> None:
    text, shapes, constants = MODELS["residual"]
    graph = onnx_read.read(written(tmp_path, text, random(3, shapes) | constants))
    assert graph.dropped == ("Softmax at the end was left out: it keeps the order of the outputs",)
    assert [type(step).__name__ for step in graph.steps][-1] == "Affine"


def test_a_value_that_is_read_twice_keeps_its_own_relu(tmp_path: Path) -> None:
    graph = onnx_read.read(written(tmp_path, """(float[N,2,3,3] x) => (float[N,2,3,3] y) {
        c = Conv<kernel_shape=[1,1]>(x, w)
        r = Relu(c)
        y = Add(c, r)
    }""", random(4, {"w": (2, 2, 1, 1)})))
    assert [(type(step).__name__, step.relu) for step in graph.steps] == [
        ("Affine", False), ("Rectifier", True), ("Residual", False)]
    assert_understood(graph)


IMAGE = "(float[N,4,6,6] x) => (float[N,?,?,?] y)"
ANY = "(float[N,4,6,6] x) => (float y)"
KNOWN = ("Add, AveragePool, BatchNormalization, Constant, Conv, Dropout, Flatten, Gemm, GlobalAveragePool, Identity, "
         "LogSoftmax, MatMul, MaxPool, ReduceMean, Relu, Reshape, Softmax, Squeeze, Transpose")
REFUSALS: dict[str, tuple[str, dict[str, tuple[int, ...]], str]] = {
    "operator": (ANY + " {\ns = Sigmoid(x)\ny = Relu(s)\n}", {},
                 f"operator Sigmoid (node s) is not supported; supported are {KNOWN}"),
    "concat": (ANY + " {\ny = Concat<axis=1>(x, x)\n}", {},
               f"operator Concat (node y) is not supported; supported are {KNOWN}"),
    "groups": (ANY + " {\ny = Conv<group=4, kernel_shape=[3,3]>(x, w)\n}", {"w": (4, 1, 3, 3)},
               "y (Conv) has 4 groups, only 1 is supported"),
    "channels": (ANY + " {\ny = Conv<kernel_shape=[3,3]>(x, w)\n}", {"w": (2, 3, 3, 3)},
                 "y (Conv) must have a weight for each of 4 channels, not for 3"),
    "dilation": (ANY + " {\ny = Conv<dilations=[2,2], kernel_shape=[3,3]>(x, w)\n}", {"w": (2, 4, 3, 3)},
                 "y (Conv) has dilations (2, 2), only 1 is supported"),
    "weight": ("(float[N,4] x) => (float y) {\na = MatMul(x, w)\ny = Gemm<transB=1>(x, a)\n}", {"w": (4, 4)},
               "y (Gemm) must have a constant weight"),
    "inputs": ("(float[N,4] x, float[N,4] z) => (float[N,4] y) {\ny = Add(x, z)\n}", {},
               "the model has 2 inputs (x, z), only 1 is supported"),
    "outputs": ("(float[N,4] x) => (float[N,4] y, float[N,4] z) {\ny = Relu(x)\nz = Relu(y)\n}", {},
                "the model has 2 outputs (y, z), only 1 is supported"),
    "free": ("(float[N,4,h,w] x) => (float y) {\ny = Relu(x)\n}", {},
             "input x has shape (N, 4, h, w), only its batch may be free"),
    "batch": ("(float[5,4] x) => (float[5,4] y) {\ny = Relu(x)\n}", {},
              "input x has shape (5, 4), its batch must be free or 1"),
    "rank": ("(float[N,4,5] x) => (float[N,4,5] y) {\ny = Relu(x)\n}", {},
             "input x must be a batch of images or vectors, not of shape (N, 4, 5)"),
    "dtype": ("(double[N,4] x) => (double[N,4] y) {\ny = Relu(x)\n}", {}, "input x must be float, not double"),
    "norm": (ANY + " {\ny = BatchNormalization(x, v, a, b, v)\n}", {"v": (4,), "a": (4,), "b": (4,)},
             "y (BatchNormalization) must follow a Conv, Gemm or MatMul whose result nothing else reads"),
    "constant": (ANY + " {\ny = Add(x, b)\n}", {"b": (4, 1, 1)},
                 "y (Add) must follow a Conv, Gemm or MatMul whose result nothing else reads"),
    "bias": (ANY + " {\nc = Conv<kernel_shape=[1,1]>(x, w)\ny = Add(c, b)\n}", {"w": (4, 4, 1, 1), "b": (6,)},
             "y (Add) must have one constant for each of 4 columns, not constants of shape (6,)"),
    "average": (ANY + " {\ny = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)\n}", {},
                "y (AveragePool) must count its padding as zeros (count_include_pad), or have none"),
    "mean": (ANY + " {\ny = ReduceMean<axes=[1]>(x)\n}", {},
             "y (ReduceMean) must reduce the height and width of an image"),
    "transpose": (ANY + " {\ny = Transpose<perm=[0,1,3,2]>(x)\n}", {},
                  "y (Transpose) permutes axes by (0, 1, 3, 2), only changes between channels first and last are "
                  "supported"),
    "softmax": ("(float[N,4] x) => (float y) {\ns = Softmax(x)\ny = Relu(s)\n}", {},
                "s (Softmax) must be the model's last operator"),
    "vector": ("(float[N,4,6,6] x) => (float y) {\ny = MatMul(x, w)\n}", {"w": (6, 2)},
               "y (MatMul) must read a batch of vectors"),
    "transA": ("(float[1,1] x) => (float y) {\ny = Gemm<transA=1>(x, w)\n}", {"w": (1, 2)},
               "y (Gemm) has its input transposed, which is not supported"),
    "flat": (ANY + " {\ny = Flatten<axis=2>(x)\n}", {}, "y (Flatten) must flatten an image to a vector, "
             "not (4, 6, 6) to (36,)"),
    "flat output": (ANY + " {\ny = Flatten(x)\n}", {},
                    "output y must not be a flattened image of several channels"),
    "nothing": (ANY + " {\ny = Identity(x)\n}", {}, "the model must have at least one layer"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_supported_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, shapes, sentence = REFUSALS[name]
    path = written(tmp_path, text, random(5, shapes))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        onnx_read.read(path)


@pytest.mark.parametrize("content", ["missing", "empty", "text", "truncated", "folder"])
def test_a_file_that_is_no_model_gives_one_sentence(content: str, tmp_path: Path) -> None:
    whole = written(tmp_path, PLAIN, random(6, PLAIN_SHAPES)).read_bytes()
    path = tmp_path / "given.onnx"
    if content == "folder":
        path.mkdir()
    elif content != "missing":
        path.write_bytes({"empty": b"", "text": b"not a model\n" * 9, "truncated": whole[:-100]}[content])
    sentence = re.escape(f"{path} must be a valid ONNX model, but it cannot be read: ")
    with pytest.raises(ValueError, match=f"^{sentence}.+$") as caught:
        onnx_read.read(path)
    assert "\n" not in str(caught.value)

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
from lutra_model.graph import (
    Affine,
    AveragePool,
    Flattening,
    FloatGraph,
    Gate,
    Joining,
    MaximumPool,
    Moving,
    Normaliser,
    Pointwise,
    Rectifier,
    Residual,
    Step,
)
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


def value_of(step: Step, given: list[Real]) -> Real:
    """A step's value before its clamp."""
    x = given[0]
    match step:
        case Affine():
            rows = x[..., None] if step.window is None else taps(x, step.window, 0.0)
            groups = np.split(rows.reshape(*rows.shape[:-2], -1), step.groups, axis=-1)
            weights = np.split(step.weight, step.groups, axis=1)
            return np.concatenate([part @ w for part, w in zip(groups, weights, strict=True)], axis=-1) + step.bias
        case Residual():
            return x + given[1]
        case Gate():
            return x * given[1]
        case Joining():
            return np.concatenate(given, axis=-1)
        case MaximumPool():
            return taps(x, step.window, -np.inf).max(axis=-1)
        case AveragePool():
            whole = Window(kernel=(x.shape[1], x.shape[2]))
            return taps(x, step.window or whole, 0.0).mean(axis=-1)
        case Flattening():
            return x.reshape(len(x), -1)
        case Moving():
            return x.reshape(len(x), -1)[:, step.order].reshape(len(x), *step.places.shape)
        case Pointwise():
            if step.function(x.reshape(-1, 1)).shape[1] == 1:
                return step.function(x.reshape(-1, 1)).reshape(x.shape)
            channels = range(x.shape[-1])
            return np.stack([step.function(x[..., c].reshape(-1, 1))[:, c].reshape(x.shape[:-1]) for c in channels], -1)
        case Normaliser():
            parts = np.exp(x)
            return parts / parts.sum(axis=-1, keepdims=True)
        case Rectifier():
            return np.clip(x, step.low, step.high)
    raise AssertionError(step)


def evaluated(graph: FloatGraph, x: NDArray[Any]) -> dict[str, Real]:
    """Every step's value before its clamp."""
    before, after = {}, {"input": graph.places.ours(x).astype(np.float64)}
    for step in graph.steps:
        before[step.name] = value_of(step, [after[name] for name in step.inputs])
        after[step.name] = np.clip(before[step.name], step.low, step.high)
    return before | {"output": after[graph.steps[-1].name]}


def assert_understood(graph: FloatGraph, seed: int = 0, atol: float = 1e-4) -> None:
    x = np.random.default_rng(seed).normal(size=(3, *graph.model_shape)).astype(np.float32)
    ours = evaluated(graph, x)
    theirs = calibrate.collect(graph, x)
    for step in graph.steps:
        assert theirs[step.name].shape == ours[step.name].shape, step.name
        expected = step.clamped(theirs[step.name]) if isinstance(step, Rectifier) else theirs[step.name]
        np.testing.assert_allclose(ours[step.name], expected, rtol=1e-3, atol=atol, err_msg=step.name)
    if not graph.dropped:
        output = graph.steps[-1].places.ours(calibrate.predict(graph, x))
        np.testing.assert_allclose(ours["output"], output, rtol=1e-3, atol=atol)


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
Models = dict[str, tuple[str, dict[str, tuple[int, ...]], dict[str, NDArray[Any]]]]
IN = "(float[N,4,6,6] x) => (float y) "
GROUPED: Models = {
    "depthwise": (IN + """{
        d = Conv<group=4, kernel_shape=[3,3], pads=[1,1,1,1]>(x, w, b)
        n = BatchNormalization(d, g, o, m, v)
        c = Clip(n, low, high)
        p = Conv<kernel_shape=[1,1]>(c, w2)
        y = Clip(p, low, high)
    }""", {"w": (4, 1, 3, 3), "b": (4,), "g": (4,), "o": (4,), "m": (4,), "v": (4,), "w2": (6, 4, 1, 1)},
        {"low": np.float32(0), "high": np.float32(1)}),
    "grouped": (IN + "{ c = Conv<group=2, kernel_shape=[3,2], strides=[2,1]>(x, w)\ny = Relu(c) }",
                {"w": (6, 2, 3, 2)}, {}),
    "multiplied": (IN + "{ d = Conv<group=4, kernel_shape=[1,1]>(x, w)\ny = Conv<group=4, kernel_shape=[2,2]>(d, w2) }",
                   {"w": (8, 1, 1, 1), "w2": (4, 2, 2, 2)}, {}),
    "scaled": (IN + """{
        c = Conv<kernel_shape=[1,1]>(x, w)
        f = Mul(c, v)
        s = Sub(f, b)
        q = Div(s, v)
        y = Mul(two, q)
    }""", {"w": (5, 4, 1, 1), "v": (5, 1, 1), "b": (1, 5, 1, 1)}, {"two": np.float32(2)}),
    "norm first": (IN + """{
        n = BatchNormalization(x, g, o, m, v)
        r = Relu(n)
        c = Conv<kernel_shape=[1,1]>(r, w)
        k = Concat<axis=1>(x, c)
        q = BatchNormalization(k, g2, o2, m2, v2)
        y = Relu(q)
    }""", {"g": (4,), "o": (4,), "m": (4,), "v": (4,), "w": (3, 4, 1, 1), "g2": (7,), "o2": (7,), "m2": (7,),
           "v2": (7,)}, {}),
    "sequence": ("(float[N,3,20] x) => (float y) {\nc = Conv<kernel_shape=[5], pads=[2,2], strides=[2]>(x, w, b)\n"
                 "r = Relu(c)\np = MaxPool<kernel_shape=[2], strides=[2]>(r)\n"
                 "d = Conv<group=4, kernel_shape=[3]>(p, w2)\ng = GlobalAveragePool(d)\n"
                 "f = Flatten(g)\ny = Gemm<transB=1>(f, w3)\n}",
                 {"w": (4, 3, 5), "b": (4,), "w2": (4, 1, 3), "w3": (6, 4)}, {}),
    "tokens": ("(float[N,7,6] x) => (float y) {\na = MatMul(x, w)\nb = Add(a, k)\nr = Relu(b)\nc = MatMul(r, w2)\n"
               "s = Add(c, x)\nm = ReduceMean<axes=[1], keepdims=0>(s)\ny = MatMul(m, w3)\n}",
               {"w": (6, 8), "k": (8,), "w2": (8, 6), "w3": (6, 3)}, {}),
}
FUNCTIONS: Models = {
    "hard swish": (IN + """{
        c = Conv<kernel_shape=[1,1]>(x, w)
        a = Add(c, three)
        l = Clip(a, zero, six)
        m = Mul(c, l)
        y = Div(m, six)
    }""", {"w": (5, 4, 1, 1)}, {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)}),
    "swish": (IN + "{ c = Conv<kernel_shape=[1,1]>(x, w)\ns = Sigmoid(c)\nm = Mul(c, s)\ny = Add(m, c) }",
              {"w": (5, 4, 1, 1)}, {}),
    "slopes": (IN + "{ p = PRelu(x, s)\nt = Tanh(p)\nk = LeakyRelu<alpha=0.3>(t)\nm = Max(k, q)\ny = Min(m, v) }",
               {"s": (4, 1, 1), "v": (4, 1, 1)}, {"q": np.float32(-0.2)}),
    "other functions": (IN + "{ a = Abs(x)\nq = Pow(a, p)\nr = Sqrt(q)\nd = Div(one, r)\nn = Sub(one, d)\n"
                        "h = HardSigmoid<alpha=0.2>(n)\ne = Elu(h)\ny = Neg(e) }", {},
                        {"p": np.float32(3), "one": np.float32(1)}),
    "clamps": (IN + "{ c = Conv<kernel_shape=[1,1]>(x, w)\nr = Relu(c)\nl = Clip(r, low, high)\ny = Max(l, top) }",
               {"w": (5, 4, 1, 1)}, {"low": np.float32(-1), "high": np.float32(1), "top": np.float32(-0.5)}),
    "gate": (IN + """{
        g = GlobalAveragePool(x)
        d = Conv<kernel_shape=[1,1]>(g, w)
        s = HardSigmoid(d)
        e = Mul(s, x)
        f = Conv<kernel_shape=[3,3], pads=[1,1,1,1]>(e, w2)
        y = Mul(f, x)
    }""", {"w": (4, 4, 1, 1), "w2": (4, 4, 3, 3)}, {}),
    "gate of vectors": (IN + """{
        g = ReduceMean<axes=[2,3], keepdims=0>(x)
        d = MatMul(g, w)
        s = Sigmoid(d)
        u = Reshape(s, to)
        y = Mul(x, u)
    }""", {"w": (4, 4)}, {"to": np.array([-1, 4, 1, 1])}),
    "softmax inside": (IN + "{ s = Softmax<axis=1>(x)\ny = Conv<kernel_shape=[1,1]>(s, w) }", {"w": (5, 4, 1, 1)}, {}),
    "softmax of vectors": ("(float[N,6] x) => (float y) { s = Softmax(x)\ny = MatMul(s, w) }", {"w": (6, 3)}, {}),
    "quantised": (IN + """{
        q = QuantizeLinear(x, s, z)
        d = DequantizeLinear(q, s, z)
        c = Conv<kernel_shape=[1,1]>(d, w)
        a = QuantizeLinear(c, t, z)
        b = DequantizeLinear(a, t, z)
        m = MaxPool<kernel_shape=[2,2]>(b)
        e = QuantizeLinear(m, t, z)
        y = DequantizeLinear(e, t, z)
    }""", {"w": (5, 4, 1, 1)},
        {"s": np.float32(2**-12), "t": np.float32(2**-14), "z": np.array(20000, np.uint16)}),
}
MOVED: Models = {
    "shuffle": (IN + """{
        c = Conv<group=2, kernel_shape=[1,1]>(x, w)
        a = Reshape(c, split)
        t = Transpose<perm=[0,2,1,3,4]>(a)
        b = Reshape(t, whole)
        y = Conv<group=6, kernel_shape=[3,3]>(b, w2)
    }""", {"w": (6, 2, 1, 1), "w2": (6, 1, 3, 3)},
        {"split": np.array([0, 2, 3, 6, 6]), "whole": np.array([-1, 6, 6, 6])}),
    "split": (IN + """{
        a, b = Split<axis=1>(x, sizes)
        c = Conv<kernel_shape=[1,1]>(b, w)
        k = Concat<axis=1>(a, c, x)
        s = Slice(k, start, end, axes)
        r = Relu(s)
        f = Flatten(r)
        y = Gemm(f, w2)
    }""", {"w": (3, 2, 1, 1), "w2": (5 * 36, 3)},
        {"sizes": np.array([2, 2]), "start": np.array([1]), "end": np.array([6]), "axes": np.array([1])}),
    "concatenated vectors": (IN + """{
        f = Flatten(x)
        g = GlobalMaxPool(x)
        h = Flatten(g)
        k = Concat<axis=1>(h, f)
        y = MatMul(k, w)
    }""", {"w": (148, 3)}, {}),
    "joined heights": (IN + "{ r = Relu(x)\ny = Concat<axis=2>(x, r) }", {}, {}),
    "turned": (IN + "{ t = Transpose<perm=[0,1,3,2]>(x)\nc = Conv<kernel_shape=[2,1]>(t, w)\ny = Flatten(c) }",
               {"w": (3, 4, 2, 1)}, {}),
    "depth to space": (IN + "{ d = DepthToSpace<blocksize=2>(x)\ny = Relu(d) }", {}, {}),
    "padded": (IN + "{ r = Relu(x)\np = Pad(r, pads)\ny = Conv<kernel_shape=[3,3], strides=[2,2]>(p, w) }",
               {"w": (3, 4, 3, 3)}, {"pads": np.array([0, 0, 0, 1, 0, 0, 2, 1])}),
    "part of a shape": ("(float[N,4,6,6] x) => (float y) {\ns = Shape<start=0, end=1>(x)\nk = Concat<axis=0>(s, rest)\n"
                        "r = Relu(x)\nf = Reshape(r, k)\ny = MatMul(f, w)\n}", {"w": (144, 3)},
                        {"rest": np.array([-1])}),
    "plane": ("(float[N,9,8] x) => (float y) {\nu = Unsqueeze(x, one)\nc = Conv<kernel_shape=[3,3]>(u, w)\n"
              "m = ReduceMax<axes=[2,3], keepdims=0>(c)\ny = MatMul(m, w2)\n}",
              {"w": (4, 1, 3, 3), "w2": (4, 2)}, {"one": np.array([1])}),
    "plane of vectors": ("(float[N,3,4] x) => (float y) {\nf = Flatten(x)\nd = Gemm(f, w)\ny = Relu(d)\n}",
                         {"w": (12, 3)}, {}),
    "flat output": (IN + "{ y = Flatten(x) }", {}, {}),
    "swapped tokens": ("(float[N,5,6] x) => (float y) {\nt = Transpose<perm=[0,2,1]>(x)\na = MatMul(t, w)\n"
                       "b = Transpose<perm=[0,2,1]>(a)\ny = MatMul(b, w2)\n}", {"w": (5, 4), "w2": (6, 2)}, {}),
    "rows by a matrix": (IN + "{ y = MatMul(x, w) }", {"w": (6, 2)}, {}),
}
MODELS: Models = {
    "plain": (PLAIN, PLAIN_SHAPES, {}),
    "residual": (RESIDUAL, {"w": (5, 3, 3, 3), "b": (5,), "w2": (5, 5, 1, 1), "w3": (4, 5), "b3": (4,)},
                 {"axes": np.array([2, 3])}),
    "same": (SAME, {"w": (3, 2, 2, 3), "b": (1, 3, 1, 1)}, {}),
    "channels-last": (CHANNELS_LAST, {"w": (4, 2, 3, 3), "w2": (4, 3), "b": (3,)}, {}),
    "shaped": (SHAPED, {}, {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1])}),
    "vector": (VECTOR, {"w": (6, 4), "g": (4,), "o": (4,), "m": (4,), "v": (4,), "w2": (4, 3)}, {}),
    "flat-last": (FLAT_LAST, {"w": (3, 2, 3, 3), "w2": (12, 3)}, {}),
    **MOVED, **FUNCTIONS, **GROUPED,
}


@pytest.mark.parametrize("name", MODELS)
def test_every_step_equals_the_file(name: str, tmp_path: Path) -> None:
    text, shapes, constants = MODELS[name]
    quantised = name == "quantised"
    opset = {"quantised": 21, "part of a shape": 15}.get(name, 13)
    graph = onnx_read.read(written(tmp_path, text, random(1, shapes) | constants, opset))
    assert_understood(graph, atol=0.05 if quantised else 1e-4)  # ONNX Runtime quantises the weights there


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
KNOWN = ", ".join(sorted(onnx_read.SUPPORTED))
REFUSALS: dict[str, tuple[str, dict[str, tuple[int, ...]], str]] = {
    "operator": (ANY + " {\ns = ConvTranspose(x, w)\ny = Relu(s)\n}", {"w": (4, 2, 2, 2)},
                 f"operator ConvTranspose (node s) is not supported; supported are {KNOWN}"),
    "joined": (ANY + " {\ny = Concat<axis=0>(x, x)\n}", {},
               "y (Concat) joins axis 0 of 4, only those of images and vectors but the batch are supported"),
    "groups": (ANY + " {\ny = Conv<group=2, kernel_shape=[3,3]>(x, w)\n}", {"w": (3, 2, 3, 3)},
               "y (Conv) must have a weight for each of 4 channels in 2 groups, not 3 columns of 2 weights"),
    "channels": (ANY + " {\ny = Conv<kernel_shape=[3,3]>(x, w)\n}", {"w": (2, 3, 3, 3)},
                 "y (Conv) must have a weight for each of 4 channels in 1 groups, not 2 columns of 3 weights"),
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
    "dtype": ("(double[N,4] x) => (double[N,4] y) {\ny = Relu(x)\n}", {}, "input x must be float, not double"),
    "bias": (ANY + " {\nc = Conv<kernel_shape=[1,1]>(x, w)\ny = Add(c, b)\n}", {"w": (4, 4, 1, 1), "b": (6,)},
             "y (Add) must have one constant for each of 4 columns, not constants of shape (6,)"),
    "average": (ANY + " {\ny = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)\n}", {},
                "y (AveragePool) must count its padding as zeros (count_include_pad), or have none"),
    "mean": (ANY + " {\ny = ReduceMean<axes=[1]>(x)\n}", {},
             "y (ReduceMean) must reduce the height and width of an image"),
    "transA": ("(float[1,1] x) => (float y) {\ny = Gemm<transA=1>(x, w)\n}", {"w": (1, 2)},
               "y (Gemm) has its input transposed, which is not supported"),
    "rank": ("(float[N,4,5,2,2] x) => (float y) {\ny = Relu(x)\n}", {},
             "input x must be a batch of images, sequences or vectors, not of shape (N, 4, 5, 2, 2)"),
    "batch moved": (ANY + " {\ny = Flatten<axis=2>(x)\n}", {}, "y (Flatten) must leave the batch as it is"),
    "quotient": (ANY + " {\nm = MaxPool<kernel_shape=[1,1]>(x)\ny = Div(x, m)\n}", {},
                 "y (Div) must have a constant, the quotient of two activations is not supported"),
    "subtraction": (ANY + " {\nm = MaxPool<kernel_shape=[1,1]>(x)\ny = Sub(x, m)\n}", {},
                    "y (Sub) must have a constant, the difference of two activations is not supported"),
    "larger": (ANY + " {\nm = MaxPool<kernel_shape=[1,1]>(x)\ny = Max(x, m)\n}", {},
               "y (Max) must have a constant, the extreme of two activations is not supported"),
    "broadcast": (ANY + " {\nm = GlobalAveragePool(x)\ny = Add(x, m)\n}", {},
                  "y (Add) must join two activations of one shape, not (4, 6, 6) and (4, 1, 1)"),
    "gate": (ANY + " {\nm = ReduceMean<axes=[1]>(x)\ny = Mul(x, m)\n}", {},
             "m (ReduceMean) must reduce the height and width of an image"),
    "product": (ANY + " {\nm = MaxPool<kernel_shape=[6,1]>(x)\ny = Mul(x, m)\n}", {},
                "y (Mul) must multiply activations of one shape or by one pixel, not (4, 6, 6) and (4, 1, 6)"),
    "log": (ANY + " {\ns = LogSoftmax<axis=1>(x)\ny = Relu(s)\n}", {},
            "s (LogSoftmax) must be the model's last operator"),
    "batched": (ANY + " {\ny = MatMul(x, w)\n}", {"w": (4, 6, 2)},
                "y (MatMul) must multiply vectors or their sequences by a matrix, not (4, 6, 6) by (4, 6, 2)"),
    "padded": (ANY + " {\np = Pad(x, k)\ny = MaxPool<kernel_shape=[2,2]>(p)\n}", {},
               "y (MaxPool) reads padded zeros, which only a convolution may"),
    "reflected": (ANY + ' {\ny = Pad<mode="reflect">(x, k)\n}', {}, "y (Pad) must pad constant zeros around an image"),
    "scales": (ANY + " {\nq = QuantizeLinear<axis=1>(x, v, none)\ny = DequantizeLinear<axis=1>(q, v, none)\n}",
               {"v": (4,)}, "q (QuantizeLinear) must have one scale for the whole activation, not 4"),
    "nothing": (ANY + " {\ny = Identity(x)\n}", {}, "the model must have at least one layer"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_supported_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, shapes, sentence = REFUSALS[name]
    constants = {"k": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "none": np.zeros(4, np.uint8)}
    used = {key: value for key, value in constants.items() if re.search(rf"\b{key}\b", text)}
    path = written(tmp_path, text, random(5, shapes) | used)
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

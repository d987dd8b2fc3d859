"""Float models to convert, smooth images for them, and how far the integers are from them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lutra_model import calibrate, golden, onnx_read
from lutra_model.network import Network
from tests.model.onnx_text import random, written

__all__ = ["LIMITS", "MOBILE_SHAPES", "RESIDUAL_SHAPES", "VECTOR", "errors", "mobile", "residual"]

RESIDUAL = """(float[N,3,8,8] x) => (float[N,4] y) {
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
VECTOR = "(float[N,8] x) => (float[N,3] y) { y = Gemm(x, w, b) }"


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


MOBILE = """(float[N,4,8,8] x) => (float y) {
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

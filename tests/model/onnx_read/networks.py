"""Whole models in ONNX's text form, with the shapes of their weights and their constants."""

import numpy as np

from tests.model.onnx_read.layers import Models

__all__ = ["NETWORKS", "PLAIN", "PLAIN_SHAPES"]

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
NETWORKS: Models = {
    "plain": (PLAIN, PLAIN_SHAPES, {}),
    "residual": (RESIDUAL, {"w": (5, 3, 3, 3), "b": (5,), "w2": (5, 5, 1, 1), "w3": (4, 5), "b3": (4,)},
                 {"axes": np.array([2, 3])}),
    "same": (SAME, {"w": (3, 2, 2, 3), "b": (1, 3, 1, 1)}, {}),
    "channels-last": (CHANNELS_LAST, {"w": (4, 2, 3, 3), "w2": (4, 3), "b": (3,)}, {}),
    "shaped": (SHAPED, {}, {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1])}),
    "vector": (VECTOR, {"w": (6, 4), "g": (4,), "o": (4,), "m": (4,), "v": (4,), "w2": (4, 3)}, {}),
    "flat-last": (FLAT_LAST, {"w": (3, 2, 3, 3), "w2": (12, 3)}, {}),
}

"""Models that move, cut and join values."""

import numpy as np

from tests.model.onnx_read.layers import IN, Models

__all__ = ["MOVED"]

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

"""Models of grouped layers, norms, and functions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FUNCTIONS", "GROUPED", "IN", "Models"]

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

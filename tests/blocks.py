"""Random transformer encoders as ONNX models, in the spellings that exporters use."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["encoder"]


class _Builder:
    """Nodes and weights; every method returns the tensor that it makes."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[np.generic] | list[int] | float, dtype: type = np.float32) -> str:
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        weight = self.rng.normal(0, 1.5 / inputs**0.5, (inputs, outputs))
        return self.op("Add", self.op("MatMul", x, self.constant(weight)),
                       self.constant(self.rng.normal(0, 0.1, outputs)))

    def norm(self, x: str, channels: int, written_out: bool) -> str:
        gain = self.constant(self.rng.normal(0.2, 0.5, channels))  # some are negative
        offset = self.constant(self.rng.normal(0, 0.2, channels))
        if not written_out:
            return self.op("LayerNormalization", x, gain, offset, axis=-1, epsilon=1e-12)
        difference = self.op("Sub", x, self.op("ReduceMean", x, axes=[-1]))
        square = self.op("Pow", difference, self.constant(2.0))
        lifted = self.op("Add", self.op("ReduceMean", square, axes=[-1]), self.constant(1e-12))
        unit = self.op("Div", difference, self.op("Sqrt", lifted))
        return self.op("Add", self.op("Mul", unit, gain), offset)

    def gelu(self, x: str) -> str:
        erf = self.op("Erf", self.op("Div", x, self.constant(2**0.5)))
        both = self.op("Mul", x, self.op("Add", erf, self.constant(1.0)))
        return self.op("Mul", both, self.constant(0.5))

    def split(self, x: str, heads: int, each: int, perm: list[int]) -> str:
        return self.op("Transpose", self.op("Reshape", x, self.constant([0, -1, heads, each], np.int64)), perm=perm)

    def attention(self, x: str, hidden: int, heads: int) -> str:
        each = hidden // heads
        query = self.split(self.linear(x, hidden, hidden), heads, each, [0, 2, 1, 3])
        key = self.split(self.linear(x, hidden, hidden), heads, each, [0, 2, 3, 1])
        value = self.split(self.linear(x, hidden, hidden), heads, each, [0, 2, 1, 3])
        scores = self.op("Div", self.op("MatMul", query, key), self.constant(each**0.5))
        shares = self.op("Softmax", self.op("Add", scores, self.constant([[[0.0]]])), axis=-1)
        context = self.op("Transpose", self.op("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self.linear(self.op("Reshape", context, self.constant([0, -1, hidden], np.int64)), hidden, hidden)

    def block(self, x: str, hidden: int, heads: int, inner: int, written_out: bool) -> str:
        x = self.norm(self.op("Add", self.attention(x, hidden, heads), x), hidden, written_out)
        wide = self.gelu(self.linear(x, hidden, inner))
        return self.norm(self.op("Add", self.linear(wide, inner, hidden), x), hidden, written_out)


def encoder(seed: int, *, tokens: int = 6, hidden: int = 8, heads: int = 2, inner: int = 16, layers: int = 1,
            written_out: bool = False) -> onnx.ModelProto:
    """Post-norm encoder blocks of BERT, float ``(batch, tokens, hidden)`` to the same.

    ``written_out``: layer normalisation in nine operators, as exports before opset 17 have it.
    """
    builder = _Builder(seed)
    x = "x"
    for _ in range(layers):
        x = builder.block(x, hidden, heads, inner, written_out)
    shape = ["batch", tokens, hidden]
    graph = helper.make_graph(builder.nodes, "encoder", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)], builder.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model

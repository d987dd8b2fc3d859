"""A BERT encoder from its weights: the embedding in NumPy, and the blocks as an ONNX model for the converter.

A network reads a fixed number of tokens, so an encoder is made for that many; there is no padding and no mask. What the
network takes is the normalised embedding of the tokens, what it gives the mean of the last block's tokens.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors import SafetensorError, safe_open

__all__ = ["EPSILON", "Bert"]

EPSILON = 1e-12  # BERT's layer normalisation
HEADS = 12  # of all-MiniLM-L6-v2
Real = NDArray[np.float32]


class _Blocks:
    """Collects nodes and weights; every method returns the name of the tensor that it makes."""

    def __init__(self, weights: Mapping[str, Real], heads: int) -> None:
        self.weights, self.heads = weights, heads
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.prefix = ""

    def constant(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values, dtype), name)
        return name

    def op(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        out = f"{self.prefix}{name}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, **attributes))
        return out

    def linear(self, part: str, name: str, x: str) -> str:
        """``x @ weight + bias`` of a part of the block."""
        weight = self.constant(f"{self.prefix}{part}.weight", self.weights[f"{self.prefix}{part}.weight"].T)
        bias = self.constant(f"{self.prefix}{part}.bias", self.weights[f"{self.prefix}{part}.bias"])
        return self.op("Add", name, self.op("MatMul", f"{name}.product", x, weight), bias)

    def norm(self, part: str, name: str, x: str) -> str:
        gain, offset = (self.constant(f"{self.prefix}{part}.{which}", self.weights[f"{self.prefix}{part}.{which}"])
                        for which in ("weight", "bias"))
        return self.op("LayerNormalization", name, x, gain, offset, axis=-1, epsilon=EPSILON)

    def heads_of(self, name: str, x: str, perm: list[int]) -> str:
        shape = self.constant("heads", [0, 0, self.heads, -1], np.int64)
        return self.op("Transpose", f"{name}.heads", self.op("Reshape", f"{name}.split", x, shape), perm=perm)

    def attention(self, x: str, each: int) -> str:
        query, key, value = (self.linear(f"attention.self.{part}", part, x) for part in ("query", "key", "value"))
        scores = self.op("MatMul", "scores.product", self.heads_of("query", query, [0, 2, 1, 3]),
                         self.heads_of("key", key, [0, 2, 3, 1]))
        scores = self.op("Div", "scores", scores, self.constant("root", each**0.5))
        shares = self.op("Softmax", "shares", scores, axis=-1)
        context = self.op("MatMul", "context", shares, self.heads_of("value", value, [0, 2, 1, 3]))
        context = self.op("Transpose", "context.heads", context, perm=[0, 2, 1, 3])
        return self.op("Reshape", "context.joined", context, self.constant("joined", [0, 0, -1], np.int64))

    def gelu(self, x: str) -> str:
        erf = self.op("Erf", "gelu.erf", self.op("Div", "gelu.div", x, self.constant("sqrt2", 2**0.5)))
        whole = self.op("Mul", "gelu.twice", x, self.op("Add", "gelu.add", erf, self.constant("one", 1.0)))
        return self.op("Mul", "gelu", whole, self.constant("half", 0.5))

    def block(self, number: int, x: str) -> str:
        """One encoder block, its norms behind the residual adds."""
        self.prefix = f"encoder.layer.{number}."
        hidden = len(self.weights[f"{self.prefix}attention.output.dense.bias"])
        made = self.linear("attention.output.dense", "attended", self.attention(x, hidden // self.heads))
        x = self.norm("attention.output.LayerNorm", "attention.norm", self.op("Add", "attention.sum", made, x))
        made = self.linear("output.dense", "narrow", self.gelu(self.linear("intermediate.dense", "wide", x)))
        return self.norm("output.LayerNorm", "norm", self.op("Add", "sum", made, x))


class Bert:
    """An encoder's weights, float32 by the names that Hugging Face's ``BertModel`` gives them.

    Parameters
    ----------
    heads : attention heads.
    """

    def __init__(self, weights: Mapping[str, Real], heads: int) -> None:
        self.weights, self.heads = dict(weights), heads
        self.hidden = self.weights["encoder.layer.0.attention.output.dense.bias"].shape[0]
        self.layers = sum(name.endswith(".intermediate.dense.bias") for name in self.weights)
        if self.hidden % heads:
            raise ValueError(f"heads must divide {self.hidden} hidden values, {heads} do not")

    @classmethod
    def load(cls, path: Path, heads: int) -> "Bert":
        """The weights of a safetensors file.

        Raises ``ValueError`` for a file that is none, or has no encoder.
        """
        try:
            with safe_open(path, framework="numpy") as archive:
                return cls({name: archive.get_tensor(name).astype(np.float32) for name in archive.keys()}, heads)
        except (SafetensorError, OSError, KeyError) as error:
            raise ValueError(f"{path} must be a safetensors file with a BERT encoder: {error}") from None

    @classmethod
    def minilm(cls, folder: Path) -> "Bert":
        """all-MiniLM-L6-v2 from the folder that ``lutra fetch minilm`` fills; ``ValueError`` where it is not there."""
        if not folder.is_dir():
            raise ValueError(f"the encoder must lie in {folder}: run lutra fetch minilm")
        return cls.load(folder / "model.fp16.safetensors", HEADS)

    @classmethod
    def random(cls, seed: int, *, hidden: int = 8, heads: int = 2, inner: int = 16, layers: int = 1,
               vocabulary: int = 32, longest: int = 16) -> "Bert":
        """Weights of that shape, of the size that keeps a block's values apart."""
        rng = np.random.default_rng(seed)
        shapes = {"attention.self.query": (hidden, hidden), "attention.self.key": (hidden, hidden),
                  "attention.self.value": (hidden, hidden), "attention.output.dense": (hidden, hidden),
                  "intermediate.dense": (inner, hidden), "output.dense": (hidden, inner)}
        weights = {f"embeddings.{name}_embeddings.weight": rng.normal(0, 1, (count, hidden))
                   for name, count in (("word", vocabulary), ("position", longest), ("token_type", 2))}
        norms = ["embeddings.LayerNorm"]
        for layer in (f"encoder.layer.{number}." for number in range(layers)):
            for name, shape in shapes.items():
                weights[f"{layer}{name}.weight"] = rng.normal(0, 1.5 / shape[1]**0.5, shape)
                weights[f"{layer}{name}.bias"] = rng.normal(0, 0.1, shape[0])
            norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
        for name in norms:
            weights |= {f"{name}.weight": rng.normal(1, 0.2, hidden), f"{name}.bias": rng.normal(0, 0.2, hidden)}
        return cls({name: values.astype(np.float32) for name, values in weights.items()}, heads)

    def embed(self, ids: NDArray[np.integer[Any]]) -> Real:
        """The normalised embedding, float32 ``(batch, tokens, hidden)``, of token numbers ``(batch, tokens)``."""
        weights = self.weights
        words, positions = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position"))
        if ids.ndim != 2 or not 1 <= ids.shape[1] <= len(positions):
            raise ValueError(f"ids must have shape (batch, 1 to {len(positions)} tokens), not {ids.shape}")
        if ids.size and not 0 <= ids.min() <= ids.max() < len(words):
            raise ValueError(f"ids must be 0 to {len(words) - 1}, not {ids.min()} to {ids.max()}")
        total = words[ids] + weights["embeddings.token_type_embeddings.weight"][0] + positions[:ids.shape[1]]
        centred = total - total.mean(axis=-1, keepdims=True)
        unit = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        return unit * weights["embeddings.LayerNorm.weight"] + weights["embeddings.LayerNorm.bias"]

    def model(self, tokens: int, layers: int | None = None) -> onnx.ModelProto:
        """The first ``layers`` blocks (all), float ``(batch, tokens, hidden)`` to their mean ``(batch, hidden)``."""
        layers = self.layers if layers is None else layers
        if not 1 <= layers <= self.layers:
            raise ValueError(f"layers must be 1 to {self.layers}, not {layers}")
        blocks, x = _Blocks(self.weights, self.heads), "embedding"
        for number in range(layers):
            x = blocks.block(number, x)
        blocks.prefix = ""
        x = blocks.op("ReduceMean", "mean", x, axes=[1], keepdims=0)
        given = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", tokens, self.hidden])
        made = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", self.hidden])
        graph = helper.make_graph(blocks.nodes, "bert", [given], [made], list(blocks.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="lutra",
                                  ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model

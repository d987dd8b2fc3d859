"""ONNX operators of transformers: products of two activations, and layer normalisation in one operator or in many."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import onnx
from numpy.typing import NDArray

from .graph_tokens import Attending, RowNormaliser
from .onnx_file import Model
from .onnx_walk import Value, Walk, attributes, refused
from .places import Places

__all__ = ["fused", "layer_normalisation", "matmul"]

Index = NDArray[np.intp]


def _stacked(shape: tuple[int, int, int]) -> Places:
    """``(heads, tokens, channels)`` with one head in each row of pixels."""
    return Places.channels_last(shape)


def _merged(shape: tuple[int, int, int]) -> Places:
    """The same with the heads side by side in the channels of one row."""
    heads, tokens, channels = shape
    index = np.arange(prod(shape)).reshape(tokens, heads, channels).transpose(1, 0, 2)
    return Places(index, (1, tokens, heads * channels))


def _operand(walk: Walk, node: onnx.NodeProto, position: int) -> tuple[Value, tuple[int, int, int], bool]:
    """An operand that lies as `attention.MatMul` reads it, its ``(heads, tokens, channels)``, and if it is transposed.

    One that lies otherwise is moved.
    """
    value = walk.whole(node, position)
    index = value.places.index if value.places.index.ndim == 3 else value.places.index[None]
    for transposed in (False, True) if position else (False,):
        heads, tokens, channels = index.swapaxes(1, 2).shape if transposed else index.shape
        shape = (heads, tokens, channels)
        lying = Places(index.swapaxes(1, 2) if transposed else index, value.places.shape)
        if lying.agrees(_merged(shape)) or lying.agrees(_stacked(shape)):
            return value, shape, transposed
    moved = replace(value, places=Places(index, value.places.shape))
    heads, tokens, channels = index.shape
    wanted = _stacked((heads, tokens, channels))
    return walk.moved(moved, node.input[position], walk.name(node, "moved"), wanted), (heads, tokens, channels), False


def _merges(walk: Walk, node: onnx.NodeProto) -> bool:
    """Whether all that is done with the product is a transpose that brings its heads side by side."""
    readers = [reader for reader in walk.model.nodes if node.output[0] in reader.input]
    return len(readers) == 1 and readers[0].op_type == "Transpose" and \
        list(attributes(readers[0]).get("perm", ())) == [0, 2, 1, 3]


def matmul(walk: Walk, node: onnx.NodeProto) -> None:
    """A product of two activations of two or three dimensions, the first of three are heads."""
    ranks = [walk.value(node, position).places.index.ndim for position in (0, 1)]
    if ranks not in ([2, 2], [3, 3]):
        raise refused(node, "must multiply two activations that are sequences of tokens, or of as many heads, not "
                            f"{' and '.join(str(walk.value(node, place).places.index.shape) for place in (0, 1))}")
    one, (heads, rows, _), _ = _operand(walk, node, 0)
    other, (others, tokens, channels), transposed = _operand(walk, node, 1)
    if others != heads:
        raise refused(node, f"must multiply activations of as many heads, not {heads} and {others}")
    merged = _merges(walk, node)
    shape = (heads, rows, tokens if transposed else channels)
    places = _merged(shape) if merged else _stacked(shape)
    if ranks[0] == 2:
        places = Places(places.index[0], places.shape)
    walk.add(node, Attending, places, one, other, heads=heads, transposed=transposed, merged=merged)


def layer_normalisation(walk: Walk, node: onnx.NodeProto) -> None:
    """Of the last axis, whose values become the channels."""
    value = walk.value(node)
    shape, given = value.places.index.shape, attributes(node)
    if given.get("axis", -1) not in (-1, len(shape)) or len(shape) > 3:
        raise refused(node, f"must normalise the last axis of a vector or of a sequence, not of {shape}")
    gain = np.broadcast_to(walk.constant(node, 1, "scale").ravel(), shape[-1:])
    offset = walk.constant(node, 2, "bias").ravel() if len(node.input) > 2 and node.input[2] else np.zeros(1)
    places = Places.channels_last(shape) if len(shape) > 1 else Places.channels_first(shape)
    walk.add(node, RowNormaliser, places, walk.arranged(node, 0, places), gain=gain,
             offset=np.broadcast_to(offset, shape[-1:]), epsilon=float(given.get("epsilon", 1e-5)))


class _Pattern:
    """Layer normalisation written out: ``(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)``, from its division."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.makers = {name: node for node in model.nodes for name in node.output}

    def maker(self, tensor: str, *kinds: str) -> onnx.NodeProto:
        node = self.makers.get(tensor)
        if node is None or node.op_type not in kinds:
            raise LookupError
        return node

    def number(self, tensor: str) -> float:
        values = self.model.constants.get(tensor)
        if values is None or values.size != 1:
            raise LookupError
        return float(values.ravel()[0])

    def mean_of(self, tensor: str) -> str:
        """What a mean over the last axis is taken of."""
        node = self.maker(tensor, "ReduceMean")
        given = attributes(node)
        axes = self.model.constants[node.input[1]].tolist() if len(node.input) > 1 else given.get("axes", ())
        rank = len(self.model.shapes[node.input[0]])
        if [int(axis) % rank for axis in axes] != [rank - 1] or not given.get("keepdims", 1):
            raise LookupError
        return node.input[0]

    def root(self, node: onnx.NodeProto) -> str:
        """The tensor that a square root is taken of."""
        made = self.maker(node.input[1], "Sqrt", "Pow")
        if made.op_type == "Pow" and self.number(made.input[1]) != 0.5:
            raise LookupError
        return made.input[0]

    def match(self, node: onnx.NodeProto) -> tuple[str, float]:
        """The tensor that is normalised, and epsilon; ``LookupError`` for any other division."""
        lifted = self.maker(self.root(node), "Add")
        constant = next((place for place in (0, 1) if lifted.input[place] in self.model.constants), None)
        if constant is None:
            raise LookupError
        square = self.makers[self.mean_of(lifted.input[1 - constant])]
        twice = square.op_type == "Pow" and self.number(square.input[1]) == 2
        if not (twice or (square.op_type == "Mul" and square.input[0] == square.input[1])):
            raise LookupError
        centred = self.maker(square.input[0], "Sub")
        x = centred.input[0]
        # PyTorch writes the difference once, other exporters twice: equal by what it is made of.
        again = self.maker(node.input[0], "Sub")
        if any(part.input[0] != x or self.mean_of(part.input[1]) != x for part in (centred, again)):
            raise LookupError
        return x, self.number(lifted.input[constant])


def _replaced(model: Model) -> Iterator[onnx.NodeProto]:
    pattern = _Pattern(model)
    for node in model.nodes:
        if node.op_type == "Div" and all(name in pattern.makers for name in node.input):
            try:
                x, epsilon = pattern.match(node)
            except LookupError:
                yield node
                continue
            unit = f"{node.output[0]}:unit"
            model.constants[unit] = np.ones(1, np.float32)
            yield onnx.helper.make_node("LayerNormalization", [x, unit], node.output, name=node.name, axis=-1,
                                        epsilon=epsilon)
        else:
            yield node


def _living(nodes: Sequence[onnx.NodeProto], output: str) -> tuple[onnx.NodeProto, ...]:
    """Nodes that the output still needs."""
    needed = Counter([output])
    for node in reversed(nodes):
        if any(name in needed for name in node.output):
            needed.update(node.input)
    return tuple(node for node in nodes if any(name in needed for name in node.output))


def fused(model: Model) -> Model:
    """The same model with every layer normalisation that is written out as one operator."""
    nodes = tuple(_replaced(model))
    if all(one is other for one, other in zip(nodes, model.nodes, strict=True)):
        return model
    return replace(model, nodes=_living(nodes, model.output))

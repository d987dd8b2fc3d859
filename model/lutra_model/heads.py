"""Attention on the machine: a program for one head, whose tables are values of this input.

The second operand of a `MatMul` takes the place of weights. A program made once, with weights of 0, runs once for each
head of each input; the table stream brings the operand's values in the order of `images.table_beats`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import images
from .attention import MatMul, heads_of, joined
from .codings import BitPlanes
from .codings.bit_planes import folded
from .network import Network, Node, Product
from .operation import Kind
from .params import Array
from .program import Program
from .support import refusal
from .windows import product_former

__all__ = ["CARRIERS", "head_inputs", "head_outputs", "head_tables", "one_head", "planes"]

Int8 = NDArray[np.int8]
Values = Mapping[str, Int8]
Carrier = Callable[[MatMul, Int8], Product]
GROUP = 4  # weights of an index of bit planes


def planes(node: MatMul, weights: Int8) -> Product:
    """One head on a machine of bit planes: eight planes hold int8 weights exactly.

    A cell adds ``2 w`` for a weight ``w = q - 128`` of eight bits ``q`` (`codings.BitPlanes`): sums are twice the
    products', and one more shift gives the same output to the bit.
    """
    plain = node.product(weights)
    levels = weights.astype(np.int64) + 128
    padded = np.pad(levels, ((0, -len(levels) % GROUP), (0, 0)))  # what they meet is 0
    coding = BitPlanes(zero=np.ones(weights.shape[1], np.int8), bits=8, group=GROUP)
    return replace(plain, table=folded(padded.reshape(-1, GROUP, weights.shape[1]), 8), coding=coding,
                   shift=plain.shift + 1)


# Engines whose cells hold the int8 values of an input exactly, and how.
CARRIERS: dict[str, Carrier] = {"mac": MatMul.product, "lut-tc": planes}


def one_head(network: Network, nodes: Sequence[Node], array: Array) -> Network | None:
    """Some nodes for one head as a network of their own, with weights of 0; None where the array does not run them.

    The first node is a `MatMul`; each later one reads the one before as its first operand.
    """
    carrier = CARRIERS.get(array.engine)
    first = nodes[0]
    if carrier is None or not isinstance(first, MatMul):
        return None
    tokens, width = first.each(network.shapes[first.inputs[0]])
    made, source, given = list[Node](), "input", width
    for node in nodes:
        columns = given
        if isinstance(node, MatMul):
            _, reduction, columns = node.sizes(*(network.shapes[name] for name in node.inputs))
            made.append(replace(carrier(node, np.zeros((reduction, columns), np.int8)), inputs=(source,)))
        else:
            made.append(replace(node, inputs=(source,)))
        if refusal(made[-1], [(1, tokens, given)], array):
            return None
        source, given = node.name, columns
    return Network(name=f"{network.name}: one head of {first.name}", input_shape=(1, tokens, width),
                   input_scale=network.scale(first.inputs[0]), nodes=tuple(made))


def _products(nodes: Sequence[Node]) -> dict[str, MatMul]:
    return {node.name: node for node in nodes if isinstance(node, MatMul)}


def _weights(node: MatMul, values: Values) -> Int8:
    """The second operand as weights, ``(batch, heads, reduction, columns)``."""
    other = heads_of(values[node.inputs[1]], node.heads)
    return other.swapaxes(2, 3) if node.transposed else other


def _beats(program: Program, products: Mapping[str, MatMul], weights: Values, number: tuple[int, int],
           ) -> Iterator[NDArray[np.uint8]]:
    """The table stream of one run."""
    for operation in program.operations:
        if operation.kind is Kind.PRODUCT:
            node = products[operation.name]
            layer = CARRIERS[program.array.engine](node, weights[node.name][number])
            former = product_former(layer.layer(), layer.reduction, (1, 1), program.array)
            yield from [images.table_beats(layer, former.codebooks, operation, program.array)] * operation.blocks


def head_tables(program: Program, nodes: Sequence[Node], values: Values) -> NDArray[np.uint8]:
    """The table stream of all heads of all inputs, ``(beats, bytes)``; their runs follow each other in that order."""
    products = _products(nodes)
    weights = {name: _weights(node, values) for name, node in products.items()}
    batch, heads = weights[nodes[0].name].shape[:2]
    return np.concatenate([beats for number in np.ndindex(batch, heads)
                           for beats in _beats(program, products, weights, (number[0], number[1]))])


def head_inputs(nodes: Sequence[Node], values: Values) -> Int8:
    """Inputs of the runs, ``(batch * heads, 1, tokens, channels)``."""
    (first, *_) = _products(nodes).values()
    given = heads_of(values[first.inputs[0]], first.heads)
    return np.ascontiguousarray(given.reshape(-1, 1, *given.shape[2:]))


def head_outputs(nodes: Sequence[Node], found: Int8) -> Int8:
    """The value that the runs' outputs ``(batch * heads, 1, tokens, columns)`` make together."""
    *_, last = _products(nodes).values()
    return np.ascontiguousarray(joined(found.reshape(-1, last.heads, *found.shape[2:]), last.merged))

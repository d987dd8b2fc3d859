"""A user's trained ONNX model as a :class:`FloatGraph`: the operators that are understood."""

import os
from collections.abc import Callable

import onnx

from . import onnx_arithmetic as arithmetic
from . import onnx_functions as functions
from . import onnx_moves as moves
from . import onnx_pools as pools
from . import onnx_products as products
from . import onnx_quantised as quantised
from . import onnx_tokens as tokens
from .graph import FloatGraph, Moving
from .nodes import Shape
from .onnx_file import Model, open_model, unsupported
from .onnx_walk import Walk
from .places import Places

__all__ = ["SUPPORTED", "read"]

FUNCTIONS = ("Abs", "Ceil", "Celu", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish",
             "LeakyRelu", "Log", "Mish", "Neg", "PRelu", "Reciprocal", "Round", "Selu", "Sigmoid", "Sign", "Sin",
             "Softplus", "Softsign", "Sqrt", "Tanh", "ThresholdedRelu")
MOVES = ("DepthToSpace", "Flatten", "Gather", "Reshape", "Slice", "SpaceToDepth", "Split", "Squeeze", "Transpose",
         "Unsqueeze")
OPERATORS: dict[str, Callable[[Walk, onnx.NodeProto], None]] = {
    "Add": arithmetic.add, "AveragePool": pools.average_pool, "BatchNormalization": products.batch_norm,
    "Clip": functions.clip, "Concat": moves.concat, "Conv": products.conv, "DequantizeLinear": quantised.dequantise,
    "Div": arithmetic.divide, "Dropout": moves.same, "Gemm": products.gemm, "GlobalAveragePool": pools.global_average,
    "GlobalMaxPool": pools.global_maximum, "Identity": moves.same, "LayerNormalization": tokens.layer_normalisation,
    "LogSoftmax": moves.softmax, "MatMul": products.matmul, "Max": arithmetic.extreme, "MaxPool": pools.max_pool,
    "Min": arithmetic.extreme, "Mul": arithmetic.multiply, "Pad": moves.pad, "Pow": arithmetic.power,
    "QuantizeLinear": quantised.quantise, "ReduceMax": pools.reduce_max, "ReduceMean": pools.reduce_mean,
    "Relu": functions.relu, "Softmax": moves.softmax, "Sub": arithmetic.subtract,
    **dict.fromkeys(FUNCTIONS, functions.function), **dict.fromkeys(MOVES, moves.move)}
SUPPORTED = frozenset(OPERATORS) | {"Constant"}


def _layouts(shape: Shape) -> list[Places]:
    """How an input of that shape may lie: channels first, channels last, or a plane without channels."""
    if len(shape) == 1:
        return [Places.channels_first(shape)]
    found = [Places.channels_first(shape), Places.channels_last(shape)]
    return found if len(shape) == 3 else [*found, Places.plane(shape)]


def _walked(model: Model, places: Places) -> FloatGraph:
    walk = Walk(model, places)
    for node in model.nodes:
        if node.op_type not in OPERATORS:
            raise unsupported(node, SUPPORTED)
        OPERATORS[node.op_type](walk, node)
    return walk.graph()


def _moves(graph: FloatGraph) -> int:
    return sum(isinstance(step, Moving) for step in graph.steps)


def read(path: str | os.PathLike[str], shape: Shape | None = None) -> FloatGraph:
    """A trained network, as far as Lutra can convert it.

    Weights are permuted to channels last, batch norms and bias additions are folded into the product before them,
    ReLUs and other clamps are fused, reshapes and transposes become changes of places, a softmax at the end is left
    out. The input lies in the way that leaves the fewest values to be moved. ``shape`` gives the sizes (without the
    batch) that the model leaves free.

    Raises ``ValueError`` for a file that is no valid ONNX model and for whatever is not supported, by name.
    """
    model = tokens.fused(open_model(path, SUPPORTED, shape))
    found, errors = list[FloatGraph](), list[ValueError]()
    for places in _layouts(model.shapes[model.input][1:]):
        try:
            found.append(_walked(model, places))
        except ValueError as error:
            errors.append(error)
        if found and not _moves(found[-1]):
            break
    if not found:
        raise errors[0]
    return min(found, key=_moves)

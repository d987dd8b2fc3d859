"""An ONNX file opened: checked, with every shape inferred for a batch of one and every constant evaluated."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from .network import Shape

__all__ = ["Model", "label", "open_model", "unsupported"]

ON_CONSTANTS = frozenset({"Cast", "Concat", "Gather", "Shape", "Slice", "Unsqueeze"})  # of an exporter's shapes


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A checked model with one input and one output.

    Parameters
    ----------
    nodes : those that work on activations, in the order they run.
    constants : every tensor that does not depend on the input.
    shapes : of every other tensor, with a batch of one.
    """

    proto: onnx.ModelProto
    name: str
    input: str
    output: str
    fixed_batch: bool
    nodes: tuple[onnx.NodeProto, ...]
    constants: dict[str, NDArray[np.generic]]
    shapes: dict[str, Shape]
    source: dict[str, str]


def label(node: onnx.NodeProto) -> str:
    """How messages name a node."""
    return f"{node.name or node.output[0]} ({node.op_type})"


def unsupported(node: onnx.NodeProto, supported: frozenset[str]) -> ValueError:
    """The refusal of an operator."""
    return ValueError(f"operator {node.op_type} (node {node.name or node.output[0]}) is not supported; "
                      f"supported are {', '.join(sorted(supported))}")


def _load(path: Path) -> onnx.ModelProto:
    try:
        proto = onnx.load(path)
        onnx.checker.check_model(proto)
    except Exception as error:  # protobuf, the checker and the file system each have their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
        raise ValueError(f"{path} must be a valid ONNX model, but it cannot be read: {reason}") from None
    return proto


def _dimensions(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?"
            for dim in value.type.tensor_type.shape.dim]


def _only_one(what: str, values: list[onnx.ValueInfoProto]) -> onnx.ValueInfoProto:
    if len(values) != 1:
        raise ValueError(f"the model has {len(values)} {what}s ({', '.join(v.name for v in values)}), "
                         "only 1 is supported")
    return values[0]


def _checked_input(value: onnx.ValueInfoProto) -> list[int | str]:
    kind = value.type.tensor_type.elem_type
    if kind != onnx.TensorProto.FLOAT:
        raise ValueError(f"input {value.name} must be float, not {onnx.TensorProto.DataType.Name(kind).lower()}")
    shape = _dimensions(value)
    text = f"({', '.join(map(str, shape))})"
    if len(shape) not in (2, 4):
        raise ValueError(f"input {value.name} must be a batch of images or vectors, not of shape {text}")
    if not all(isinstance(size, int) and size > 0 for size in shape[1:]):
        raise ValueError(f"input {value.name} has shape {text}, only its batch may be free")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise ValueError(f"input {value.name} has shape {text}, its batch must be free or 1")
    return shape


def _inferred(proto: onnx.ModelProto, given: onnx.ValueInfoProto) -> dict[str, Shape]:
    """Shapes of all tensors of a batch of one."""
    single = onnx.ModelProto()
    single.CopyFrom(proto)
    del single.graph.value_info[:]
    for value in single.graph.input:
        if value.name == given.name:
            value.type.tensor_type.shape.dim[0].dim_value = 1
    for value in single.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        graph = onnx.shape_inference.infer_shapes(single, strict_mode=True, data_prop=True).graph
    except onnx.shape_inference.InferenceError as error:
        raise ValueError(f"the model's shapes must agree, but {str(error).strip().splitlines()[-1]}") from None
    found = {value.name: _dimensions(value) for value in [*graph.value_info, *graph.input, *graph.output]}
    return {name: tuple(int(size) for size in shape) for name, shape in found.items()
            if all(isinstance(size, int) for size in shape)}


def _fold(graph: onnx.GraphProto, shapes: dict[str, Shape]) -> tuple[dict[str, NDArray[np.generic]],
                                                                   list[onnx.NodeProto]]:
    """Constants by name, and the nodes that remain."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    rest = []
    for node in graph.node:
        if node.op_type == "Shape" and node.input[0] in shapes and not node.attribute:
            constants[node.output[0]] = np.array(shapes[node.input[0]], np.int64)
        elif all(name in constants for name in node.input if name):
            results = ReferenceEvaluator(node).run(None, {name: constants[name] for name in node.input if name})
            constants.update(zip(node.output, results, strict=True))
        else:
            rest.append(node)
    return constants, rest


def open_model(path: str | os.PathLike[str], supported: frozenset[str]) -> Model:
    """Read and check a model.

    Raises ``ValueError`` for a file that is no ONNX model, an operator that is not ``supported`` (a few more may
    work on constants), several inputs or outputs, and shapes that are not fixed.
    """
    path = Path(path)
    proto = _load(path)
    for node in proto.graph.node:
        if node.op_type not in supported | ON_CONSTANTS or node.domain not in ("", "ai.onnx"):
            raise unsupported(node, supported)
    weights = {tensor.name for tensor in proto.graph.initializer}
    given = _only_one("input", [value for value in proto.graph.input if value.name not in weights])
    made = _only_one("output", list(proto.graph.output))
    shape = _checked_input(given)
    shapes = _inferred(proto, given)
    constants, nodes = _fold(proto.graph, shapes)
    return Model(proto=proto, name=path.stem, input=given.name, output=made.name, fixed_batch=shape[0] == 1,
                 nodes=tuple(nodes), constants=constants, shapes=shapes,
                 source={"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})

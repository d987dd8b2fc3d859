"""An ONNX file opened: checked, with every shape inferred for a batch of one and every constant evaluated."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from .nodes import Shape

__all__ = ["Model", "computed", "label", "open_model", "unsupported"]


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


def _load(path: Path) -> tuple[onnx.ModelProto, dict[str, NDArray[np.generic]]]:
    """A checked model and its weights."""
    try:
        proto = onnx.load(path)
        onnx.checker.check_model(proto)
        if any(isinstance(name, bytes) for node in proto.graph.node for name in (node.name, *node.input, *node.output)):
            raise ValueError("a name is not text")
        return proto, {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    except Exception as error:  # protobuf, the checker and the file system each have their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
        raise ValueError(f"{path} must be a valid ONNX model, but it cannot be read: {reason}") from None


def computed(node: onnx.NodeProto, opsets: Iterable[onnx.OperatorSetIdProto],
             values: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """A node's outputs by ONNX's reference, from its inputs by name."""
    given = [name for name in dict.fromkeys(node.input) if name]
    infos = [[onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in names]
             for names in (given, [name for name in node.output if name])]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "one", *infos), opset_imports=list(opsets))
    try:
        evaluator = ReferenceEvaluator(model)
    except RuntimeError:  # no implementation that old: the newest has the same meaning for what it accepts
        evaluator = ReferenceEvaluator(node)
    try:
        return [np.asarray(result) for result in evaluator.run(None, {name: values[name] for name in given})]
    except Exception as error:  # whatever its NumPy code raises
        raise ValueError(f"{label(node)} must have a value by ONNX's reference, but "
                         f"{(str(error).splitlines() or [type(error).__name__])[0]}") from None


def _dimensions(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_value if dim.dim_value > 0 else dim.dim_param or "?" for dim in value.type.tensor_type.shape.dim]


def _only_one(what: str, values: list[onnx.ValueInfoProto]) -> onnx.ValueInfoProto:
    if len(values) != 1:
        raise ValueError(f"the model has {len(values)} {what}s ({', '.join(v.name for v in values)}), "
                         "only 1 is supported")
    return values[0]


def _checked_input(value: onnx.ValueInfoProto, wanted: Shape | None) -> list[int | str]:
    """The input's shape; free sizes are as ``wanted``."""
    kind = value.type.tensor_type.elem_type
    if kind != onnx.TensorProto.FLOAT:
        raise ValueError(f"input {value.name} must be float, not {onnx.TensorProto.DataType.Name(kind).lower()}")
    shape = _dimensions(value)
    if wanted is not None and len(wanted) == len(shape) - 1:
        shape[1:] = [size if isinstance(size, int) else given for size, given in zip(shape[1:], wanted, strict=True)]
    text = f"({', '.join(map(str, shape))})"
    if len(shape) not in (2, 3, 4):
        raise ValueError(f"input {value.name} must be a batch of images, sequences or vectors, not of shape {text}")
    if not all(isinstance(size, int) for size in shape[1:]):
        raise ValueError(f"input {value.name} has shape {text}, only its batch may be free")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise ValueError(f"input {value.name} has shape {text}, its batch must be free or 1")
    return shape


def _single(proto: onnx.ModelProto, given: onnx.ValueInfoProto, shape: list[int | str]) -> onnx.ModelProto:
    """The model for a batch of one, without the shapes that it claims."""
    single = onnx.ModelProto()
    single.CopyFrom(proto)
    del single.graph.value_info[:]
    for value in single.graph.input:
        if value.name == given.name:
            for dimension, size in zip(value.type.tensor_type.shape.dim, (1, *shape[1:]), strict=True):
                dimension.dim_value = size
    for value in single.graph.output:
        value.type.tensor_type.ClearField("shape")
    return single


def _inferred(model: onnx.ModelProto) -> dict[str, Shape]:
    """Every shape that is known."""
    try:
        graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except onnx.shape_inference.InferenceError as error:
        raise ValueError(f"the model's shapes must agree, but {str(error).strip().splitlines()[-1]}") from None
    values = [value for value in (*graph.value_info, *graph.input, *graph.output)
              if value.type.tensor_type.HasField("shape")]
    shapes = {value.name: _dimensions(value) for value in values}
    return {name: tuple(size for size in shape if isinstance(size, int)) for name, shape in shapes.items()
            if all(isinstance(size, int) for size in shape)}


def _evaluated(node: onnx.NodeProto, model: onnx.ModelProto, constants: dict[str, NDArray[np.generic]],
               shapes: dict[str, Shape]) -> list[NDArray[np.generic]] | None:
    """A node's outputs, if they do not depend on the input's values."""
    if node.op_type == "Shape" and node.input[0] in shapes:
        limits = {item.name: item.i for item in node.attribute}
        return [np.array(shapes[node.input[0]][limits.get("start", 0):limits.get("end")], np.int64)]
    if not all(name in constants for name in node.input if name):
        return None
    return computed(node, model.opset_import, constants)


def _fold(model: onnx.ModelProto, constants: dict[str, NDArray[np.generic]]) -> dict[str, Shape]:
    """Move every node that makes a constant out of the model, into ``constants``; all shapes by name.

    A shape may hang on a constant that was computed from another shape: repeated until nothing moves.
    """
    while True:
        shapes = _inferred(model)
        rest = []
        for node in model.graph.node:
            results = _evaluated(node, model, constants, shapes)
            if results is None:
                rest.append(node)
                continue
            constants.update(zip(node.output, results, strict=True))
            model.graph.initializer.extend(numpy_helper.from_array(value, name)
                                           for name, value in zip(node.output, results, strict=True))
        if len(rest) == len(model.graph.node):
            return shapes
        del model.graph.node[:]
        model.graph.node.extend(rest)


def _check_operators(proto: onnx.ModelProto, supported: frozenset[str], constants: Iterable[str]) -> None:
    """Refuse an operator that is not supported, unless it works on constants and shapes only."""
    known = set(constants)
    for node in proto.graph.node:
        if node.op_type == "Shape" or all(name in known for name in node.input if name):
            known.update(node.output)
        elif node.op_type not in supported or node.domain not in ("", "ai.onnx"):
            raise unsupported(node, supported)


def open_model(path: str | os.PathLike[str], supported: frozenset[str], shape: Shape | None = None) -> Model:
    """Read and check a model; ``shape`` gives the sizes that its input leaves free.

    Raises ``ValueError`` for a file that is no ONNX model, an operator on activations that is not ``supported``,
    several inputs or outputs, and shapes that are not fixed.
    """
    path = Path(path)
    proto, constants = _load(path)
    _check_operators(proto, supported, constants)
    given = _only_one("input", [value for value in proto.graph.input if value.name not in constants])
    made = _only_one("output", list(proto.graph.output))
    sizes = _checked_input(given, shape)
    single = _single(proto, given, sizes)
    shapes = _fold(single, constants)
    return Model(proto=proto, name=path.stem, input=given.name, output=made.name, fixed_batch=sizes[0] == 1,
                 nodes=tuple(single.graph.node), constants=constants, shapes=shapes,
                 source={"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})

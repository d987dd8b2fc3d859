"""A PyTorch model of the user's as a float graph, and as a lookup network that can be trained."""

import io
import re
import tempfile
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from lutra_model import onnx_read
from lutra_model.convert import convert
from lutra_model.graph import FloatGraph

from .graph import Graph

__all__ = ["exported", "float_graph", "from_torch"]

OPSET = 17
NODE = re.compile(r"node /([\w.]+)/\w+")  # as an error calls it


def _path(name: str) -> str:
    """A node's name as the exporter makes it (``/a/a.0/conv/Conv``) with the path of its module: ``/a.0.conv/Conv``."""
    *scopes, operator = name.strip("/").split("/")
    path = ""
    for before, scope in pairwise(["", *scopes]):
        path = path.removesuffix(before) + scope if before and scope.startswith(f"{before}.") else f"{path}.{scope}"
    return f"/{path.strip('.')}/{operator}" if scopes else name


def exported(model: nn.Module, x: Tensor) -> onnx.ModelProto:
    """The model in evaluation mode as ONNX, ``input`` to ``output``, with the batch free; ``x`` is a batch of inputs.

    Nodes are named by the paths of their modules. Raises ``ValueError`` for a model that PyTorch's exporter does not
    take.
    """
    buffer, was = io.BytesIO(), model.training
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter that needs no other package
            torch.onnx.export(model.eval(), (x[:1].cpu(),), buffer, dynamo=False, opset_version=OPSET,
                              input_names=["input"], output_names=["output"],
                              dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
    except (RuntimeError, TypeError, torch.onnx.errors.OnnxExporterError) as error:
        raise ValueError(f"model {type(model).__name__} must be one that torch.onnx.export takes, but "
                         f"{str(error).strip().splitlines()[0]}") from None
    finally:
        model.train(was)
    proto = onnx.load_from_string(buffer.getvalue())
    for node in proto.graph.node:
        node.name = _path(node.name)
    return proto


def float_graph(model: nn.Module, x: Tensor, name: str = "") -> FloatGraph:
    """The model as the converter sees it; steps are named by the paths of their modules.

    Raises ``ValueError`` that names the module, with its path, that the converter cannot place.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name or type(model).__name__.lower()}.onnx"
        onnx.save(exported(model, x), path)
        try:
            return onnx_read.read(path)
        except ValueError as error:
            raise ValueError(NODE.sub(r"module \1", str(error))) from None


def from_torch(model: nn.Module, x: Tensor, *, name: str = "", **options: Any) -> Graph:
    """A float PyTorch model as a lookup network that can be trained further, and exported.

    Parameters
    ----------
    x : a few hundred typical inputs, in the model's own layout: scales, centroids and tables are fitted on them.
    options : of `lutra_model.convert.convert`: ``scheme``, ``lengths``, ``pixel_scale``, ...

    Raises ``ValueError`` for a module that cannot be placed or trained, by its path in the model.
    """
    floats = float_graph(model, x, name)
    graph = Graph(convert(floats, x.cpu().numpy(), **options), floats).eval()
    graph.prepare(x[:64])
    return graph

"""A PyTorch model of the user's as a float graph, and as a lookup network that can be trained."""

import io
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lutra_model import onnx_read
from lutra_model.convert import convert
from lutra_model.graph import FloatGraph

from .graph import Graph

__all__ = ["float_graph", "from_torch", "onnx_bytes"]

OPSET = 17
NODE = re.compile(r"(?<![\w/])/([\w./]+)/\w+")  # a node's name as PyTorch's exporter makes it: /module/path/Operator


def onnx_bytes(model: nn.Module, x: Tensor) -> bytes:
    """The model in evaluation mode as ONNX, ``input`` to ``output``, with the batch free; ``x`` is a batch of inputs.

    Raises ``ValueError`` for a model that PyTorch's exporter does not take.
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
    return buffer.getvalue()


def float_graph(model: nn.Module, x: Tensor, name: str = "") -> FloatGraph:
    """The model as the converter sees it; steps are named by the paths of their modules.

    Raises ``ValueError`` that names the module, with its path, that the converter cannot place.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name or type(model).__name__.lower()}.onnx"
        path.write_bytes(onnx_bytes(model, x))
        try:
            return onnx_read.read(path)
        except ValueError as error:
            raise ValueError(NODE.sub(lambda found: f"module {found[1].replace('/', '.')}", str(error))) from None


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

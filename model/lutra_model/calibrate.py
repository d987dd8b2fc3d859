"""Calibration: what a trained model computes on a user's data, by ONNX Runtime, and the scales that follow."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from .graph import FloatGraph

__all__ = ["activation_scale", "collect", "predict"]

BATCH = 64
BINS = 2048
CANDIDATES = 64  # clipping thresholds tried, up to the largest magnitude


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _run(graph: FloatGraph, model: onnx.ModelProto, x: NDArray[Any], tensors: list[str]) -> list[NDArray[np.float32]]:
    session = _session(model)
    name = session.get_inputs()[0].name
    size = 1 if graph.fixed_batch else BATCH
    parts = [session.run(tensors, {name: x[start:start + size].astype(np.float32)})
             for start in range(0, len(x), size)]
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def checked(graph: FloatGraph, x: NDArray[Any]) -> NDArray[Any]:
    """The data, if the model can take it; ``ValueError`` otherwise."""
    shape = graph.model_shape
    if x.ndim != len(shape) + 1 or x.shape[1:] != shape:
        raise ValueError(f"calibration data must have shape (batch, {', '.join(map(str, shape))}), not {x.shape}")
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"calibration data must be floating point, not {x.dtype}")
    if not len(x):
        raise ValueError("calibration data must hold at least one input, not 0")
    if not np.isfinite(x).all():
        raise ValueError("calibration data must be finite, but it holds NaN or infinity")
    return x


def collect(graph: FloatGraph, x: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    """The value of every step before its ReLU, in Lutra's layout, and of ``input``; ``x`` is as the model takes it."""
    x = checked(graph, x)
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    tensors = list(dict.fromkeys(step.tensor for step in graph.steps))
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                              for name in tensors if name not in known)
    found = dict(zip(tensors, _run(graph, model, x, tensors), strict=True))
    return {"input": graph.layout.ours(x), **{step.name: step.layout.ours(found[step.tensor]) for step in graph.steps}}


def predict(graph: FloatGraph, x: NDArray[Any]) -> NDArray[np.float32]:
    """The model's own float output; ``x`` is as the model takes it."""
    return _run(graph, graph.model, checked(graph, x), [graph.model.graph.output[0].name])[0]


def activation_scale(values: NDArray[np.floating[Any]], relu: bool = False) -> float:
    """The int8 scale that gives the values the least mean squared error; 0 if all of them are 0.

    The largest magnitude kept is one of ``CANDIDATES`` even fractions of the largest seen.
    """
    values = values[values > 0] if relu else np.abs(values)
    largest = float(values.max(initial=0.0))
    if largest == 0.0:
        return 0.0
    counts, edges = np.histogram(values, BINS, (0.0, largest))
    centres = (edges[1:] + edges[:-1]) / 2
    scales = largest / 127 * np.arange(1, CANDIDATES + 1)[:, None] / CANDIDATES
    error = centres - scales * np.minimum(np.rint(centres / scales), 127)
    return float(scales[(counts * error**2).sum(axis=1).argmin(), 0])

"""Calibration: what a trained model computes on a user's data, by ONNX Runtime, and the scales that follow."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from .graph import FloatGraph

__all__ = ["activation_scale", "collect", "predict", "row_scale"]

Floats = NDArray[np.float32]
BATCH = 64
BINS = 2048
CANDIDATES = 64  # clipping thresholds tried, up to the largest magnitude


def _run(graph: FloatGraph, model: onnx.ModelProto, x: Floats, tensors: list[str]) -> list[Floats]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # an error is an exception already
    size = 1 if graph.fixed_batch else BATCH
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        parts = [session.run(tensors, {name: x[start:start + size]}) for start in range(0, len(x), size)]
    except Exception as error:  # ONNX Runtime's own classes derive from nothing narrower
        raise ValueError(f"the model must run in ONNX Runtime, but {str(error).strip().splitlines()[0]}") from None
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def _checked(graph: FloatGraph, x: NDArray[Any]) -> Floats:
    """The data as float32, if the model can take it; ``ValueError`` otherwise."""
    shape = graph.model_shape
    if x.ndim != len(shape) + 1 or x.shape[1:] != shape:
        raise ValueError(f"calibration data must have shape (batch, {', '.join(map(str, shape))}), not {x.shape}")
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"calibration data must be floating point, not {x.dtype}")
    if not len(x):
        raise ValueError("calibration data must hold at least one input, not 0")
    with np.errstate(over="ignore"):
        single = x.astype(np.float32)
    if not np.isfinite(single).all():
        raise ValueError("calibration data must be finite, but it holds NaN or infinity")
    return single


def _input_name(model: onnx.ModelProto) -> str:
    """The one input that is no weight."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return next(value.name for value in model.graph.input if value.name not in weights)


def collect(graph: FloatGraph, x: NDArray[Any]) -> dict[str, Floats]:
    """The value of every step before its ReLU, in Lutra's layout, and of ``input``; ``x`` is as the model takes it."""
    x = _checked(graph, x)
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    given = _input_name(model)
    tensors = [name for name in dict.fromkeys(step.tensor for step in graph.steps) if name != given]
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                              for name in tensors if name not in known)
    found = dict(zip(tensors, _run(graph, model, x, tensors), strict=True)) | {given: x}
    for name, values in found.items():
        if not np.isfinite(values).all():
            raise ValueError(f"the model's tensor {name} must be finite, but calibration makes it NaN or infinite")
    return {"input": graph.places.ours(x), **{step.name: step.places.ours(found[step.tensor]) for step in graph.steps}}


def predict(graph: FloatGraph, x: NDArray[Any]) -> Floats:
    """The model's own float output; ``x`` is as the model takes it."""
    return _run(graph, graph.model, _checked(graph, x), [graph.model.graph.output[0].name])[0]


def activation_scale(values: NDArray[np.floating[Any]], relu: bool = False, peak: int = 127) -> float:
    """The scale that gives the values, as integers up to ``peak``, the least mean squared error; 0 if all are 0.

    The largest magnitude kept is one of ``CANDIDATES`` even fractions of the largest seen.
    """
    values = values[values > 0] if relu else np.abs(values)
    largest = float(values.max(initial=0.0))
    if largest == 0.0:
        return 0.0
    counts, edges = np.histogram(values, BINS, (0.0, largest))
    centres = (edges[1:] + edges[:-1]) / 2
    scales = largest / peak * np.arange(1, CANDIDATES + 1)[:, None] / CANDIDATES
    error = centres - scales * np.minimum(np.rint(centres / scales), peak)
    return float(scales[(counts * error**2).sum(axis=1).argmin(), 0])


def row_scale(values: NDArray[np.floating[Any]], peak: int = 127) -> float:
    """The scale in integers up to ``peak`` of values whose rows (of channels) are normalised next.

    The error of a row counts by the row's variance, which is lost in the norm: a few rows with large values must not
    coarsen all others. 0 if all values are 0.
    """
    rows = np.abs(values.reshape(-1, values.shape[-1]).astype(np.float64))
    largest = float(rows.max(initial=0.0))
    if largest == 0.0:
        return 0.0
    variance = values.reshape(rows.shape).astype(np.float64).var(axis=1, keepdims=True)
    weight = 1 / np.maximum(variance, 1e-6 * variance.max())
    weight, rows = np.broadcast_to(weight, rows.shape).ravel(), rows.ravel()
    counts, edges = np.histogram(rows, largest * np.concatenate([[0.0], np.geomspace(2**-16, 1, BINS)]), weights=weight)
    centres = (edges[1:] + edges[:-1]) / 2
    scales = largest / peak * np.geomspace(2**-8, 1, CANDIDATES)[:, None]
    error = centres - scales * np.minimum(np.rint(centres / scales), peak)
    return float(scales[(counts * error**2).sum(axis=1).argmin(), 0])

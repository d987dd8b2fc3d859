"""What model.onnx_read understood, computed here by loops over taps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import calibrate
from lutra_model.graph import (
    Affine,
    AveragePool,
    Flattening,
    FloatGraph,
    Gate,
    Joining,
    MaximumPool,
    Moving,
    Normaliser,
    Pointwise,
    Rectifier,
    Residual,
    Step,
)
from lutra_model.network import Window

__all__ = ["assert_understood"]

Real = NDArray[np.float64]


def taps(x: Real, window: Window, fill: float) -> Real:
    """``(batch, height, width, channels, taps)``."""
    top, left, bottom, right = window.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    height, width = window.output(*x.shape[1:3])
    return np.stack([padded[:, i:i + height * window.stride[0]:window.stride[0],
                            j:j + width * window.stride[1]:window.stride[1]][:, :height, :width]
                     for i in range(window.kernel[0]) for j in range(window.kernel[1])], axis=-1)


def value_of(step: Step, given: list[Real]) -> Real:
    """A step's value before its clamp."""
    x = given[0]
    match step:
        case Affine():
            rows = x[..., None] if step.window is None else taps(x, step.window, 0.0)
            groups = np.split(rows.reshape(*rows.shape[:-2], -1), step.groups, axis=-1)
            weights = np.split(step.weight, step.groups, axis=1)
            return np.concatenate([part @ w for part, w in zip(groups, weights, strict=True)], axis=-1) + step.bias
        case Residual():
            return x + given[1]
        case Gate():
            return x * given[1]
        case Joining():
            return np.concatenate(given, axis=-1)
        case MaximumPool():
            return taps(x, step.window, -np.inf).max(axis=-1)
        case AveragePool():
            whole = Window(kernel=(x.shape[1], x.shape[2]))
            return taps(x, step.window or whole, 0.0).mean(axis=-1)
        case Flattening():
            return x.reshape(len(x), -1)
        case Moving():
            return x.reshape(len(x), -1)[:, step.order].reshape(len(x), *step.places.shape)
        case Pointwise():
            if step.function(x.reshape(-1, 1)).shape[1] == 1:
                return step.function(x.reshape(-1, 1)).reshape(x.shape)
            channels = range(x.shape[-1])
            return np.stack([step.function(x[..., c].reshape(-1, 1))[:, c].reshape(x.shape[:-1]) for c in channels], -1)
        case Normaliser():
            parts = np.exp(x)
            return parts / parts.sum(axis=-1, keepdims=True)
        case Rectifier():
            return np.clip(x, step.low, step.high)
    raise AssertionError(step)


def evaluated(graph: FloatGraph, x: NDArray[Any]) -> dict[str, Real]:
    """Every step's value before its clamp."""
    before, after = {}, {"input": graph.places.ours(x).astype(np.float64)}
    for step in graph.steps:
        before[step.name] = value_of(step, [after[name] for name in step.inputs])
        after[step.name] = np.clip(before[step.name], step.low, step.high)
    return before | {"output": after[graph.steps[-1].name]}


def assert_understood(graph: FloatGraph, seed: int = 0, atol: float = 1e-4) -> None:
    x = np.random.default_rng(seed).normal(size=(3, *graph.model_shape)).astype(np.float32)
    ours = evaluated(graph, x)
    theirs = calibrate.collect(graph, x)
    for step in graph.steps:
        assert theirs[step.name].shape == ours[step.name].shape, step.name
        expected = step.clamped(theirs[step.name]) if isinstance(step, Rectifier) else theirs[step.name]
        np.testing.assert_allclose(ours[step.name], expected, rtol=1e-3, atol=atol, err_msg=step.name)
    if not graph.dropped:
        output = graph.steps[-1].places.ours(calibrate.predict(graph, x))
        np.testing.assert_allclose(ours["output"], output, rtol=1e-3, atol=atol)

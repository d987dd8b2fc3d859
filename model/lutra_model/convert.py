"""A trained float network as an integer :class:`Network`: INT8 multiplications, or LUT-NN tables.

Layers are converted in the order they run, each on the integers that the layers before it really make.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import calibrate, golden, kernels, onnx_read, products
from .graph import Affine, AveragePool, FloatGraph, Flattening, MaximumPool, Rectifier, Residual, Step
from .network import Add, AvgPool, Clamp, Flatten, MaxPool, Network, Node, Product, Shape
from .params import Metric
from .requantise import fixed_point, shared_shift

__all__ = ["SCHEMES", "convert", "sub_vector_length"]

SCHEMES = ("lut-nn", "int8")
Int8 = NDArray[np.int8]
Floats = NDArray[np.float32]


def sub_vector_length(step: Affine) -> int:
    """The default length of a layer's sub-vectors.

    One channel's window if it has at most 9 scalars; one row of the window if it is larger or if the image has
    less than four channels; four features where the window is one scalar, or none.
    """
    if step.window is None or prod(step.window.kernel) == 1:
        return 4
    taps, width = prod(step.window.kernel), step.window.kernel[1]
    return taps if taps <= 9 and len(step.weight) > 3 * taps else width


@dataclass(frozen=True, kw_only=True)
class _Options:
    scheme: str
    entries: int
    metric: Metric
    lengths: Mapping[str, int] | int | None
    refine: bool
    seed: int

    def length(self, step: Affine) -> int:
        if isinstance(self.lengths, int):
            return self.lengths
        return (self.lengths or {}).get(step.name, sub_vector_length(step))

    def check(self, graph: FloatGraph) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(f"scheme must be {' or '.join(SCHEMES)}, not {self.scheme}")
        if not 2 <= self.entries <= 256:
            raise ValueError(f"entries must be 2 to 256, not {self.entries}")
        known = {step.name for step in graph.steps if isinstance(step, Affine)}
        if isinstance(self.lengths, Mapping):
            for name in self.lengths:
                if name not in known:
                    raise ValueError(f"lengths must name layers ({', '.join(sorted(known))}), not {name}")
        for step in graph.steps:
            if isinstance(step, Affine) and self.length(step) < 1:
                raise ValueError(f"sub-vectors of layer {step.name} must have a length of at least 1, "
                                 f"not {self.length(step)}")


def _table_layer(step: Affine, options: _Options, columns: Int8, target: Floats, **fields: Any) -> Product:
    """A LUT-NN layer for the rows ``columns``; ``target`` is what the float layer makes of them."""
    vectors = products.pieces(columns, options.length(step))
    if vectors.shape[2] < options.entries:
        raise ValueError(f"layer {step.name} must see at least {options.entries} calibration vectors "
                         f"(one for each entry), not {vectors.shape[2]}")
    centroids = products.cluster(vectors, options.entries, options.seed)
    tables, bias = products.plain_tables(step.weight, centroids, fields.pop("input_scale")), step.bias
    if options.refine:
        codes = kernels.nearest(vectors, centroids, options.metric)
        tables, moved = products.fit_tables(tables, codes, target.reshape(-1, len(bias)) - bias, options.seed)
        bias = bias + moved
    return products.lookup(step.name, step.inputs[0], tables, bias, centroids, reduction=len(step.weight),
                           metric=options.metric, window=step.window, **fields)


def _product(step: Affine, options: _Options, x: Int8, target: Floats, **fields: Any) -> Product:
    if options.scheme == "int8":
        return products.dense(step.name, step.inputs[0], step.weight, step.bias, window=step.window, **fields)
    return _table_layer(step, options, golden.windows(x, step.window), target, **fields)


def _target(graph: FloatGraph, step: Step, floats: dict[str, Floats], values: dict[str, Int8],
            scales: dict[str, float]) -> Floats:
    """What a step should make: its float value, or what a residual still lacks if its other input is known."""
    readers = [other for other in graph.steps if step.name in other.inputs]
    if len(readers) == 1 and isinstance(readers[0], Residual) and not step.relu:
        (other,) = [name for name in readers[0].inputs if name != step.name] or [step.name]
        if other in values:
            return floats[readers[0].name] - values[other] * np.float32(scales[other])
    return floats[step.name]


def _glue(step: Step, scales: list[float], scale: float, shape: Shape) -> Node:
    """A node without weights; ``scales`` and ``shape`` are those of its inputs and its first input."""
    common: dict[str, Any] = {"name": step.name, "inputs": step.inputs, "scale": scale,
                              "low": 0 if step.relu else -128}
    match step:
        case Residual():
            (one, other), shift = shared_shift(scales[0] / scale, scales[1] / scale)
            return Add(**common, multipliers=(one, other), shift=shift)
        case AveragePool():
            size = prod(step.window.kernel if step.window else shape[:2])
            multiplier, shift = fixed_point(scales[0] / (scale * size))
            return AvgPool(**common, multiplier=int(multiplier), shift=int(shift), window=step.window)
        case MaximumPool():
            return MaxPool(**common, window=step.window)
        case Rectifier():
            return Clamp(**common)
        case Flattening():
            return Flatten(**common)
    raise AssertionError(f"step {step.name} is of no known kind")


def _provenance(graph: FloatGraph, options: _Options, count: int) -> dict[str, Any]:
    found: dict[str, Any] = {"model": dict(graph.source), "scheme": options.scheme, "calibration_inputs": count}
    if options.scheme == "lut-nn":
        found |= {"entries": options.entries, "metric": str(options.metric), "refine": options.refine,
                  "seed": options.seed}
    return found | ({"notes": list(graph.dropped)} if graph.dropped else {})


def convert(model: FloatGraph | str | os.PathLike[str], calibration: NDArray[Any], *, scheme: str = "lut-nn",
            entries: int = 16, metric: Metric = Metric.L2, lengths: Mapping[str, int] | int | None = None,
            refine: bool = True, seed: int = 0, name: str | None = None, pixel_scale: float | None = None,
            classes: tuple[str, ...] = (), progress: Callable[[str, int, int], None] | None = None) -> Network:
    """An integer network that does what ``model`` does, as far as 8 bits (and tables) can.

    Parameters
    ----------
    model : an ONNX file, or what :func:`onnx_read.read` made of it.
    calibration : floating point inputs as the *model* takes them, ``(batch, channels, height, width)`` for most;
        the network then takes ``(batch, height, width, channels)``.
    scheme : ``lut-nn`` or ``int8``.
    entries, metric : of a table layer's codebooks.
    lengths : scalars of a sub-vector: one number, or numbers by layer; :func:`sub_vector_length` for the others.
    refine : fit the tables to the float layer's outputs; otherwise they are ``centroid . weight``.
    pixel_scale : real value of one step of a ``uint8`` image, if the model takes images without an offset.
    progress : called with a layer's name, the layers done and the layers in all.

    Raises ``ValueError`` for calibration data that the model cannot take, or too little of it.
    """
    graph = model if isinstance(model, FloatGraph) else onnx_read.read(model)
    options = _Options(scheme=scheme, entries=entries, metric=Metric(metric), lengths=lengths, refine=refine,
                       seed=seed)
    options.check(graph)
    floats = calibrate.collect(graph, calibration)
    scales = {"input": calibrate.activation_scale(floats["input"]) or 1.0}
    values = {"input": np.clip(np.rint(floats["input"] / np.float64(scales["input"])), -128, 127).astype(np.int8)}
    nodes: list[Node] = []
    for done, step in enumerate(graph.steps):
        if progress is not None:
            progress(step.name, done, len(graph.steps))
        given = [scales[name] for name in step.inputs]
        keeps = isinstance(step, MaximumPool | Rectifier | Flattening)
        scale = given[0] if keeps else calibrate.activation_scale(floats[step.name], step.relu) or given[0]
        x = [values[name] for name in step.inputs]
        if isinstance(step, Affine):
            node: Node = _product(step, options, x[0], _target(graph, step, floats, values, scales), input_scale=given[0], scale=scale,
                                  low=0 if step.relu else -128)
        else:
            node = _glue(step, given, scale, x[0].shape[1:])
        nodes.append(node)
        scales[step.name], values[step.name] = scale, golden.evaluate(node, *x)
        del floats[step.name]
    return Network(name=name or graph.name, input_shape=graph.input_shape, input_scale=scales["input"],
                   pixel_scale=pixel_scale, nodes=tuple(nodes), classes=classes,
                   provenance=_provenance(graph, options, len(calibration)))

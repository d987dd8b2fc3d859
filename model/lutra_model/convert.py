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

from . import calibrate, golden, integer_glue, kernels, onnx_read, products, scales
from .graph import Affine, FloatGraph, Pointwise, Step
from .network import Network
from .nodes import Node
from .params import Metric

__all__ = ["SCHEMES", "convert", "sub_vector_length"]

SCHEMES = ("lut-nn", "int8")


def sub_vector_length(step: Affine) -> int:
    """The default length of a layer's sub-vectors: what the machine's window former makes of its kernel.

    One channel's window if it has at most 9 scalars; one row of the window if it is larger or if the image has
    less than four channels; four channels (or all of a group) where the window is one scalar, or none.
    """
    if step.window is None or prod(step.window.kernel) == 1:
        return min(4, len(step.weight)) if step.groups > 1 else 4
    taps, width = prod(step.window.kernel), step.window.kernel[1]
    narrow = step.groups == 1 and len(step.weight) <= 3 * taps
    return taps if taps <= 9 and not narrow else width


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
        layers = {step.name: step for step in graph.steps if isinstance(step, Affine)}
        for name in self.lengths if isinstance(self.lengths, Mapping) else ():
            if name not in layers:
                raise ValueError(f"lengths must name layers ({', '.join(layers)}), not {name}")
        for step in layers.values():
            if self.length(step) < 1:
                raise ValueError(f"sub-vectors of layer {step.name} must have at least 1 scalar, "
                                 f"not {self.length(step)}")

    def provenance(self) -> dict[str, Any]:
        found: dict[str, Any] = {"scheme": self.scheme}
        if self.scheme == "lut-nn":
            found |= {"entries": self.entries, "metric": str(self.metric), "refine": self.refine, "seed": self.seed}
        return found


class _Conversion:
    """A conversion under way: float and integer values, and the shapes, of the steps so far."""

    def __init__(self, graph: FloatGraph, options: _Options, data: NDArray[Any]) -> None:
        self.graph = graph
        self.options = options
        self.floats = calibrate.collect(graph, data)
        self.scales = scales.choose(graph, self.floats)
        self.shapes = {"input": graph.input_shape}
        real = self.floats.pop("input") / np.float64(self.scales["input"])
        self.values = {"input": np.clip(np.rint(real), -128, 127).astype(np.int8)}

    def node(self, step: Step) -> Node:
        """The next step as integers."""
        node = self._product(step) if isinstance(step, Affine) else self._glue(step)
        self.shapes[step.name] = node.shape(*(self.shapes[name] for name in step.inputs))
        if self.options.scheme == "lut-nn":  # tables follow the integers that really come
            self.values[step.name] = golden.evaluate(node, *(self.values[name] for name in step.inputs))
        self._forget(step)
        return node

    def _forget(self, done: Step) -> None:
        """Free what no later step reads."""
        del self.floats[done.name]
        later = self.graph.steps[self.graph.steps.index(done) + 1:]
        self.values = {name: value for name, value in self.values.items()
                       if any(name in step.inputs for step in later)}

    def _glue(self, step: Step) -> Node:
        names = (*step.inputs, step.name)
        return integer_glue.node(step, [self.scales[name] for name in names], self.shapes[step.inputs[0]])

    def _product(self, step: Affine) -> Node:
        source, scale = step.inputs[0], self.scales[step.name]
        low, high = integer_glue.limits(step, scale)
        common: dict[str, Any] = {"scale": scale, "low": low, "high": high, "window": step.window,
                                  "groups": step.groups}
        if self.options.scheme == "int8":
            return products.dense(step.name, source, step.weight, step.bias, input_scale=self.scales[source], **common)
        if len(step.weight) == 1 and step.groups == len(step.bias):  # nothing is summed: a function of each value
            function = Pointwise(name=step.name, inputs=step.inputs, tensor=step.tensor, places=step.places,
                                 low=step.low, high=step.high, function=lambda x: x * step.weight + step.bias)
            return self._glue(function)
        columns = golden.windows(self.values[source], step.window)
        vectors = products.pieces(columns, self.options.length(step), step.groups)
        if vectors.shape[2] < self.options.entries:
            raise ValueError(f"layer {step.name} must see at least {self.options.entries} calibration vectors "
                             f"(one for each entry), not {vectors.shape[2]}")
        centroids = products.cluster(vectors, self.options.entries, self.options.seed)
        tables = products.plain_tables(step.weight, centroids, self.scales[source], step.groups)
        bias = step.bias
        if self.options.refine:
            codes = kernels.nearest(vectors, centroids, self.options.metric)
            target = self.floats[step.name].reshape(-1, len(bias)) - bias
            tables, moved = products.fit_groups(tables, codes, target, self.options.seed, step.groups)
            bias = bias + moved
        return products.lookup(step.name, source, tables, bias, centroids, reduction=len(step.weight),
                               metric=self.options.metric, **common)


def convert(model: FloatGraph | str | os.PathLike[str], calibration: NDArray[Any], *, scheme: str = "lut-nn",
            entries: int = 16, metric: Metric = Metric.L2, lengths: Mapping[str, int] | int | None = None,
            refine: bool = True, seed: int = 0, name: str | None = None, pixel_scale: float | None = None,
            classes: tuple[str, ...] = (), progress: Callable[[str, int, int], None] | None = None) -> Network:
    """An integer network that does what ``model`` does, as far as 8 bits (and tables) can.

    Parameters
    ----------
    model : an ONNX file, whose free sizes are as in ``calibration``, or what :func:`onnx_read.read` made of it.
    calibration : floating point inputs as the *model* takes them, ``(batch, channels, height, width)`` for most;
        the network then takes ``(batch, height, width, channels)``.
    scheme : ``lut-nn`` or ``int8``.
    entries, metric : of a table layer's codebooks.
    lengths : scalars of a sub-vector: one number, or numbers by layer; :func:`sub_vector_length` for the others.
    refine : fit the tables to the float layer's outputs; otherwise they are ``centroid . weight``.
    pixel_scale : real value of one step of a ``uint8`` image, if the model takes images without an offset.
    progress : called with what runs, the steps done and the steps in all.

    Raises ``ValueError`` for calibration data that the model cannot take, or too little of it.
    """
    graph = model if isinstance(model, FloatGraph) else onnx_read.read(model, calibration.shape[1:])
    if metric not in list(Metric):
        raise ValueError(f"metric must be {', '.join(list(Metric)[:-1])} or {list(Metric)[-1]}, not {metric}")
    options = _Options(scheme=scheme, entries=entries, metric=Metric(metric), lengths=lengths, refine=refine,
                       seed=seed)
    options.check(graph)
    conversion = _Conversion(graph, options, calibration)
    nodes = []
    for done, step in enumerate(graph.steps, start=1):
        nodes.append(conversion.node(step))
        if progress is not None:
            progress(f"converting to {scheme}", done, len(graph.steps))
    provenance = {"model": dict(graph.source), "calibration_inputs": len(calibration), **options.provenance()}
    if graph.dropped:
        provenance["notes"] = list(graph.dropped)
    return Network(name=name or graph.name, input_shape=graph.input_shape, input_scale=conversion.scales["input"],
                   pixel_scale=pixel_scale, nodes=tuple(nodes), classes=classes, provenance=provenance)

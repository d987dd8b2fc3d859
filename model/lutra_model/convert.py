"""A trained float network as an integer :class:`Network`, each layer by a scheme.

Layers are converted in the order they run, each on the integers that the layers before it really make.
"""

import fnmatch
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import calibrate, function_makers, golden, integer_glue, onnx_read, scales
from .graph import Affine, FloatGraph, Pointwise, Step
from .network import Network
from .nodes import Node
from .params import Metric
from .schemes import Layer, Options, Scheme, scheme_of, sub_vector_length
from .spans import peaks, spans

__all__ = ["convert", "sub_vector_length"]


class _Conversion:
    """A conversion under way: float and integer values, and the shapes, of the steps so far."""

    def __init__(self, graph: FloatGraph, schemes: Mapping[str, Scheme], options: Options, data: NDArray[Any]) -> None:
        self.graph, self.schemes, self.options = graph, schemes, options
        self.follows = any(scheme.follows for scheme in schemes.values())
        self.floats = calibrate.collect(graph, data)
        self.spans = spans(graph, schemes, options, self.floats)
        self.scales = scales.choose(graph, self.floats, peaks(graph, self.spans), options.functions)
        self.seen = self._seen() if options.calibrated else {}
        self.shapes = {"input": graph.input_shape}
        real = self.floats.pop("input") / np.float64(self.scales["input"])
        self.values = {"input": np.clip(np.rint(real), -128, 127).astype(np.int8)}

    def node(self, step: Step) -> Node:
        """The next step as integers."""
        node = self._product(step) if isinstance(step, Affine) else self._glue(step)
        self.shapes[step.name] = node.shape(*(self.shapes[name] for name in step.inputs))
        if self.follows:  # tables follow the integers that really come
            self.values[step.name] = golden.evaluate(node, *(self.values[name] for name in step.inputs))
        self._forget(step)
        return node

    def _seen(self) -> dict[str, NDArray[Any]]:
        """What comes to every function of one value."""
        steps = {step.name: step for step in self.graph.steps}
        sources = {step.name: step.inputs[0] for step in self.graph.steps if isinstance(step, Pointwise)}
        return {name: steps[source].clamped(self.floats[source]) if source in steps else self.floats[source]
                for name, source in sources.items()}

    def _forget(self, done: Step) -> None:
        """Free what no later step reads."""
        del self.floats[done.name]
        later = self.graph.steps[self.graph.steps.index(done) + 1:]
        self.values = {name: value for name, value in self.values.items()
                       if any(name in step.inputs for step in later)}

    def _glue(self, step: Step) -> Node:
        names = (*step.inputs, step.name)
        return integer_glue.node(step, [self.scales[name] for name in names], self.shapes[step.inputs[0]],
                                 self.options.functions, self.seen.pop(step.name, None))

    def _product(self, step: Affine) -> Node:
        source, scale, chosen = step.inputs[0], self.scales[step.name], self.schemes[step.name]
        if chosen.follows and not chosen.baseline and len(step.weight) == 1 and step.groups == len(step.bias):
            function = Pointwise(name=step.name, inputs=step.inputs, tensor=step.tensor, places=step.places,
                                 low=step.low, high=step.high, function=lambda x: x * step.weight + step.bias)
            return self._glue(function)  # nothing is summed: a function of each value
        low, high = integer_glue.limits(step, scale)
        return chosen.product(Layer(
            step=step, source=source, input_scale=self.scales[source], scale=scale, low=low, high=high,
            columns=lambda: golden.windows(self.values[source], step.window),
            target=lambda: self.floats[step.name].reshape(-1, len(step.bias)), span=self.spans[step.name]),
            self.options)


def _chosen(graph: FloatGraph, scheme: str, by_layer: Mapping[str, str]) -> dict[str, Scheme]:
    """The scheme of every layer."""
    layers = [step.name for step in graph.steps if isinstance(step, Affine)]
    for name in by_layer:
        if not fnmatch.filter(layers, name):
            raise ValueError(f"schemes must name layers ({', '.join(layers)}), not {name}")
    last = {name: given for pattern, given in by_layer.items() for name in fnmatch.filter(layers, pattern)}
    return {name: scheme_of(last.get(name, scheme)) for name in layers}


def convert(model: FloatGraph | str | os.PathLike[str], calibration: NDArray[Any], *, scheme: str = "lut-nn",
            schemes: Mapping[str, str] | None = None, name: str | None = None, pixel_scale: float | None = None,
            classes: tuple[str, ...] = (), progress: Callable[[str, int, int], None] | None = None,
            **options: Any) -> Network:
    """An integer network that does what ``model`` does, as far as 8 bits (and tables) can.

    Parameters
    ----------
    model : an ONNX file, whose free sizes are as in ``calibration``, or what :func:`onnx_read.read` made of it.
    calibration : floating point inputs as the *model* takes them, ``(batch, channels, height, width)`` for most;
        the network then takes ``(batch, height, width, channels)``.
    scheme : of all layers that ``schemes``, by layer or pattern such as ``*.query*``, does not name.
    pixel_scale : real value of one step of a ``uint8`` image, if the model takes images without an offset.
    progress : called with what runs, the steps done and the steps in all.
    options : fields of :class:`schemes.Options`.

    Raises ``ValueError`` for calibration data that the model cannot take, or too little of it.
    """
    graph = model if isinstance(model, FloatGraph) else onnx_read.read(model, calibration.shape[1:])
    if options.get("metric", Metric.L2) not in list(Metric):
        raise ValueError(f"metric must be {', '.join(list(Metric)[:-1])} or {list(Metric)[-1]}, "
                         f"not {options['metric']}")
    chosen, settings = _chosen(graph, scheme, schemes or {}), Options(**options)
    settings = replace(settings, metric=Metric(settings.metric))
    if settings.calibrated and not settings.functions:
        raise ValueError("calibrated is for tables: functions must be chosen as well")
    for used in {item.name: item for item in [scheme_of(scheme), *chosen.values()]}.values():
        used.check(settings, {step.name: step for step in graph.steps
                              if isinstance(step, Affine) and chosen[step.name] is used})
    conversion = _Conversion(graph, chosen, settings, calibration)
    nodes = []
    for done, step in enumerate(graph.steps, start=1):
        nodes.append(conversion.node(step))
        if progress is not None:
            progress(f"converting to {scheme}", done, len(graph.steps))
    provenance = {"model": dict(graph.source), "calibration_inputs": len(calibration), "scheme": scheme,
                  **scheme_of(scheme).provenance(settings)}
    if schemes:
        provenance["schemes"] = dict(schemes)
    if graph.dropped:
        provenance["notes"] = list(graph.dropped)
    network = Network(name=name or graph.name, input_shape=graph.input_shape, nodes=tuple(nodes), classes=classes,
                      input_scale=conversion.scales["input"], pixel_scale=pixel_scale, provenance=provenance)
    return function_makers.fused(network) if settings.functions else network

"""Which int8 values a layer's scheme wants its input to have: the fewer they are, the larger a step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graph import Affine, FloatGraph, Rectifier
from .scales import KEEPING
from .schemes import Options, Scheme

__all__ = ["Span", "peaks", "spans"]

Span = tuple[int, int]  # smallest and largest


def _rectified(graph: FloatGraph, name: str, floats: Mapping[str, NDArray[np.floating[Any]]]) -> bool:
    """Whether a value is nowhere negative: by its clamps, or as far as the network's input was seen."""
    if name == "input":
        return bool(floats["input"].min() >= 0)
    step = next(step for step in graph.steps if step.name == name)
    if not isinstance(step, KEEPING) or (isinstance(step, Rectifier) and step.low >= 0):
        return step.low >= 0
    return all(_rectified(graph, source, floats) for source in step.inputs)


def _given(graph: FloatGraph, name: str) -> bool:
    """Whether a value is the network's input, or what only moves of it."""
    step = next((step for step in graph.steps if step.name == name), None)
    return step is None or (isinstance(step, KEEPING) and any(_given(graph, source) for source in step.inputs))


def spans(graph: FloatGraph, schemes: Mapping[str, Scheme], options: Options,
          floats: Mapping[str, NDArray[np.floating[Any]]]) -> dict[str, Span]:
    """What each layer takes of its input, by the layer's name."""
    return {step.name: schemes[step.name].span(
        options, rectified=_rectified(graph, step.inputs[0], floats), given=_given(graph, step.inputs[0]))
        for step in graph.steps if isinstance(step, Affine)}


def peaks(graph: FloatGraph, found: Mapping[str, Span]) -> dict[str, int]:
    """The largest magnitude that all readers of a value take, by its name."""
    least: dict[str, int] = {}
    for step in graph.steps:
        if step.name in found:
            low, high = found[step.name]
            least[step.inputs[0]] = min(least.get(step.inputs[0], 127), max(-low - (low == -128), high))
    return least

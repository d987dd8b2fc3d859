"""Real values of one int8 step: one scale for each value, a common one where values only change places."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import calibrate
from .graph import Flattening, FloatGraph, Joining, MaximumPool, Moving, Normaliser, Rectifier, Residual, Step
from .graph_tokens import RowNormaliser

__all__ = ["choose"]

KEEPING = (Flattening, Joining, MaximumPool, Moving, Rectifier)  # their outputs are some of their inputs' values


def _of_range(low: float, high: float, peak: int) -> float:
    """The symmetric scale that holds a range in integers up to ``peak``."""
    return max(-low / (peak + 1), high / peak)


def _own(graph: FloatGraph, step: Step, values: NDArray[np.floating[Any]], peak: int, functions: bool) -> float:
    """The scale that fits a step's values best, or the one that its range in a quantised model asks for."""
    if isinstance(step, Normaliser) and not functions:
        return 1 / peak
    if _normalised(graph, step.name):
        return calibrate.row_scale(values, peak)
    if step.name in graph.ranges:
        low, high = graph.ranges[step.name]
        return _of_range(min(max(low, step.low), step.high), max(min(high, step.high), step.low), peak)
    return calibrate.activation_scale(step.clamped(values), step.low >= 0, peak)


def _normalised(graph: FloatGraph, name: str) -> bool:
    """Whether a value is read by a row norm, or by sums that are."""
    readers = [step for step in graph.steps if name in step.inputs]
    return any(isinstance(step, RowNormaliser) or (isinstance(step, Residual) and _normalised(graph, step.name))
               for step in readers)


class _Groups:
    """Values that must have one scale."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def of(self, name: str) -> str:
        while name in self.parent:
            name = self.parent[name]
        return name

    def join(self, one: str, other: str) -> None:
        one, other = self.of(one), self.of(other)
        if one != other:
            self.parent[max(one, other)] = min(one, other)


def choose(graph: FloatGraph, floats: Mapping[str, NDArray[np.floating[Any]]],
           peaks: Mapping[str, int] | None = None, functions: bool = False) -> dict[str, float]:
    """The scale of every step and of ``input``, from values before their clamp.

    What a step only moves (pools, joins, flattenings) keeps its scale; all inputs of a join get the largest of their
    scales. A value that is always 0 takes the scale of what it was made from. ``peaks`` are the largest integers of
    values, by name, where they are not 127. A softmax by tables (``functions``) has a scale that fits its shares, one
    on the host has shares of 1/127.
    """
    groups = _Groups()
    for step in graph.steps:
        for name in step.inputs if isinstance(step, KEEPING) else ():
            groups.join(step.name, name)
    most: dict[str, int] = {}
    for name, peak in (peaks or {}).items():
        most[groups.of(name)] = min(peak, most.get(groups.of(name), peak))
    given, first = graph.ranges.get("input"), most.get(groups.of("input"), 127)
    own = {groups.of("input"): _of_range(*given, first) if given
           else calibrate.activation_scale(floats["input"], peak=first)}
    for step in graph.steps:
        if not isinstance(step, KEEPING):
            group = groups.of(step.name)
            mine = _own(graph, step, floats[step.name], most.get(group, 127), functions)
            own[group] = max(own.get(group, 0.0), mine)
    scales = {"input": own[groups.of("input")] or 1.0}
    for step in graph.steps:
        scales[step.name] = own[groups.of(step.name)] or scales[step.inputs[0]]
        own[groups.of(step.name)] = scales[step.name]
    return scales

"""SCALE-Sim's compute cycles, reproduced to the cycle: a model to compare with, not one of Lutra's machines.

SCALE-Sim 3.0.0 (Georgia Tech, MIT licence) steps through address traces of a systolic array. Without stalls of its
memories (mode ``CALC``) the cycles that it reports are, for M activation rows, a reduction of K and N outputs on
R x C cells::

    weights stay:  ceil(K / R) ceil(N / C) (2 R + C + M - 2) - 1
    outputs stay:  ceil(M / R) ceil(N / C) (R + C + K - 2) - 1
    inputs stay:   ceil(K / R) ceil(M / C) (2 R + C + N - 2) - 1

Every fold pays its own filling and draining, and the report names the last cycle by its number from 0 on.
"""

from enum import StrEnum
from typing import Any, TypeVar

from .params import Layer

__all__ = ["Dataflow", "compute_cycles", "layer_cycles"]

Whole = TypeVar("Whole", int, Any)  # integers, or arrays of them


class Dataflow(StrEnum):
    """What stays in the array: SCALE-Sim's names."""

    WEIGHTS = "ws"
    OUTPUTS = "os"
    INPUTS = "is"


def compute_cycles(m: Whole, k: Whole, n: Whole, rows: Whole, columns: Whole,
                   dataflow: Dataflow = Dataflow.WEIGHTS) -> Whole:
    """Cycles of a product ``(m, k) @ (k, n)`` on an array of so many rows and columns; all integers, or int64 arrays.

    >>> compute_cycles(10, 9, 6, 4, 4)  # SCALE-Sim 3.0.0 reports 119
    119
    """
    down, across, through, load = {
        Dataflow.WEIGHTS: (k, n, m, rows), Dataflow.OUTPUTS: (m, n, k, 0), Dataflow.INPUTS: (k, m, n, rows)}[dataflow]
    folds = -(-down // rows) * -(-across // columns)
    return folds * (load + rows + columns + through - 2) - 1


def layer_cycles(layer: Layer, rows: int, columns: int, dataflow: Dataflow = Dataflow.WEIGHTS) -> int:
    """The same for the dense product that a layer stands for."""
    return compute_cycles(layer.rows, layer.reduction, layer.columns, rows, columns, dataflow)

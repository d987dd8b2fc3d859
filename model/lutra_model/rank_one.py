"""Tables of levels that are products of two vectors, so that a multiplier could stand in their place."""

from dataclasses import dataclass
from functools import reduce
from math import gcd

import numpy as np
from numpy.typing import NDArray

__all__ = ["RankOne", "rank_one"]

Real = NDArray[np.float64]
ROUNDS = 60  # of fitting one vector to the other


@dataclass(frozen=True, eq=False)
class RankOne:
    """The nearest ``outer(activations, weights)`` to a table of levels.

    Parameters
    ----------
    residual : largest difference to the table, in its units; 0 where ``exact``.
    exact : all numbers are integers, and the product is the table.
    """

    activations: Real
    weights: Real
    residual: float
    exact: bool

    @property
    def within_rounding(self) -> bool:
        """Whether the table is what rounding makes of the product, so that a multiplier could stand for it."""
        return self.residual <= 0.5

    @property
    def in_int8(self) -> float:
        """Largest difference to the product of both vectors in INT8, each with a scale, in the table's units."""
        steps = [np.abs(vector).max() / 127 or 1.0 for vector in (self.activations, self.weights)]
        one, other = (np.rint(vector / step) * step for vector, step in zip((self.activations, self.weights), steps,
                                                                            strict=True))
        return self.residual + float(np.abs(np.outer(one, other) - np.outer(self.activations, self.weights)).max())


def _exact(table: NDArray[np.int64]) -> tuple[Real, Real] | None:
    """Integer vectors whose product is the table: a row without its common factor, and what each row is of it."""
    rows = np.flatnonzero(table.any(axis=1))
    if not len(rows):
        return np.zeros(len(table)), np.zeros(table.shape[1])
    weights = table[rows[0]] // reduce(gcd, table[rows[0]].tolist())
    place = int(np.abs(weights).argmax())
    activations = table[:, place] // weights[place]
    return (activations.astype(float), weights.astype(float)) if np.array_equal(
        np.outer(activations, weights), table) else None


def _nearest(table: Real, known: Real) -> Real:
    """For each row the factor of ``known`` with the middle of what the entries, within a half each, ask for."""
    used = np.abs(known) > 1e-9 * np.abs(known).max()
    ends = (table[:, None, used] + np.array([-0.5, 0.5])[:, None]) / known[used]
    found: Real = (ends.min(axis=1).max(axis=1) + ends.max(axis=1).min(axis=1)) / 2
    return found


def rank_one(levels: NDArray[np.int8]) -> RankOne:
    """The product of an activation's and a weight's value that a table of levels is, or is nearest to."""
    table = levels.astype(np.int64)
    if exact := _exact(table):
        return RankOne(*exact, 0.0, True)
    real = table.astype(float)
    left, size, right = np.linalg.svd(real)
    activations, weights, best = left[:, 0] * size[0], right[0], np.inf
    found = activations, weights
    for _ in range(ROUNDS):
        residual = float(np.abs(real - np.outer(activations, weights)).max())
        if residual < best:
            best, found = residual, (activations, weights)
        weights = _nearest(real.T, activations)
        activations = _nearest(real, weights)
    return RankOne(*found, best, False)

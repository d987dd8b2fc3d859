"""Deep Lookup Network (arXiv 2509.13662): levels of activations and weights, a fitted table of both for each layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .. import products
from ..codings import Levels
from ..codings.levels import MOST_LEVELS
from ..graph import Affine
from ..network import Product
from .base import Layer, Options, Scheme
from .refine import followed, nearest_line

__all__ = ["Dln", "fitted", "weight_steps"]

Real = NDArray[np.float64]
CANDIDATES = 64    # weight scales tried, up to the largest magnitude; table scales too
PAIRS = 1 << 14    # sums that the table is fitted to
CHUNK = 1 << 12    # of them at a time
RIDGE = 0.3        # of the mean square of the counts
STEPS = 40         # of conjugate gradients
ROWS = 1 << 15     # of outputs that weights, and each column's step and bias, are fitted to


def weight_steps(weight: Real, half: int) -> Real:
    """The real value of a weight level in each column, by the least squared error; 0 for a column of zeros."""
    largest = np.abs(weight).max(axis=0) / half
    steps = largest * np.arange(1, CANDIDATES + 1)[:, None] / CANDIDATES
    safe = np.where(steps > 0, steps, 1.0)
    near = (step * np.clip(np.rint(weight / step), -half, half) for step in safe)
    errors = np.stack([((weight - found)**2).sum(axis=0) for found in near])
    found: Real = np.take_along_axis(steps, errors.argmin(axis=0)[None], axis=0)[0]
    return found


def _counts(activations: NDArray[np.uint8], weights: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.float32]:
    """How often each pair of codes meets, ``(pairs, Nf * Nw)``; both codes are ``(reduction, pairs)``."""
    size, pairs = shape[0] * shape[1], activations.shape[1]
    places = activations.astype(np.int64) * shape[1] + weights + np.arange(pairs) * size
    return np.bincount(places.ravel(), minlength=pairs * size).reshape(pairs, size).astype(np.float32)


def _chosen(count: int, seed: int) -> NDArray[np.int64]:
    """Some of so many sums."""
    rng = np.random.default_rng(seed)
    return rng.integers(count, size=PAIRS) if count > 1 << 22 else rng.permutation(count)[:PAIRS]


def _ridge(rows: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
    """The least ``|rows @ x - target|^2 + ridge |x|^2``, by conjugate gradients."""
    ridge = np.float32(RIDGE * np.square(rows).sum() / rows.shape[1] + 1e-9)
    residual = rows.T @ target
    found, step, size = np.zeros_like(residual), residual, residual @ residual
    for _ in range(STEPS):
        if size == 0:
            break
        moved = rows.T @ (rows @ step) + ridge * step
        length = size / (step @ moved)
        found = found + length * step
        residual = residual - length * moved
        step, size = residual + (residual @ residual / size) * step, residual @ residual
    return found


def fitted(prior: Real, activations: NDArray[np.uint8], weights: NDArray[np.uint8], target: Real, gain: Real,
           seed: int) -> tuple[Real, Real]:
    """The table by codes that explains ``target`` best, by ridge regression towards ``prior``, and its entries' hits.

    ``activations`` and ``weights`` are codes, ``(groups, reduction, rows)`` and ``(groups, reduction, columns)``;
    ``target`` is ``(rows, groups * columns)`` in the table's units, ``gain`` the real value of one in each column.
    Row and column 0 stay 0.
    """
    columns, each = target.shape[1], weights.shape[2]
    relative = (gain / np.sqrt(np.mean(gain**2)) if gain.any() else gain).astype(np.float32)
    chosen = _chosen(target.size, seed)
    counts = np.empty((len(chosen), prior.size), np.float32)
    for start in range(0, len(chosen), CHUNK):
        row, column = np.divmod(chosen[start:start + CHUNK], columns)
        group = column // each
        counts[start:start + CHUNK] = _counts(
            activations[group, :, row].T, weights[group, :, column % each].T, prior.shape)
    hits, (row, column) = counts.sum(axis=0, dtype=np.float64), np.divmod(chosen, columns)
    left = (target[row, column] - counts @ prior.ravel()) * relative[column]
    counts *= relative[column, None]
    counts.reshape(-1, *prior.shape)[:, 0] = 0
    counts.reshape(-1, *prior.shape)[:, :, 0] = 0
    return prior + _ridge(counts, left.astype(np.float32)).reshape(prior.shape), hits.reshape(prior.shape)


def _rounded(table: Real, hits: Real) -> tuple[NDArray[np.int8], float]:
    """INT8 entries and the step between them that makes the least squared error over all hits."""
    largest = float(np.abs(table).max()) or 1.0
    steps = largest / 127 * np.arange(CANDIDATES // 2, CANDIDATES + 1) / CANDIDATES
    errors = [(hits * (table - step * np.clip(np.rint(table / step), -127, 127))**2).sum() for step in steps]
    step = float(steps[int(np.argmin(errors))])
    return np.clip(np.rint(table / step), -127, 127).astype(np.int8), step


class _Seen:
    """What calibration brings to a layer and what the float layer makes of it: everything is fitted to that."""

    def __init__(self, layer: Layer, seed: int) -> None:
        self.columns, self.target, self.groups, self.seed = layer.columns(), layer.target(), layer.step.groups, seed
        rows = np.sort(np.random.default_rng(seed).permutation(len(self.target))[:ROWS])
        self.some, self.wanted, self.span = self.columns[:, rows], self.target[rows], layer.span

    def weight(self, step: Affine, input_scale: float) -> Real:
        """The layer's weights after what its input's levels lose, see `followed`."""
        activations = np.clip(self.some, *self.span) * input_scale
        parts = zip(np.split(step.weight, self.groups, axis=1), np.split(activations, self.groups),
                    np.split(self.wanted, self.groups, axis=1), strict=True)
        with threadpool_limits(1):  # sums always in one order
            return np.concatenate([followed(*part) for part in parts], axis=1)

    def table(self, prior: Real, codes: NDArray[np.uint8], unit: Real, bias: Real) -> tuple[Real, Real]:
        """See `fitted`; ``codes`` of weights are ``(groups * reduction, columns)``."""
        activations = Levels(np.zeros(prior.shape, np.int8), -self.span[0]).codes(self.columns)
        split = (self.groups, len(codes) // self.groups, -1)
        with threadpool_limits(1):  # sums always in one order
            return fitted(prior, activations.reshape(split), codes.reshape(split), (self.target - bias) / unit, unit,
                          self.seed)

    def line(self, coding: Levels, words: NDArray[np.int8], unit: Real) -> tuple[Real, Real]:
        """Step and bias of each column of the golden sums, see `nearest_line`."""
        parts = zip(np.split(words, self.groups), np.split(self.some, self.groups), strict=True)
        sums = np.concatenate([coding.sums(some, rows) for some, rows in parts], axis=1)
        return nearest_line(sums.astype(np.float64), self.wanted, unit)


class Dln(Scheme):
    """Levels are evenly spaced; the table is free of that: it takes whatever entries explain the float layer best."""

    name = "dln"
    title = "Deep Lookup Network, arXiv 2509.13662"
    follows = True

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:
        """See `Scheme.check`."""
        if not 3 <= options.levels < MOST_LEVELS or options.levels % 2 == 0:
            raise ValueError(f"levels must be an odd number of 3 to {MOST_LEVELS - 1}, not {options.levels}")

    def provenance(self, options: Options) -> dict[str, Any]:
        """See `Scheme.provenance`."""
        return {"levels": options.levels, "refine": options.refine, "seed": options.seed}

    def span(self, options: Options, *, rectified: bool, given: bool) -> tuple[int, int]:
        """As many levels as asked for; of the network's input as many as there can be."""
        most = MOST_LEVELS - 1 if given else options.levels - 1
        return (0, most) if rectified else (-(most // 2), most // 2)

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`."""
        step, half, (low, high) = layer.step, options.levels // 2, layer.span
        seen = _Seen(layer, options.seed) if options.refine else None
        weight, bias = seen.weight(step, layer.input_scale) if seen else step.weight, step.bias
        least = np.maximum(np.abs(bias) / products.LARGEST_BIAS, layer.scale * 2.0**-40) / layer.input_scale
        steps = np.maximum(weight_steps(weight, half), least)
        weights = np.clip(np.rint(weight / steps), -half, half).astype(np.int64)
        codes = products.stacked(weights % options.levels, step.groups).astype(np.uint8)
        by_code = [np.roll(np.arange(first, last + 1), first) for first, last in ((low, high), (-half, half))]
        table, hits = np.multiply.outer(*by_code).astype(float), np.ones((high - low + 1, options.levels))
        unit = steps * layer.input_scale
        if seen:
            table, hits = seen.table(table, codes, unit, bias)
        entries, unit_of_table = _rounded(table, hits)
        coding, words = Levels(np.roll(entries, (-low, half), axis=(0, 1)), -low), codes.astype(np.int8)[:, None]
        unit = unit * unit_of_table
        if seen:
            unit, bias = seen.line(coding, words, unit)
        return products.coded(step.name, layer.source, words, unit, bias, coding, reduction=len(weight),
                              **layer.common)

"""Product layers from real numbers: INT8 weights, or centroids and tables; rounding is half to even."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .codings import Coding
from .network import Product
from .requantise import fixed_point

__all__ = ["LARGEST_BIAS", "cluster", "coded", "dense", "fit_groups", "fit_tables", "integer", "lookup", "pieces",
           "plain_tables", "stacked"]

Real = NDArray[np.float64]
LARGEST_BIAS = 2.0**30     # leaves room for the sum beside it in 32 bits
VECTORS_FOR_CENTROIDS = 1 << 14  # at most, for one codebook
ROWS_FOR_TABLES = 1 << 16      # at least 16 for each unknown beside that
RIDGE = 0.3                # of the mean number of vectors that one entry gets
CHUNK = 4096               # rows of one-hot codes at a time


def pieces(columns: NDArray[Any], length: int, groups: int = 1) -> NDArray[Any]:
    """``(groups * reduction, rows)`` cut into sub-vectors: ``(codebooks, length, rows)``.

    The last one of each group is padded with zeros.
    """
    grouped = columns.reshape(groups, -1, columns.shape[1])
    codebooks = -(-grouped.shape[1] // length)
    padded = np.pad(grouped, ((0, 0), (0, codebooks * length - grouped.shape[1]), (0, 0)))
    return padded.reshape(groups * codebooks, length, -1)


def by_tap(rows: NDArray[Any], taps: int, length: int, groups: int = 1) -> NDArray[Any]:
    """Rows ``(groups * reduction, ...)``, channel by channel, as runs of channels tap by tap.

    The channels of each tap are padded with zeros to whole sub-vectors.
    """
    found = rows.reshape(groups, -1, taps, rows.shape[1]).swapaxes(1, 2)
    padded = np.pad(found, ((0, 0), (0, 0), (0, -found.shape[2] % length), (0, 0)))
    return padded.reshape(-1, rows.shape[1])


def stacked(weight: NDArray[Any], groups: int) -> NDArray[Any]:
    """``(reduction, groups * columns)`` with the groups one below the other: ``(groups * reduction, columns)``."""
    reduction, columns = weight.shape
    return weight.reshape(reduction, groups, -1).swapaxes(0, 1).reshape(groups * reduction, columns // groups)


def _finisher(name: str, bias: Real, step: Real, scale: float) -> dict[str, Any]:
    """Bias, multiplier and shift for accumulators of ``step`` and outputs of ``scale``."""
    multiplier, shift = fixed_point(step / scale)
    return {"name": name, "bias": np.rint(bias / step).astype(np.int64), "multiplier": multiplier, "shift": shift,
            "table_scale": step, "scale": scale}


def _steps(largest: Real, bias: Real, scale: float) -> Real:
    """The real value of one accumulator step of each column: entries fit int8, the bias its 31 bits."""
    smallest = scale * 2.0**-40  # a column of zeros has no scale of its own
    return np.maximum.reduce([largest / 127, np.abs(bias) / LARGEST_BIAS, np.full_like(bias, smallest)])


def dense(name: str, source: str, weight: Real, bias: Real, *, input_scale: float, scale: float, groups: int = 1,
          **common: Any) -> Product:
    """An INT8 multiplying layer; ``weight`` is ``(reduction, columns)``, each column has its own scale.

    In a grouped layer the columns of one group stand side by side, and ``reduction`` is that of a group.
    """
    step = _steps(np.abs(weight).max(axis=0) * input_scale, bias, scale)
    table = np.clip(np.rint(weight * (input_scale / step)), -128, 127).astype(np.int8)
    return Product(inputs=(source,), table=stacked(table, groups)[:, None], reduction=len(weight), groups=groups,
                   **common, **_finisher(name, bias, step, scale))


def integer(name: str, source: str, words: NDArray[np.int8], step: Real, bias: Real, coding: Coding, *, scale: float,
            groups: int = 1, **common: Any) -> Product:
    """A layer of given table words ``(reduction, columns)``, one of each scalar; ``step``: of each accumulator."""
    return coded(name, source, stacked(words, groups)[:, None], step, bias, coding, reduction=len(words), scale=scale,
                 groups=groups, **common)


def coded(name: str, source: str, table: NDArray[np.int8], step: Real, bias: Real, coding: Coding, *, scale: float,
          **common: Any) -> Product:
    """A layer of a given table ``(codebooks, entries, columns)``; ``step``: of each accumulator."""
    step = np.maximum(step, np.maximum(np.abs(bias) / LARGEST_BIAS, scale * 2.0**-40))
    return Product(inputs=(source,), table=table, coding=coding, **common, **_finisher(name, bias, step, scale))


def lookup(name: str, source: str, tables: Real, bias: Real, coding: Coding, *, reduction: int, scale: float,
           groups: int = 1, **common: Any) -> Product:
    """A table layer; ``tables`` is ``(codebooks, entries, columns)`` in real values, each column has its own scale.

    In a grouped layer the codebooks of all groups follow each other, and the columns are those of one group.
    """
    largest = np.abs(tables).reshape(groups, -1, tables.shape[2]).max(axis=1)
    step = _steps(largest.ravel(), bias, scale)
    per_codebook = step.reshape(groups, 1, 1, -1)
    table = np.rint(tables.reshape(groups, -1, *tables.shape[1:]) / per_codebook)
    return Product(inputs=(source,), table=np.clip(table, -128, 127).astype(np.int8).reshape(tables.shape),
                   coding=coding, reduction=reduction, groups=groups, **common,
                   **_finisher(name, bias, step, scale))


def cluster(vectors: NDArray[np.int8], entries: int, seed: int) -> NDArray[np.int8]:
    """Centroids ``(codebooks, entries, length)`` of ``(codebooks, length, rows)``, by k-means on a seeded sample."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    rows = vectors.shape[2]
    chosen = np.random.default_rng(seed).permutation(rows)[:VECTORS_FOR_CENTROIDS]
    sample = vectors[:, :, np.sort(chosen)].transpose(0, 2, 1).astype(np.float32)
    found = np.empty((len(vectors), entries, vectors.shape[1]))
    with threadpool_limits(1), warnings.catch_warnings():  # one thread: sums always in one order
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct vectors than entries are welcome
        for codebook, points in enumerate(sample):
            means = KMeans(entries, n_init=1, max_iter=50, random_state=seed).fit(points)
            found[codebook] = means.cluster_centers_
    return np.clip(np.rint(found), -128, 127).astype(np.int8)


def plain_tables(rows: Real, centroids: NDArray[Any], input_scale: float, groups: int = 1) -> Real:
    """``centroid . weight`` in real values, ``(codebooks, entries, columns)`` with the columns of one group.

    ``rows`` are the weights of one group below those of another, see `stacked`, in the order of the sub-vectors.
    """
    return np.matmul(centroids * input_scale, pieces(rows, centroids.shape[2], groups))


def _normal_equations(codes: NDArray[np.uint8], target: Real, entries: int) -> tuple[Real, Real]:
    """``H'H`` and ``H'target`` of the one-hot rows ``H`` of the codes ``(codebooks, rows)``."""
    codebooks, rows = codes.shape
    gram, right = np.zeros((codebooks * entries,) * 2), np.zeros((codebooks * entries, target.shape[1]))
    places = codes.T.astype(np.intp) + np.arange(codebooks) * entries
    for start in range(0, rows, CHUNK):
        part = places[start:start + CHUNK]
        hot = np.zeros((len(part), codebooks * entries), np.float32)
        np.put_along_axis(hot, part, 1.0, axis=1)
        gram += hot.T @ hot
        right += hot.T @ target[start:start + CHUNK].astype(np.float32)
    return gram, right


def fit_tables(prior: Real, codes: NDArray[np.uint8], target: Real, seed: int) -> tuple[Real, Real]:
    """``(tables, bias)`` that explain ``target`` best, by ridge regression towards ``prior``.

    ``codes`` is ``(codebooks, rows)``, ``target`` ``(rows, columns)`` without bias. Of each codebook's column the
    middle of its range moves into the bias, which leaves the smallest entries to round.
    """
    codebooks, entries, columns = prior.shape
    rows = max(ROWS_FOR_TABLES, 16 * codebooks * entries)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(target))[:rows])
    codes, target = codes[:, chosen], target[chosen]
    residual = target - sum(prior[k].take(codes[k], axis=0) for k in range(codebooks))
    gram, right = _normal_equations(codes, residual, entries)
    gram[np.diag_indices(len(gram))] += RIDGE * len(target) / entries
    tables = prior + np.linalg.solve(gram, right).reshape(codebooks, entries, columns)
    middle = (tables.max(axis=1, keepdims=True) + tables.min(axis=1, keepdims=True)) / 2
    return tables - middle, middle.sum(axis=(0, 1))


def fit_groups(prior: Real, codes: NDArray[np.uint8], target: Real, seed: int, groups: int) -> tuple[Real, Real]:
    """As :func:`fit_tables`, for each group of a layer; ``target`` has the columns of all groups."""
    parts = [np.split(values, groups, axis=axis) for values, axis in ((prior, 0), (codes, 0), (target, 1))]
    fitted = [fit_tables(one, some, wanted, seed) for one, some, wanted in zip(*parts, strict=True)]
    return np.concatenate([tables for tables, _ in fitted]), np.concatenate([bias for _, bias in fitted])

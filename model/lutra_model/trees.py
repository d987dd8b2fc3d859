"""Decision trees that hash a sub-vector to an index: MADDNESS (Blalock and Guttag, ICML 2021, section 4) on integers.

A tree of ``levels`` levels compares one fixed scalar at each level, ``dims[k, level]``, with a threshold that the path
so far chooses: ``index = 2 * index + (x[dims[level]] > thresholds[2^level - 1 + index])``, beginning with 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["descend", "learn", "levels_of", "prototypes"]

Dims = NDArray[np.uint8]      # (codebooks, levels)
Int8 = NDArray[np.int8]       # thresholds: (codebooks, 2^levels - 1), the root first, then level by level
Real = NDArray[np.float64]

CANDIDATES = 4    # scalars tried at each level: those that still vary most
LEVELS = range(1, 9)
ROWS = 1 << 14    # vectors that a tree is learned from, at most
VALUES = 256      # of an int8
CHUNK = 1 << 18   # indices under way that stay in a core's cache


def levels_of(entries: int) -> int:
    """Levels of a tree with so many leaves. Raises ``ValueError`` for a number that no tree has."""
    levels = entries.bit_length() - 1
    if levels not in LEVELS or entries != 1 << levels:
        raise ValueError(f"entries of a tree must be a power of two from 2 to 256, not {entries}")
    return levels


def _steps(x: Int8, dims: Dims, thresholds: Int8) -> NDArray[np.uint8]:
    index = np.zeros((len(x), x.shape[2]), np.uint8)
    for level, dim in enumerate(dims.T):
        scalar = np.take_along_axis(x, dim[:, None, None].astype(np.intp), axis=1)[:, 0]
        node = thresholds[:, (1 << level) - 1:(2 << level) - 1]
        index = 2 * index + (scalar > np.take_along_axis(node, index.astype(np.intp), axis=1))
    return index


def descend(x: Int8, dims: Dims, thresholds: Int8) -> NDArray[np.uint8]:
    """Leaf of each sub-vector: ``x`` is ``(codebooks, length, rows)``, the result ``(codebooks, rows)``."""
    step = max(1, CHUNK // len(x))
    parts = [_steps(x[:, :, start:start + step], dims, thresholds) for start in range(0, max(1, x.shape[2]), step)]
    return np.concatenate(parts, axis=1)


def _sums(bucket: NDArray[np.intp], buckets: int, values: Real) -> Real:
    """Count, sum and sum of squares of the vectors ``(length, rows)`` in each bucket: ``(buckets, length + 2)``."""
    weights = [np.ones(values.shape[1]), *values, (values * values).sum(axis=0)]
    return np.stack([np.bincount(bucket, weight, buckets) for weight in weights], axis=-1)


def _loss(sums: Real) -> Real:
    """Sum of squared distances to the mean, from count, sum and sum of squares; 0 of no vectors."""
    return sums[..., -1] - (sums[..., 1:-1]**2).sum(axis=-1) / np.maximum(sums[..., 0], 1)


def _splits(points: Int8, index: NDArray[np.intp], nodes: int, dim: int) -> tuple[float, Int8]:
    """Least loss over all nodes of a level that compare scalar ``dim``, and each node's threshold.

    Every int8 is tried as a threshold: running sums over a histogram by value give the loss on both sides. Of the
    thresholds that part the vectors alike, the middle one is taken.
    """
    place = index * VALUES + (points[dim].astype(np.intp) + VALUES // 2)
    below = _sums(place, nodes * VALUES, points.astype(np.float64)).reshape(nodes, VALUES, -1).cumsum(axis=1)
    loss = _loss(below) + _loss(below[:, -1:] - below)
    first = loss.argmin(axis=1)
    count = below[..., 0]
    alike = count == np.take_along_axis(count, first[:, None], axis=1)
    thresholds = alike.argmax(axis=1) + (alike.sum(axis=1) - 1) // 2
    return float(loss.min(axis=1).sum()), (thresholds - VALUES // 2).astype(np.int8)


def _tree(points: Int8, levels: int, candidates: int) -> tuple[list[int], Int8]:
    """Dims and thresholds for the vectors ``(length, rows)`` of one codebook, level by level, each the best alone."""
    index = np.zeros(points.shape[1], np.intp)
    dims, thresholds = list[int](), list[Int8]()
    for level in range(levels):
        nodes = 1 << level
        varies = [_loss(_sums(index, nodes, one[None].astype(np.float64))).sum() for one in points]
        tried = np.argsort(varies, kind="stable")[::-1][:candidates]
        found = [_splits(points, index, nodes, dim) for dim in tried]
        best = min(range(len(tried)), key=lambda place: (found[place][0], tried[place]))
        dims.append(int(tried[best]))
        thresholds.append(found[best][1])
        index = 2 * index + (points[dims[-1]] > thresholds[-1][index])
    return dims, np.concatenate(thresholds)


def learn(vectors: Int8, entries: int, seed: int, *, candidates: int = CANDIDATES) -> tuple[Dims, Int8]:
    """Dims ``(codebooks, levels)`` and thresholds ``(codebooks, entries - 1)`` for ``(codebooks, length, rows)``.

    Each level tries the ``candidates`` scalars that vary most within the nodes, with the thresholds that leave the
    least squared error of whole sub-vectors, and keeps the best scalar for all its nodes. Seeded sample of rows.
    """
    levels, rows = levels_of(entries), vectors.shape[2]
    chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:ROWS])
    found = [_tree(np.ascontiguousarray(one[:, chosen]), levels, candidates) for one in vectors]
    return np.array([dims for dims, _ in found], np.uint8), np.stack([thresholds for _, thresholds in found])


def _means(points: Int8, codes: NDArray[np.uint8], levels: int) -> Real:
    means = points.mean(axis=1)[None]
    for level in range(1, levels + 1):
        sums: Any = _sums((codes >> (levels - level)).astype(np.intp), 1 << level, points.astype(np.float64))
        parents = means.repeat(2, axis=0)
        means = np.where(sums[:, :1] > 0, sums[:, 1:-1] / np.maximum(sums[:, :1], 1), parents)
    return means


def prototypes(vectors: Int8, codes: NDArray[np.uint8], entries: int) -> Real:
    """Mean of the sub-vectors in each leaf, ``(codebooks, entries, length)``; an empty one has its parent's."""
    levels = levels_of(entries)
    return np.stack([_means(points, code, levels) for points, code in zip(vectors, codes, strict=True)])

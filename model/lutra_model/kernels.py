"""Vectorised integer kernels of the golden model, each exact, each held against a naive loop in the tests.

Float32 and float64 appear only where every intermediate is an integer (times a power of two) that they hold
exactly; the bound stands beside the use.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .params import Metric
from .window import Window

__all__ = ["lookup", "multiply", "multiply_groups", "nearest", "rescale", "taps"]

CHUNK = 1 << 19  # elements of an intermediate that stay in a core's cache
GROUP = 8        # codebooks searched together
SEARCH = 1 << 16  # distances that they make at a time
WORST = 128      # largest magnitude of an int8
SCALARS = np.arange(256, dtype=np.uint8).view(np.int8)  # every int8, in the order of its unsigned reading


def taps(image: NDArray[Any], window: Window) -> list[NDArray[Any]]:
    """Strided views of a padded ``(channels, batch, height, width)`` image, one for each place in the window."""
    height, width = image.shape[2:]
    rows, columns = window.output(height, width) if not any(window.padding) else Window(
        kernel=window.kernel, stride=window.stride).output(height, width)
    return [image[:, :, i:i + (rows - 1) * window.stride[0] + 1:window.stride[0],
                  j:j + (columns - 1) * window.stride[1] + 1:window.stride[1]]
            for i in range(window.kernel[0]) for j in range(window.kernel[1])]


def _weights(centroids: NDArray[np.int8], step: int) -> NDArray[np.floating[Any]]:
    """Weights ``w`` with ``w @ (a, 1) = step * (|p|^2 - 2 a.p) + c``: in the order of ``(|a - p|^2, c)``.

    Every partial sum stays below ``step * (3 * length * 128^2 + 1)``, which float32 holds up to 2^24.
    """
    _, entries, length = centroids.shape
    exact = np.dtype(np.float32 if step * (3 * length * WORST**2 + 1) <= 2**24 else np.float64)
    p: NDArray[np.floating[Any]] = centroids.astype(exact)
    order = np.arange(entries, dtype=exact)[:, None]
    return np.concatenate([-2 * step * p, step * (p * p).sum(axis=2, keepdims=True) + order], axis=2)


def _nearest_l2(x: NDArray[np.int8], centroids: NDArray[np.int8]) -> NDArray[np.uint8]:
    (codebooks, length, rows), entries = x.shape, centroids.shape[1]
    step = 1 << (entries - 1).bit_length()
    weights = _weights(centroids, step)
    integer = np.int32 if weights.dtype == np.float32 else np.int64
    group, chunk = min(codebooks, GROUP), max(1, min(rows, SEARCH // (GROUP * entries)))
    vectors = np.ones((group, length + 1, chunk), weights.dtype)
    packed = np.empty((group, entries, chunk), weights.dtype)
    least = np.empty((group, chunk), weights.dtype)
    found = np.empty((codebooks, rows), np.uint8)
    for first, start in product(range(0, codebooks, group), range(0, rows, chunk)):
        some = x[first:first + group, :, start:start + chunk]
        count, width = len(some), some.shape[2]
        vectors[:count, :length, :width] = some
        np.matmul(weights[first:first + group], vectors[:count], out=packed[:count])
        np.minimum.reduce(packed[:count], axis=1, out=least[:count])
        found[first:first + group, start:start + chunk] = least[:count, :width].astype(integer) & (step - 1)
    return found


def _distances(x: NDArray[np.int8], centroids: NDArray[np.int8], metric: Metric) -> NDArray[np.int32]:
    """L1 or Chebyshev distance to every centroid, ``(codebooks, entries, rows)``."""
    total = np.zeros((len(x), centroids.shape[1], x.shape[2]), np.int32)
    combine = np.add if metric is Metric.L1 else np.maximum
    for lane in range(centroids.shape[2]):
        combine(total, np.abs(x[:, None, lane].astype(np.int32) - centroids[:, :, lane, None]), out=total)
    return total


def nearest(x: NDArray[np.int8], centroids: NDArray[np.int8], metric: Metric) -> NDArray[np.uint8]:
    """Nearest centroid of each sub-vector: ``x`` is ``(codebooks, length, rows)``, the result ``(codebooks, rows)``."""
    if x.shape[1] == 1 and x.shape[2] > len(SCALARS):  # each of the few values is searched for once
        found = nearest(np.broadcast_to(SCALARS, (len(x), 1, len(SCALARS))), centroids, metric)
        return np.stack([one.take(values) for one, values in zip(found, x[:, 0].view(np.uint8), strict=True)])
    if metric is Metric.L2:
        return _nearest_l2(x, centroids)
    step = max(256, CHUNK // (len(x) * centroids.shape[1]))
    parts = [_distances(x[:, :, start:start + step], centroids, metric).argmin(axis=1)
             for start in range(0, x.shape[2], step)]
    return np.concatenate(parts, axis=1).astype(np.uint8)


def _pairs(table: NDArray[np.int8], indices: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.int16], NDArray[Any]]]:
    """Tables of two codebooks each, ``(entries^2, columns)``, with the places in them: half the reads."""
    entries, columns = table.shape[1:]
    for k in range(0, len(table) - 1, 2):
        yield ((table[k, :, None].astype(np.int16) + table[k + 1]).reshape(-1, columns),
               indices[k].astype(np.intp) * entries + indices[k + 1])
    if len(table) % 2:
        yield table[-1].astype(np.int16), indices[-1].astype(np.intp)


def lookup(table: NDArray[np.int8], indices: NDArray[np.uint8]) -> NDArray[np.signedinteger[Any]]:
    """``sum over k of table[k, indices[k, m], n]`` as ``(rows, columns)``, in the narrowest type that holds any sum."""
    (codebooks, entries, columns), rows = table.shape, indices.shape[1]
    sums = np.zeros((rows, columns), np.int16 if codebooks * WORST < 2**15 else np.int32)
    picked = np.empty((min(rows, max(1, CHUNK // 4 // columns)), columns), np.int16)
    paired = rows > entries**2  # or making the tables would cost more than it saves
    single = ((one.astype(np.int16), places.astype(np.intp)) for one, places in zip(table, indices, strict=True))
    for one, places in _pairs(table, indices) if paired else single:
        for start in range(0, rows, len(picked)):
            some = places[start:start + len(picked)]
            sums[start:start + len(picked)] += one.take(some, axis=0, out=picked[:len(some)], mode="clip")
    return sums


def _exact_parts(weights: NDArray[np.signedinteger[Any]]) -> int:
    """Parts of the reduction in which no sum of products can leave float32's exact integers."""
    most = int(np.abs(weights.astype(np.int16)).sum(axis=-2, dtype=np.int64).max(initial=0)) * WORST
    return -(-most // 2**24) if most else 1


def multiply(columns: NDArray[np.int8], weights: NDArray[np.signedinteger[Any]]) -> NDArray[np.int32]:
    """``weights`` ``(reduction, columns)`` times activations ``(reduction, rows)`` as ``(rows, columns)``.

    Weights have at most 16 bits. In float32, which holds every partial sum exactly: ``128 * sum of |weights|`` of a
    part is at most 2^24.
    """
    parts = _exact_parts(weights)
    if parts == 1:
        return (columns.astype(np.float32).T @ weights.astype(np.float32)).astype(np.int32)
    size = -(-len(weights) // parts)
    sums = np.zeros((columns.shape[1], weights.shape[1]), np.int32)
    for start in range(0, len(weights), size):
        sums += multiply(columns[start:start + size], weights[start:start + size])
    return sums


def multiply_groups(columns: NDArray[np.int8], weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """Products side by side: ``weights`` ``(groups, reduction, columns)``, activations ``(groups, reduction, rows)``.

    The result is ``(rows, groups * columns)``. In float32 where it holds every partial sum exactly, else in float64.
    """
    exact = np.float32 if _exact_parts(weights) == 1 else np.float64
    sums = np.matmul(weights.transpose(0, 2, 1).astype(exact), columns.astype(exact))
    return sums.reshape(-1, columns.shape[2]).T.astype(np.int32)


def rescale(sums: NDArray[np.integer[Any]], bias: NDArray[np.int64], multiplier: NDArray[np.int64],
            shift: NDArray[np.int64], low: int, high: int, dtype: Any = np.int8) -> NDArray[Any]:
    """``clamp(((sums + bias) * multiplier + 2^(shift-1)) >> shift, low, high)``.

    In float64, exactly: ``(sums + bias) * multiplier`` has at most 33 + 16 bits, a power of two keeps them, and
    where adding a half would need more than 53 bits (shift above 52) the product is below 2^-3 and floors to 0 or -1
    all the same.
    """
    factor = np.ldexp(multiplier.astype(np.float64), -shift)
    offset = bias * factor + 0.5
    scaled = np.empty((max(1, CHUNK // 8 // len(factor)), len(factor)))
    found = np.empty(sums.shape, dtype)
    for start in range(0, len(sums), len(scaled)):
        part = sums[start:start + len(scaled)]
        real = np.multiply(part, factor, out=scaled[:len(part)])
        real += offset
        np.floor(real, out=real)
        np.clip(real, low, high, out=found[start:start + len(part)], casting="unsafe")
    return found

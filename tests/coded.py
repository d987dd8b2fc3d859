"""Codings of layers that look up, or multiply."""

import numpy as np
from numpy.typing import NDArray

from lutra_model.codings import Coding, Nearest, Plain, Tree
from lutra_model.params import Metric

__all__ = ["coded"]


def coded(centroids: NDArray[np.int8] | None, metric: Metric = Metric.L2, by_tap: bool = False) -> Coding:
    """Nearest centroids, a tree of the same numbers, or plain weights where there are none."""
    if metric is Metric.TREE and centroids is not None:
        codebooks, entries, length = centroids.shape
        levels = entries.bit_length() - 1
        dims = centroids.view(np.uint8).reshape(codebooks, -1)[:, :levels] % length
        return Tree(dims.astype(np.uint8), centroids[:, 1:, -1].copy(), length, by_tap=by_tap)
    return Plain() if centroids is None else Nearest(centroids, metric, by_tap=by_tap)

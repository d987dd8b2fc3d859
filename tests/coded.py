"""Codings of layers that look up, or multiply."""

import numpy as np
from numpy.typing import NDArray

from lutra_model.codings import Coding, Nearest, Plain
from lutra_model.params import Metric

__all__ = ["coded"]


def coded(centroids: NDArray[np.int8] | None, metric: Metric = Metric.L2) -> Coding:
    """Nearest centroids, or plain weights where there are none."""
    return Plain() if centroids is None else Nearest(centroids, metric)

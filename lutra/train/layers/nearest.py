"""Nearest centroids: LUT-NN and LUT-DLA."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model import network as kinds
from lutra_model.codings import Nearest
from lutra_model.params import Metric

from .product import Tables
from .rounding import rounded
from .soft_lookup import lookup, packed_distances
from .windows import sub_vectors, windows

__all__ = ["SOFTNESS", "Lookup"]

# The first sharpness times the mean distance to the nearest centroid; that of L2 is squared, which doubles every
# relative difference.
SOFTNESS = {Metric.L2: 0.4, Metric.L1: 0.8, Metric.CHEBYSHEV: 0.8}


class Lookup(Tables):
    """A product by lookup; ``centroids`` are in real units, ``(codebooks, entries, length)``.

    ``log_sharpness`` is the logarithm of the inverse temperature of the soft assignment; it learns ten times as fast as
    the rest.
    """

    RATES = {"log_sharpness": 10.0}

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        super().__init__(node, in_scale, weight)
        coding = node.coding
        assert isinstance(coding, Nearest)
        self.coding = coding
        self.centroids = nn.Parameter(torch.from_numpy(coding.centroids * np.float32(in_scale)))
        self.log_sharpness = nn.Parameter(torch.tensor(0.0))

    def points(self) -> Tensor:
        """Centroids as integers on the scale of the input."""
        return rounded(self.centroids / self.in_scale).clamp(-128, 127)

    def sub_vectors(self, rows: Tensor) -> Tensor:
        """``(codebooks, length, rows)``."""
        return sub_vectors(rows, len(self.centroids), self.centroids.shape[2], self.taps)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        return lookup(self.sub_vectors(rows), self.points(), self.entries(), self.log_sharpness.exp(),
                      self.coding.metric)

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """See :meth:`Product.prepare`: the sharpness is `SOFTNESS` over the mean distance to the nearest centroid."""
        rows, metric = self.sub_vectors(windows(x, self.node.window)), self.coding.metric
        nearest = packed_distances(rows, self.points(), metric).amin(1) / self.centroids.shape[1]
        lacking = rows.square().sum(1) if metric is Metric.L2 else 0.0
        mean = (nearest + lacking).mean().clamp(min=1.0)
        self.log_sharpness.fill_(math.log(SOFTNESS[metric] / float(mean)))

    def shipped(self) -> dict[str, Any]:
        """See :meth:`Product.shipped`."""
        centroids = self.points().cpu().numpy().astype(np.int8)
        return super().shipped() | {"coding": replace(self.coding, centroids=centroids)}

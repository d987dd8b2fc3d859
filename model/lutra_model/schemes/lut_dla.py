"""LUT-DLA (Li et al., HPCA 2025): cheap metrics for the nearest centroid, or a decision tree instead of distances."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .. import kernels, products, trees
from ..codings import Tree
from ..graph import Affine
from ..network import Product
from ..params import Metric
from .base import Layer, Options
from .lut_nn import LutNN, sub_vector_length

__all__ = ["LutDLA", "medians"]

ROUNDS = 20  # of medians, at most
ROWS = 1 << 14  # vectors of a codebook that they are taken of, at most


def medians(vectors: NDArray[np.int8], centroids: NDArray[np.int8], seed: int) -> NDArray[np.int8]:
    """Centroids that L1 likes better: the median of the vectors nearest to each, again and again, on a seeded sample.

    ``vectors`` is ``(codebooks, length, rows)``; a centroid that is nearest to none stays.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(vectors.shape[2])[:ROWS])
    sample, found = np.ascontiguousarray(vectors[:, :, rows]), centroids.copy()
    for _ in range(ROUNDS):
        codes, before = kernels.nearest(sample, found, Metric.L1), found.copy()
        for k, entry in np.ndindex(*found.shape[:2]):
            mine = sample[k][:, codes[k] == entry]
            if mine.shape[1]:
                found[k, entry] = np.rint(np.median(mine, axis=1))
        if np.array_equal(before, found):
            break
    return found


class LutDLA(LutNN):
    """Nearest centroids in L2, L1 or Chebyshev distance; metric ``tree``: the leaves of a MADDNESS tree."""

    name = "lut-dla"
    title = "LUT-DLA, HPCA 2025"

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:
        """See `Scheme.check`."""
        super().check(options, layers)
        if options.metric is Metric.TREE:
            trees.levels_of(options.entries)

    def centroids(self, vectors: NDArray[np.int8], options: Options) -> NDArray[np.int8]:
        """See `LutNN.centroids`."""
        found = super().centroids(vectors, options)
        return medians(vectors, found, options.seed) if options.metric is Metric.L1 else found

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`."""
        if options.metric is not Metric.TREE:
            return super().product(layer, options)
        step = layer.step
        length = options.length(step, sub_vector_length(step))
        vectors = self.vectors(layer, options)
        dims, thresholds = trees.learn(vectors, options.entries, options.seed)
        codes = trees.descend(vectors, dims, thresholds)
        means = trees.prototypes(vectors, codes, options.entries)
        tables, bias = self.tables(layer, means, codes, options)
        return products.lookup(step.name, layer.source, tables, bias, Tree(dims, thresholds, length, self.name),
                               reduction=len(step.weight), **layer.common)

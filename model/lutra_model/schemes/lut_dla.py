"""LUT-DLA (Li et al., HPCA 2025): cheap metrics for the nearest centroid, or a decision tree instead of distances."""

from collections.abc import Mapping
from dataclasses import replace

from .. import products, trees
from ..codings import Tree
from ..graph import Affine
from ..network import Product
from ..params import Metric
from .base import Layer, Options
from .lut_nn import LutNN, sub_vector_length

__all__ = ["LutDLA"]


class LutDLA(LutNN):
    """Nearest centroids in L2, L1 or Chebyshev distance; metric ``tree``: the leaves of a MADDNESS tree."""

    name = "lut-dla"
    title = "LUT-DLA, HPCA 2025"

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:
        """See `Scheme.check`."""
        super().check(options, layers)
        if options.metric is Metric.TREE:
            trees.levels_of(options.entries)

    def variants(self, options: Options) -> dict[str, Options]:
        """The cheap encoders, unless one is asked for: L2 distances are those of LUT-NN."""
        cheap = [metric for metric in Metric if metric is not Metric.L2]
        asked = cheap if options.metric is Metric.L2 else [options.metric]
        return {str(metric): replace(options, metric=metric) for metric in asked}

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
        tables, bias = self.tables(layer, means, codes if options.refine else None, options)
        coding = Tree(dims, thresholds, length, self.name, options.by_tap)
        return products.lookup(step.name, layer.source, tables, bias, coding, reduction=len(step.weight),
                               **layer.common)

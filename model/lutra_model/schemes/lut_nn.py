"""LUT-NN (Tang et al., MobiCom 2023): centroids by k-means, tables by ridge regression on the layer's outputs."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels, products
from ..codings import Nearest
from ..graph import Affine
from ..network import Product
from ..params import DISTANCES, Metric
from .base import Layer, Options, Scheme

__all__ = ["LutNN", "sub_vector_length"]


def sub_vector_length(step: Affine) -> int:
    """The default length of a layer's sub-vectors: what the machine's window former makes of its kernel.

    One channel's window if it has at most 9 scalars; one row of the window if it is larger or if the image has
    less than four channels; four channels (or all of a group) where the window is one scalar, or none.
    """
    if step.window is None or prod(step.window.kernel) == 1:
        return min(4, len(step.weight)) if step.groups > 1 else 4
    taps, width = prod(step.window.kernel), step.window.kernel[1]
    narrow = step.groups == 1 and len(step.weight) <= 3 * taps
    return taps if taps <= 9 and not narrow else width


class LutNN(Scheme):
    """Nearest centroids."""

    name = "lut-nn"
    title = "LUT-NN, MobiCom 2023"
    follows = True

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:
        """See `Scheme.check`."""
        if options.metric is Metric.TREE and self.name == LutNN.name:
            raise ValueError(f"metric of scheme {self.name} must be {', '.join(DISTANCES)}, not {options.metric}")
        if not 2 <= options.entries <= 256:
            raise ValueError(f"entries must be 2 to 256, not {options.entries}")
        for name in options.lengths if isinstance(options.lengths, Mapping) else ():
            if name not in layers:
                raise ValueError(f"lengths must name layers ({', '.join(layers)}), not {name}")
        for step in layers.values():
            if (length := options.length(step, sub_vector_length(step))) < 1:
                raise ValueError(f"sub-vectors of layer {step.name} must have at least 1 scalar, not {length}")

    def provenance(self, options: Options) -> dict[str, Any]:
        """See `Scheme.provenance`."""
        return {"entries": options.entries, "metric": str(options.metric), "refine": options.refine,
                "seed": options.seed} | ({"by_tap": True} if options.by_tap else {})

    def ordered(self, rows: NDArray[Any], step: Affine, options: Options) -> NDArray[Any]:
        """Rows of activations, or of weights, ``(groups * reduction, ...)`` in the order of the sub-vectors."""
        if not options.by_tap or step.window is None:
            return rows
        length = options.length(step, sub_vector_length(step))
        return products.by_tap(rows, prod(step.window.kernel), length, step.groups)

    def vectors(self, layer: Layer, options: Options) -> NDArray[np.int8]:
        """The layer's sub-vectors, ``(codebooks, length, rows)``."""
        step = layer.step
        rows = self.ordered(layer.columns(), step, options)
        found = products.pieces(rows, options.length(step, sub_vector_length(step)), step.groups)
        if found.shape[2] < options.entries:
            raise ValueError(f"layer {step.name} must see at least {options.entries} calibration vectors "
                             f"(one for each entry), not {found.shape[2]}")
        return found

    def tables(self, layer: Layer, centroids: NDArray[Any], codes: NDArray[np.uint8] | None,
               options: Options) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Tables and bias in real numbers; with codes, fitted to what the float layer makes of the vectors."""
        step = layer.step
        rows = self.ordered(products.stacked(step.weight, step.groups), step, options)
        plain = products.plain_tables(rows, centroids, layer.input_scale, step.groups)
        if codes is None:
            return plain, step.bias
        fitted, moved = products.fit_groups(plain, codes, layer.target() - step.bias, options.seed, step.groups)
        return fitted, step.bias + moved

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`."""
        step, vectors = layer.step, self.vectors(layer, options)
        centroids = products.cluster(vectors, options.entries, options.seed)
        codes = kernels.nearest(vectors, centroids, options.metric) if options.refine else None
        tables, bias = self.tables(layer, centroids, codes, options)
        coding = Nearest(centroids, options.metric, self.name, options.by_tap)
        return products.lookup(step.name, layer.source, tables, bias, coding, reduction=len(step.weight),
                               **layer.common)

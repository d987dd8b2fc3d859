"""Vec-LUT (Cipherxzc/vlut.cpp, 2025): ternary weights, packed; tables of activations, exact."""

from collections.abc import Mapping
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import few_bits, products, ternary
from ..codings import Trits
from ..graph import Affine
from ..network import Product
from .base import Layer, Options, Scheme
from .refine import step_and_bias

__all__ = ["THRESHOLDS", "VecLut", "quantise_tokens", "ternarise"]

Real = NDArray[np.float64]
THRESHOLDS = ("mse", "absmean")


def ternarise(weight: Real, threshold: str = "mse") -> tuple[NDArray[np.int8], Real]:
    """Ternary ``weights`` and a ``scale`` for each column, ``weight ~ weights * scale``; ``weight`` is 2-dimensional.

    ``mse``, the default: those with the least squared error. ``absmean``: ``clip(rint(weight / mean|weight|), -1, 1)``
    (Ma et al., BitNet b1.58, 2024, there for a whole matrix). Both find weights that are ternary already, but zeros
    make the scale of ``absmean`` smaller.
    """
    if threshold == "mse":
        return few_bits.ternary(weight)
    scale = np.abs(weight).mean(axis=0)
    ratio = np.divide(weight, scale, out=np.zeros_like(weight), where=scale > 0)
    return np.clip(np.rint(ratio), -1, 1).astype(np.int8), scale


def quantise_tokens(x: Real, compat: Literal["vlut-max"] | None = None) -> tuple[NDArray[np.int8], Real]:
    """Int8 activations of each row of ``x``, and the rows' scales: the largest magnitude becomes 127.

    Rounds half away from zero, as the C library's ``round``. ``compat="vlut-max"`` takes the largest *value*, as
    ``quantize_row_i8_v`` of vlut.cpp does: a row whose largest magnitude is negative is clipped.

    >>> row = np.array([[-10.0, 1.0]])
    >>> quantise_tokens(row)[0].tolist(), quantise_tokens(row, "vlut-max")[0].tolist()
    ([[-127, 13]], [[-128, 127]])
    """
    if compat not in (None, "vlut-max"):
        raise ValueError(f"compat must be vlut-max or None, not {compat}")
    largest = (x if compat else np.abs(x)).max(axis=-1, keepdims=True)
    largest = np.maximum(largest, 0.0)
    scale = largest / 127
    ratio = np.divide(x, scale, out=np.zeros_like(x, dtype=np.float64), where=scale > 0)
    rounded = np.copysign(np.floor(np.abs(ratio) + 0.5), ratio)
    return np.clip(rounded, -128, 127).astype(np.int8), scale[..., 0]


class VecLut(Scheme):
    """Packed ternary weights."""

    name = "vec-lut"
    title = "Vec-LUT, 2025"
    follows = True

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:
        """See `Scheme.check`."""
        if options.group not in ternary.GROUPS:
            raise ValueError(f"group must be 3, 4 or 5 ternary weights, not {options.group}")
        if options.threshold not in THRESHOLDS:
            raise ValueError(f"threshold must be {' or '.join(THRESHOLDS)}, not {options.threshold}")

    def provenance(self, options: Options) -> dict[str, Any]:
        """See `Scheme.provenance`."""
        return {"group": options.group, "threshold": options.threshold, "refine": options.refine}

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`: one scale for each column, which is part of the finisher's multiplier."""
        step = layer.step
        weights, scale = ternarise(step.weight, options.threshold)
        taps = prod(step.window.kernel) if step.window else 1
        each = len(step.bias) // step.groups
        table = [ternary.pack_layer(weights[:, first:first + each], options.group, taps)
                 for first in range(0, len(step.bias), each)]
        value, bias = step_and_bias(layer, weights, scale, options)
        return products.coded(step.name, layer.source, np.concatenate(table), value, bias, Trits(options.group),
                              reduction=len(step.weight), **layer.common)

"""LUT Tensor Core (Mo et al., ISCA 2025) and bit-serial adders: weights of 1 to 8 bits in planes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import products
from ..codings import BitPlanes
from ..codings.bit_planes import folded
from ..few_bits import affine
from ..graph import Affine
from ..network import Product
from .base import Layer, Options, Scheme
from .refine import step_and_bias

__all__ = ["BIT_PLANES", "patterns"]


def patterns(q: NDArray[np.int64], bits: int, group: int, taps: int) -> NDArray[np.int8]:
    """Table ``(codebooks, bits, columns)`` of one group's weights ``(reduction, columns)``: channel, then tap."""
    by_tap = q.reshape(-1, taps, q.shape[1]).swapaxes(0, 1)
    padded = np.pad(by_tap, ((0, 0), (0, -by_tap.shape[1] % group), (0, 0)))
    return folded(padded.reshape(-1, group, q.shape[1]), bits)


class Planes(Scheme):
    """Each column has its scale and zero point."""

    follows = True

    def __init__(self, name: str, title: str, group: int) -> None:
        self.name, self.title, self.group = name, title, group  # type: ignore[misc]
        self.baseline = group == 1  # type: ignore[misc]

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:
        """See `Scheme.check`."""
        if not 1 <= options.bits <= 8:
            raise ValueError(f"bits must be 1 to 8, not {options.bits}")

    def provenance(self, options: Options) -> dict[str, Any]:
        """See `Scheme.provenance`."""
        return {"bits": options.bits, "refine": options.refine}

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`."""
        step, bits = layer.step, options.bits
        q, zero, size = affine(step.weight, bits)
        taps = prod(step.window.kernel) if step.window else 1
        table = np.concatenate([patterns(part, bits, self.group, taps) for part in np.split(q, step.groups, axis=1)])
        value, bias = step_and_bias(layer, (2 * q - (1 << bits) + 1 - zero).astype(np.int16), size, options)
        return products.coded(step.name, layer.source, table, value, bias, BitPlanes(zero, bits, self.group),
                              reduction=len(step.weight), **layer.common)


BIT_PLANES = (Planes("lut-tc", "LUT Tensor Core, ISCA 2025", 4), Planes("bit-serial", "bit-serial adders", 1))

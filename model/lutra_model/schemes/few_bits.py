"""Baselines of equal weight precision: multiplication by 1 to 4 bits, and ternary adding and subtracting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import products
from ..codings import Plain, SignFlip
from ..few_bits import ternary, uniform
from ..network import Product
from .base import Layer, Options, Scheme
from .refine import step_and_bias

__all__ = ["FEW_BITS"]

Quantiser = Callable[[NDArray[np.float64]], tuple[NDArray[np.int8], NDArray[np.float64]]]


class FewBits(Scheme):
    """Weights of few bits; each column has its scale."""

    baseline = True
    follows = True

    def __init__(self, name: str, title: str, coding: Plain, quantise: Quantiser) -> None:
        self.name, self.title = name, title  # type: ignore[misc]
        self.coding, self.quantise = coding, quantise

    def provenance(self, options: Options) -> dict[str, Any]:
        """See `Scheme.provenance`."""
        return {"refine": options.refine}

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`."""
        step = layer.step
        levels, size = self.quantise(step.weight)
        words = (levels - np.int8(1)) // np.int8(2) if self.coding.bits == 1 else levels  # 0 is +1, -1 is -1
        value, bias = step_and_bias(layer, levels, size, options)
        return products.integer(step.name, layer.source, words, value, bias, self.coding, **layer.common)


FEW_BITS = (*(FewBits(f"int{bits}", f"INT{bits} x INT8 multiplication", Plain(bits), partial(uniform, bits=bits))
              for bits in (4, 3, 2, 1)),
            FewBits("sign-flip", "ternary adding and subtracting", SignFlip(), ternary))

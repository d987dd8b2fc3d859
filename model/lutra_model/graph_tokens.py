"""Steps of a transformer in real numbers: products of two activations, and the normalisation of each token."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .graph import Step

__all__ = ["Attending", "RowNormaliser"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attending(Step):
    """Product of two activations, head by head, times ``factor``; the other fields are those of `attention.MatMul`."""

    heads: int
    transposed: bool
    merged: bool
    factor: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class RowNormaliser(Step):
    """``gain * (x - mean) / sqrt(variance + epsilon) + offset`` over the channels of each pixel (Ba et al., 2016).

    ``gain`` and ``offset`` are float64 ``(channels,)``.
    """

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    epsilon: float

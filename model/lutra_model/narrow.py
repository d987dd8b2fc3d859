"""Golden: accumulators that are narrower than the longest sum, and what becomes of what does not fit."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from . import ternary

__all__ = ["Narrow", "NarrowSums", "Policy", "narrow_sums", "safe_flush"]


class Policy(StrEnum):
    """What becomes of a sum that its accumulator does not hold."""

    ASSERT = "assert"      # an error
    WRAP = "wrap"          # two's complement
    SATURATE = "saturate"  # the nearest number that it holds, after every look-up


@dataclass(frozen=True, kw_only=True)
class Narrow:
    """A narrow accumulator of so many bits that is added to an exact one, and cleared, after ``flush`` look-ups.

    ``flush`` 0: only in the end. vlut.cpp has 16 bits and flushes after 512 (group 4) or 640 (group 5) weights.
    """

    bits: int = 16
    flush: int = 0
    policy: Policy = Policy.ASSERT

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 62 or self.flush < 0:
            raise ValueError(f"a narrow accumulator must have 2 to 62 bits and flush after 0 or more look-ups, "
                             f"not {self.bits} and {self.flush}")

    @property
    def limits(self) -> tuple[int, int]:
        """Lowest and highest number that it holds."""
        return -(1 << self.bits - 1), (1 << self.bits - 1) - 1


@dataclass(frozen=True, eq=False)
class NarrowSums:
    """Sums int64 ``(rows, columns)``, and the largest magnitude that the narrow accumulators were to hold."""

    sums: NDArray[np.int64]
    peak: int


def safe_flush(bits: int, group: int, largest: int = 128) -> int:
    """Look-ups of ``group`` activations of magnitude up to ``largest`` that an accumulator holds, whatever they are.

    >>> safe_flush(16, 4), safe_flush(16, 5)
    (63, 51)
    """
    return ((1 << bits - 1) - 1) // (group * largest)


def _held(total: NDArray[np.int64], narrow: Narrow) -> NDArray[np.int64]:
    """A sum as the accumulator holds it."""
    low, high = narrow.limits
    if narrow.policy is Policy.SATURATE:
        return np.clip(total, low, high)
    if narrow.policy is Policy.WRAP:
        return ((total - low) & ((1 << narrow.bits) - 1)) + low
    if total.min(initial=0) < low or total.max(initial=0) > high:
        worst = int(np.abs(total).max())
        raise ValueError(f"accumulators of {narrow.bits} bits must hold {low} to {high}, but a sum reaches {worst} in "
                         "magnitude")
    return total


def narrow_sums(codes: NDArray[np.uint8], activations: NDArray[np.int8], group: int, narrow: Narrow) -> NarrowSums:
    """Ternary sums as a machine of narrow accumulators makes them, one look-up after the other.

    ``codes`` is ``(codebooks, columns)``, ``activations`` ``(codebooks * group, rows)``. Raises ``ValueError`` under
    ``Policy.ASSERT`` where a sum does not fit.
    """
    (codebooks, columns), rows = codes.shape, activations.shape[1]
    vectors = activations.reshape(codebooks, group, rows).astype(np.int64)
    wide, inner = np.zeros((rows, columns), np.int64), np.zeros((rows, columns), np.int64)
    peak = 0
    for number in range(codebooks):
        inner = inner + vectors[number].T @ ternary.unpack(codes[number], group).T.astype(np.int64)
        peak = max(peak, int(np.abs(inner).max(initial=0)))
        inner = _held(inner, narrow)
        if narrow.flush and (number + 1) % narrow.flush == 0:
            wide, inner = wide + inner, np.zeros_like(inner)
    return NarrowSums(wide + inner, peak)

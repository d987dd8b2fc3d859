"""Whole numbers, or NumPy arrays of them: what the formulas of one machine share with those of many at once."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["least", "log2", "most", "peak", "reduction_bits", "up"]


def up(count: Any, size: Any) -> Any:
    """``count / size``, rounded up."""
    return -(-count // size)


def most(one: Any, other: Any) -> Any:
    """The larger of two."""
    return max(one, other) if isinstance(one, int) and isinstance(other, int) else np.maximum(one, other)


def least(one: Any, other: Any) -> Any:
    """The smaller of two."""
    return min(one, other) if isinstance(one, int) and isinstance(other, int) else np.minimum(one, other)


def peak(number: Any) -> int:
    """The largest of an array, or the number itself."""
    return number if isinstance(number, int) else int(np.max(number))


def log2(count: Any) -> Any:
    """Bits that number ``count`` things."""
    if isinstance(count, int):
        return (count - 1).bit_length()
    return np.frexp(np.asarray(count, np.float64) - 1)[1].astype(np.int64)


@lru_cache
def _widened(most: int) -> NDArray[np.int64]:
    """``reduction_bits(n, 0)`` for n from 0 to ``most``."""
    return np.array([reduction_bits(operands, 0) for operands in range(most + 1)])


def reduction_bits(operands: Any, width: Any) -> Any:
    """Full-adder bits of a tree that sums ``operands`` values of ``width`` bits; a level widens by one bit.

    >>> reduction_bits(4, 8)  # two adders of 9 bits, one of 10
    28
    """
    if not isinstance(operands, int):
        return _widened(1 << int(log2(peak(operands) + 1)))[operands] + (operands - 1) * width
    bits = 0
    while operands > 1:
        width = width + 1
        bits = bits + operands // 2 * width
        operands -= operands // 2
    return bits

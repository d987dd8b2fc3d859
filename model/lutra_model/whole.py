"""Whole numbers, or NumPy arrays of them: what the formulas of one machine share with those of many at once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["deep_bits", "least", "log2", "most", "peak", "reduction_bits", "up"]


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
def _trees(count: Callable[..., int], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What trees of 0 to ``most`` operands have for a bit of their width, and for what their levels widen by a bit."""
    slope = [count(operands, 1, 0) for operands in range(most + 1)]
    return np.array(slope), np.array([count(operands, 0, 1) for operands in range(most + 1)])


def _many_trees(count: Callable[..., int], operands: NDArray[np.int64], width: Any, growth: int) -> Any:
    """A count of trees that is linear in width and growth, for many numbers of operands."""
    slope, widened = _trees(count, 1 << int(log2(peak(operands) + 1)))
    return slope[operands] * width + growth * widened[operands]


def reduction_bits(operands: Any, width: Any, growth: int = 1) -> Any:
    """Full-adder bits of a tree that sums ``operands`` values of ``width`` bits; a level widens by one bit.

    >>> reduction_bits(4, 8)  # two adders of 9 bits, one of 10
    28
    """
    if not isinstance(operands, int):
        return _many_trees(reduction_bits, operands, width, growth)
    bits = 0
    while operands > 1:
        width = width + growth
        bits = bits + operands // 2 * width
        operands -= operands // 2
    return bits


def deep_bits(operands: Any, width: Any, growth: int = 1) -> Any:
    """Bits of such a tree's adders, each as often as there are adders before it: what they settle late, they pass on.

    >>> deep_bits(4, 8)  # one adder of 10 bits behind one of 9
    10
    """
    if not isinstance(operands, int):
        return _many_trees(deep_bits, operands, width, growth)
    bits: Any = 0
    level = 0
    while operands > 1:
        width = width + growth
        bits = bits + level * (operands // 2) * width
        operands, level = operands - operands // 2, level + 1
    return bits

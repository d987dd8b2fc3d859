"""Fixed-point factors: a real factor as an unsigned 16-bit multiplier and a right shift."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LARGEST_FACTOR", "fixed_point", "shared_shift"]

BITS = 16
SHIFTS = (1, 63)
LARGEST_FACTOR = (2**BITS - 1) / 2.0 ** SHIFTS[0]


def _checked(factors: ArrayLike) -> NDArray[np.float64]:
    factors = np.asarray(factors, np.float64)
    bad = factors[~((factors > 0) & (factors <= LARGEST_FACTOR))]  # catches NaN
    if bad.size:
        raise ValueError(f"a rescaling factor must be above 0 and at most {LARGEST_FACTOR}, not {bad.flat[0]}")
    return factors


def fixed_point(factors: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``(multiplier, shift)``: the pairs with ``multiplier / 2^shift`` nearest to each factor.

    ``multiplier`` is 2^15 to 2^16 - 1 and ``shift`` 1 to 63; a factor below 2^-48 has shift 63 and a smaller
    multiplier. Halfway cases go to the even multiplier.
    """
    factors = _checked(factors)
    shift = np.clip(BITS - np.frexp(factors)[1], *SHIFTS)
    multiplier = np.rint(np.ldexp(factors, shift))
    full = multiplier == 2**BITS  # the nearest value is the next power of two
    return (np.where(full, 2 ** (BITS - 1), multiplier).astype(np.int64),
            np.where(full, shift - 1, shift).astype(np.int64))


def shared_shift(*factors: float) -> tuple[tuple[int, ...], int]:
    """``(multipliers, shift)``: one shift for all factors, the one that :func:`fixed_point` gives the largest."""
    shift = int(fixed_point(max(factors))[1])
    scaled: NDArray[Any] = np.rint(np.ldexp(_checked(factors), shift))
    return tuple(int(value) for value in scaled), shift

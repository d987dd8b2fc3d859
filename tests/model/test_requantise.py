"""model.requantise against an exhaustive search in exact fractions."""

import re
from fractions import Fraction

import numpy as np
import pytest

from lutra_model.requantise import fixed_point, shared_shift

EDGES = [1.0, 0.5, 2.0**-47, 2.0**-48, 2.0**-49, 1e-30, 65535 / 2, 65535.4 / 65536, 65535.5 / 65536, 65535.6 / 65536,
         np.nextafter(1.0, 0), np.nextafter(0.5, 1), 1 / 3]


def distance(factor: float, multiplier: int, shift: int) -> Fraction:
    return abs(Fraction(multiplier, 2**shift) - Fraction(factor))


def nearest(factor: float) -> Fraction:
    """The least distance that any pair reaches: for each shift, the two multipliers around the factor."""
    found = []
    for shift in range(1, 64):
        below = min(int(Fraction(factor) * 2**shift), 65535)
        found += [distance(factor, m, shift) for m in (below, below + 1) if m <= 65535]
    return min(found)


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_the_nearest_of_all(seed: int) -> None:
    factors = np.exp(np.random.default_rng(seed).uniform(np.log(1e-16), np.log(3e4), 200))
    for factor, multiplier, shift in zip(factors, *fixed_point(factors), strict=True):
        assert distance(factor, int(multiplier), int(shift)) == nearest(factor)


@pytest.mark.parametrize("factor", EDGES)
def test_edges_are_nearest_and_in_bounds(factor: float) -> None:
    multiplier, shift = (int(value) for value in fixed_point(factor))
    assert distance(factor, multiplier, shift) == nearest(factor)
    assert 1 <= shift <= 63
    assert 2**15 <= multiplier < 2**16 or (shift == 63 and multiplier < 2**15)


def test_rounding_up_to_a_power_of_two_takes_the_smaller_shift() -> None:
    multiplier, shift = fixed_point([65535.75 / 2**20, 1 / 16])
    assert multiplier.tolist() == [2**15, 2**15]
    assert shift.tolist() == [19, 19]


@pytest.mark.parametrize("factor", [0.0, -1.0, 32768.0, float("nan"), float("inf")])
def test_impossible_factors_are_refused(factor: float) -> None:
    with pytest.raises(ValueError, match=rf"^a rescaling factor must be above 0 and at most 32767\.5, "
                                         rf"not {re.escape(str(factor))}$"):
        fixed_point([0.5, factor])


@pytest.mark.parametrize("seed", range(4))
def test_a_shared_shift_fits_the_largest_and_rounds_the_others(seed: int) -> None:
    factors = np.random.default_rng(seed).uniform(1e-3, 4.0, 2)
    multipliers, shift = shared_shift(*factors)
    assert (multipliers[factors.argmax()], shift) == tuple(int(value) for value in fixed_point(factors.max()))
    for factor, multiplier in zip(factors, multipliers, strict=True):
        assert distance(factor, multiplier, shift) <= Fraction(1, 2 ** (shift + 1))
        assert 0 <= multiplier < 2**16

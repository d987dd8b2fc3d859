"""model.nnlut.net: the transform loses nothing, in exact fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lutra_model.nnlut.net import ReluNet, lines, net

EXACT = st.fractions(min_value=-8, max_value=8, max_denominator=6)


def exact(values: list[Fraction]) -> np.ndarray:
    return np.array(values, dtype=object)


def test_the_published_vector() -> None:
    found = lines(ReluNet(n=[1, 1, -2], b=[0, -1, -2], m=[1, -1, 0.5]))
    assert found.breakpoints.tolist() == [-1, 0, 1]
    assert found.slopes.tolist() == [-1, 0, 1, 0]
    assert found.intercepts.tolist() == [-1, 0, 0, 1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(units=st.lists(st.tuples(EXACT, EXACT, EXACT), min_size=1, max_size=8),
       x=st.lists(EXACT, min_size=1, max_size=9))
def test_the_transform_loses_nothing(units: list[tuple[Fraction, ...]], x: list[Fraction]) -> None:
    n, b, m = (exact(list(values)) for values in zip(*units, strict=True))
    found, places = lines(ReluNet(n=n, b=b, m=m)), exact(x)
    x += found.breakpoints.tolist()
    assert sorted(set(found.breakpoints)) == found.breakpoints.tolist(), "breakpoints rise, none is there twice"
    for one in exact(x):
        whole = sum(c * max(a * one + d, 0) for a, d, c in units)
        k = sum(1 for place in found.breakpoints if place <= one)
        assert found.slopes[k] * one + found.intercepts[k] == whole
    np.testing.assert_array_equal(ReluNet(n=n, b=b, m=m)(places), found(places))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(places=st.lists(EXACT, min_size=2, max_size=17, unique=True), data=st.data())
def test_joined_points_are_a_network(places: list[Fraction], data: st.DataObject) -> None:
    values = exact(data.draw(st.lists(EXACT, min_size=len(places), max_size=len(places))))
    at = exact(sorted(places))
    found = lines(net(at, values))
    np.testing.assert_array_equal(found(at), values)
    assert len(found.slopes) <= max(2, len(at) - 1)

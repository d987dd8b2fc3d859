"""model.ternary: published packing vectors; half tables by single additions."""

from itertools import pairwise
from itertools import product as cartesian

import numpy as np
import pytest

from lutra_hw.vector_builder import additions as built_by
from lutra_model import ternary
from lutra_model.codings import Trits
from tests.model.vec_lut.layers import GROUPS


@pytest.mark.parametrize(("weights", "code"), [
    ([1, -1, 0, 1], 65), ([0, 0, 0, 0], 40), ([0] * 5, 121), ([1, 0, -1, 1, -1], 59)], ids=str)
def test_published_codes(weights: list[int], code: int) -> None:
    """Values of vlut.cpp's packing."""
    assert int(ternary.pack(np.array(weights, np.int8))) == code
    assert ternary.unpack(np.array(code, np.uint8), len(weights)).tolist() == weights


def test_published_entry() -> None:
    table = np.array([[[65]]], np.uint8).view(np.int8)
    node = Trits(4)
    assert int(np.array([1, 10, 100, 1000]) @ node.weights(table)[:, 0]) == 991


@pytest.mark.parametrize(("group", "adds"), [(3, 13), (4, 40), (5, 121)])
def test_half_a_table_takes_one_addition_for_each_entry(group: int, adds: int) -> None:
    a = np.random.default_rng(group).integers(-128, 128, group).tolist()
    steps = ternary.additions(group)
    assert steps == [(place, -1 if minus else 1) for place, minus in built_by(group)]
    entries = [0]
    for place, sign in steps:
        entries.append(entries[-1] + sign * a[place])
    assert len(steps) == adds == ternary.zero_code(group)
    for code, word in enumerate(ternary.sign_ranks(group).tolist()):
        weights = [code // 3**place % 3 - 1 for place in range(group)]
        entry = entries[word & 0x7F]
        assert (-entry if word & 0x80 else entry) == sum(w * x for w, x in zip(weights, a, strict=True))


@pytest.mark.parametrize("group", GROUPS)
def test_the_half_holds_one_of_each_mirror_pair(group: int) -> None:
    vectors = [tuple(vector) for vector in ternary.vectors(group).tolist()]
    half = vectors[ternary.zero_code(group):]
    assert half[0] == (0,) * group
    mirrored = {tuple(-digit for digit in vector) for vector in half}
    assert set(half) | mirrored == set(cartesian((-1, 0, 1), repeat=group))
    assert set(half) & mirrored == {half[0]}
    for before, after in pairwise(vectors):
        assert sorted(abs(x - y) for x, y in zip(before, after, strict=True)) == [0] * (group - 1) + [1]

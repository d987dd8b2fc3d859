"""Bit planes: published vectors, planes and zero points by hand, hazards of the published RTL."""

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.codings import BitPlanes
from lutra_model.codings.bit_planes import folded, half_table, levels
from lutra_model.network import Product
from tests.model.bit_planes.layers import layer, zero_of


def test_the_half_table_is_the_published_one() -> None:
    assert half_table(np.array([[[3], [-5], [7], [2]]], np.int8)).ravel().tolist() == [-7, -1, -17, -11, 7, 13, -3, 3]


def test_planes_are_folded_as_published() -> None:
    """q = [0, 3, 1, 2]: plane 1 has sign 1 and index 5, plane 0 sign 0 and index 6."""
    assert folded(np.array([0, 3, 1, 2]).reshape(1, 4, 1), 2).ravel().tolist() == [8 + 5, 6]


@pytest.mark.parametrize(("z", "expected"), [(0, -8), (1, -22)])
def test_the_zero_point_is_carried(z: int, expected: int) -> None:
    coding = BitPlanes(zero_of(np.array([z]), 2), 2)
    table = folded(np.array([0, 3, 1, 2]).reshape(1, 4, 1), 2)
    assert coding.sums(table, np.array([[3], [-5], [7], [2]], np.int8)).tolist() == [[expected]]


@pytest.mark.parametrize("seed", range(5))
def test_the_fold_by_the_first_scalar_gives_the_same_sums(seed: int) -> None:
    """The published hardware takes its sign from bit 0 of a plane, not from the last as the paper does."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-128, 128, 4)
    for pattern in range(16):
        places = [pattern >> n & 1 for n in range(4)]
        mirrored = folded(np.array(places[::-1]).reshape(1, 4, 1), 1).item()  # of the scalars in the other order
        index, sign = mirrored & 7, mirrored >> 3
        entry = half_table(a[::-1].reshape(1, 4, 1).astype(np.int8))[0, index, 0]
        assert (-entry if sign else entry) == sum(v if bit else -v for v, bit in zip(a.tolist(), places, strict=True))


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_levels_come_back(bits: int) -> None:
    q = np.random.default_rng(bits).integers(0, 2**bits, (5, 4, 3))
    assert np.array_equal(levels(folded(q, bits), 4), 2 * q - (2**bits - 1))


def test_ternary_weights_are_two_planes() -> None:
    trits = np.random.default_rng(3).integers(-1, 2, (8, 6))
    coding = BitPlanes(zero_of(np.ones(6, int), 2), 2)
    x = np.random.default_rng(4).integers(-128, 128, (8, 20), np.int8)
    assert np.array_equal(coding.sums(folded((trits + 1).reshape(2, 4, 6), 2), x), 2 * x.astype(int).T @ trits)


def test_one_plane_between_two_levels_is_a_sign() -> None:
    signs = np.random.default_rng(3).choice([-1, 1], (8, 6))
    coding = BitPlanes(np.zeros(6, np.int8), 1)
    x = np.random.default_rng(4).integers(-128, 128, (8, 20), np.int8)
    assert np.array_equal(coding.sums(folded((signs > 0).astype(int).reshape(2, 4, 6), 1), x), x.astype(int).T @ signs)


def test_planes_in_another_order_give_other_sums() -> None:
    node, _, _ = layer(1, 3)
    x = np.random.default_rng(2).integers(-128, 128, (6, 9), np.int8)
    other = Product(**{**vars(node), "table": node.table[:, ::-1].copy()})
    assert (golden.accumulate(node, x) != golden.accumulate(other, x)).any()


def test_an_entry_of_zero_adds_nothing_in_any_plane() -> None:
    """Groups of equal activations have entries of 0; the published hardware adds 2^-14 for them."""
    table = folded(np.array([[[1, 3]], [[1, 0]], [[2, 3]], [[2, 0]]]).reshape(1, 4, 2), 2)
    assert BitPlanes(np.zeros(2, np.int8), 2).sums(table, np.full((4, 1), 77, np.int8)).tolist() == [[0, 0]]

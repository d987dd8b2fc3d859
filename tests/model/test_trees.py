"""model.trees against walks and searches written out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lutra_model import trees


def walked(x: list[int], dims: list[int], thresholds: list[int]) -> int:
    """A tree as nested lists, one comparison after the other."""
    nodes, first = [], 0
    for level in range(len(dims)):
        nodes.append(thresholds[first:first + 2**level])
        first += 2**level
    path = 0
    for dim, row in zip(dims, nodes, strict=True):
        path = path * 2 + (1 if x[dim] > row[path] else 0)
    return path


def spread(points: NDArray[np.int8]) -> float:
    """Sum of squared distances to the mean."""
    return float(((points - points.mean(axis=0)) ** 2).sum()) if len(points) else 0.0


@pytest.mark.parametrize("levels", range(1, 9))
@pytest.mark.parametrize("data", ["random", "ties", "edges"])
def test_descends_like_nested_lists(levels: int, data: str) -> None:
    rng = np.random.default_rng((levels, len(data)))
    choices = {"random": np.arange(-128, 128), "ties": np.array([-1, 0, 1]), "edges": np.array([-128, 127])}[data]
    codebooks, length = 3, 5
    x = rng.choice(choices, (codebooks, length, 200)).astype(np.int8)
    dims = rng.integers(0, length, (codebooks, levels)).astype(np.uint8)
    thresholds = rng.choice(choices, (codebooks, 2**levels - 1)).astype(np.int8)
    found = trees.descend(x, dims, thresholds)
    assert found.dtype == np.uint8
    expected = [[walked(x[k, :, row].tolist(), dims[k].tolist(), thresholds[k].tolist()) for row in range(200)]
                for k in range(codebooks)]
    assert found.tolist() == expected


def test_halut_encoder_steps() -> None:
    """``kaddr = 2 * kaddr + (x > threshold)``, level-order thresholds: the example by hand, ends of int8 included."""
    dims, thresholds = np.array([[1, 0]], np.uint8), np.array([[0, -128, 127]], np.int8)
    x = np.array([[[-128, -127, 127, 127]], [[0, 0, 1, 127]]], np.int8).transpose(1, 0, 2)
    assert trees.descend(x, dims, thresholds).tolist() == [[0, 1, 2, 2]]


@pytest.mark.parametrize("seed", range(4))
def test_a_level_has_the_least_error_of_all_thresholds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = np.clip(rng.normal(0, [5, 40, 20], (60, 3)), -128, 127).astype(np.int8)
    (dims,), (thresholds,) = trees.learn(points.T[None], 2, 0, candidates=3)
    errors = {(dim, cut): spread(points[points[:, dim] <= cut]) + spread(points[points[:, dim] > cut])
              for dim in range(3) for cut in range(-128, 128)}
    assert errors[int(dims[0]), int(thresholds[0])] == pytest.approx(min(errors.values()))
    held = points[:, dims[0]]
    low, high = held[held <= thresholds[0]].max(), held[held > thresholds[0]].min()
    assert thresholds[0] == (int(low) + int(high) - 1) // 2  # the middle of the gap


@pytest.mark.parametrize("seed", range(3))
def test_each_level_is_the_best_after_those_above(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(-20, 20, (80, 4)).astype(np.int8)
    (dims,), (thresholds,) = trees.learn(points.T[None], 8, 0, candidates=4)
    index, first = np.zeros(80, int), 0
    for level, dim in enumerate(dims):
        totals = []
        for tried in range(4):
            total = 0.0
            for node in range(2**level):
                here = points[index == node]
                total += min(spread(here[here[:, tried] <= cut]) + spread(here[here[:, tried] > cut])
                             for cut in range(-128, 128))
            totals.append(total)
        cuts = thresholds[first:first + 2**level]
        index = 2 * index + (points[:, dim] > cuts[index])
        error = sum(spread(points[index == leaf]) for leaf in range(2 ** (level + 1)))
        assert error == pytest.approx(min(totals))
        first += 2**level


def test_prototypes_are_the_means_of_the_leaves() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.integers(-128, 128, (2, 3, 500)).astype(np.int8)
    dims, thresholds = trees.learn(vectors, 16, 0)
    codes = trees.descend(vectors, dims, thresholds)
    found = trees.prototypes(vectors, codes, 16)
    for k in range(2):
        for leaf in range(16):
            assert np.allclose(found[k, leaf], vectors[k][:, codes[k] == leaf].mean(axis=1))


def test_an_empty_leaf_has_the_mean_of_what_is_above() -> None:
    vectors = np.array([[[3, 3, 3, 9]]], np.int8)
    dims, thresholds = trees.learn(vectors, 4, 0)
    codes = trees.descend(vectors, dims, thresholds)
    assert len(set(codes[0].tolist())) == 2
    found = trees.prototypes(vectors, codes, 4)[0, :, 0].tolist()
    assert sorted(set(found)) == [3.0, 9.0]
    assert found[:2] in ([3.0, 3.0],)
    assert found[2:] in ([9.0, 9.0],)


@pytest.mark.parametrize("entries", [0, 1, 3, 12, 512])
def test_only_powers_of_two(entries: int) -> None:
    with pytest.raises(ValueError, match=rf"^entries of a tree must be a power of two from 2 to 256, not {entries}$"):
        trees.levels_of(entries)

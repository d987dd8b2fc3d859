"""The front of a space of machines: against a naive search, and against the exact model."""

import numpy as np
import pytest

from lutra import embedded
from lutra_model import explore, technology
from lutra_model.workloads import of_network, resnet18

TECHNOLOGY = technology.builtin("horowitz-45")
WORKS = of_network(embedded.network("fashion-resnet8"))
AXES = {"rows": (8, 16), "columns": (8, 16), "encoders": (2, 8), "fill": (0,), "index_words": (1024,),
        "block_rows": (256, 1024)}


def naive(values: np.ndarray) -> set[int]:
    """Rows that no other beats; of equal ones the first."""
    return {n for n, row in enumerate(values)
            if not any((other <= row).all() and ((other < row).any() or m < n) for m, other in enumerate(values)
                       if m != n)}


@pytest.mark.parametrize("seed", range(5))
def test_front_equals_a_naive_search(seed: int) -> None:
    values = np.random.default_rng(seed).integers(1, 12, (200, 3)).astype(float)
    found = explore.front(values)
    assert {tuple(values[place]) for place in found} == {tuple(values[place]) for place in naive(values)}
    assert len(found) == len(naive(values))


def test_every_machine_is_within_reach_of_the_thinned_front() -> None:
    values = np.random.default_rng(1).random((300, 3)) + 0.1
    thin = explore.front(values, within=0.1)
    assert 0 < len(thin) < len(explore.front(values))
    for row in values:
        assert (values[thin] <= 1.1 * row).all(axis=1).any()


@pytest.mark.parametrize("engine", explore.AXES)
def test_front_is_what_the_exact_model_says(engine: str) -> None:
    axes = dict(AXES) | ({"encoders": (8, 16)} if engine == "mac" else {})
    found = explore.explore(WORKS, TECHNOLOGY, engine, axes=axes, images=2)
    assert len(found.places)
    for place in found.places:
        row = found.row(int(place))
        exact = explore.exactly(found, int(place), WORKS, TECHNOLOGY)
        assert row["cycles"] == exact["cycles"]
        assert row["picojoules"] == pytest.approx(exact["picojoules"], rel=1e-12)
        assert row["area_um2"] == pytest.approx(exact["area_um2"], rel=1e-12)


def test_entries_as_an_axis_cut_layers_anew() -> None:
    axes = {name: sizes[:1] for name, sizes in AXES.items()} | {"entries": (8, 16), "length": (3, 9)}
    found = explore.explore(resnet18(), TECHNOLOGY, "lookup", axes=axes)
    assert len(found.points) == 4
    assert len(set(found.points.cycles)) == 4


def test_spaces_without_a_machine_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^axes must make a machine; of 36 sets of sizes none has encoders"):
        explore.space("lookup", {"rows": (10,), "encoders": (4,), "columns": (8,)})
    with pytest.raises(ValueError, match=r"^no machine of the engine mac in this space runs the workload"):
        explore.explore(resnet18(), TECHNOLOGY, "mac", axes={"rows": (16,), "encoders": (16,), "index_words": (64,)})

"""Tables of levels that learn: in evaluation mode they are the golden model's INT8 tables."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from lutra.train.graph import Graph
from lutra.train.layers import module
from lutra.train.layers.level_tables import Factors, Monotone, looked_up
from lutra_model import golden
from lutra_model.codings import Levels
from lutra_model.network import Network, Product, Window
from tests.train.networks import equals_golden, images, learn_brightness, product, residual

SHAPES = {"33x33": (33, 33, 0), "signed": (17, 9, 8), "uneven": (64, 6, 5), "least": (2, 3, 0)}


def table(rng: np.random.Generator, shape: tuple[int, int, int], noise: float) -> Any:
    """A product of both levels with noise, largest 127."""
    count, levels, zero = shape
    plane = np.multiply.outer(np.arange(count) - zero, np.arange(levels) - (levels - 1) // 2)
    noisy = plane + noise * np.abs(plane).max() * rng.normal(size=plane.shape) * (plane != 0)
    return np.rint(127 * noisy / np.abs(noisy).max()).astype(np.int8)


def layer(rng: np.random.Generator, shape: tuple[int, int, int], noise: float, name: str, source: str, channels: int,
          columns: int, *, window: Window | None = None, low: int = 0) -> Product:
    """A layer of random weight levels."""
    made = product(rng, name, source, channels, columns, window=window, low=low)
    codes = rng.integers(0, shape[1], made.table.shape).astype(np.int8)
    size = shape[0] * 0.05 / (60 * made.reduction**0.5 * rng.uniform(0.5, 1, columns))
    return Product(**{**vars(made), "table": codes, "table_scale": size,
                      "coding": Levels(table(rng, shape, noise), shape[2])})


def levels(node: Product) -> Any:
    """A layer's table."""
    assert isinstance(node.coding, Levels)
    return node.coding.levels.astype(int)


def network(seed: int, name: str, noise: float) -> Network:
    """Finishers that suit the steps."""
    rng = np.random.default_rng(seed)
    return Graph(residual(partial(layer, rng, SHAPES[name], noise))).eval().export()


@pytest.mark.parametrize("noise", [0, 0.05, 0.5])
@pytest.mark.parametrize("name", SHAPES)
def test_evaluation_mode_equals_golden_and_keeps_the_network(name: str, noise: float) -> None:
    net = network(0, name, noise)
    graph = Graph(net)
    equals_golden(graph, images(0))
    assert len(np.unique(golden.run(net, images(9))["d"])) > 3
    for one, other in zip(graph.export().products, net.products, strict=True):
        assert np.array_equal(one.table, other.table)
        assert np.abs(levels(one) - levels(other)).max() <= (noise == 0)  # ends of staircases are -1 and 1


@pytest.mark.parametrize("noise", [0, 0.05])
@pytest.mark.parametrize("name", ["33x33", "signed", "uneven"])
def test_training_lowers_the_loss_and_still_equals_golden(name: str, noise: float) -> None:
    graph = Graph(network(8, name, noise))
    first, some = graph.export(), learn_brightness(graph, steps=30, rate=0.01)
    equals_golden(graph, some)
    pairs = [(one, other) for one, other in zip(graph.export().products, first.products, strict=True)]
    assert all((one.table_scale != other.table_scale).any() for one, other in pairs)
    assert sum((one.table != other.table).any() for one, other in pairs) >= 2
    assert sum((levels(one) != levels(other)).any() for one, other in pairs) >= 2


@pytest.mark.parametrize("noise", [0, 0.05])
@pytest.mark.parametrize("name", SHAPES)
def test_training_sums_are_within_rounding_of_those_that_ship(name: str, noise: float) -> None:
    rng = np.random.default_rng(2)
    made = module(layer(rng, SHAPES[name], noise, "a", "input", 5, 4), 1.0)
    x = torch.from_numpy(rng.integers(-40, 80, (5, 50)).astype(np.float32))
    real = made.train().sums(made.rows(x)).detach()
    rest = float(made.table.rest.abs().max()) * 127 if isinstance(made.table, Factors) else 0.0
    ships = made.eval().sums(made.rows(x))
    assert (real - ships).abs().max() <= 5 * (0.51 + rest)
    assert ships.unique().numel() > 5


def test_tables_of_rank_one_stay_monotone_and_others_are_free() -> None:
    rng = np.random.default_rng(4)
    straight, free = (module(layer(rng, SHAPES["signed"], noise, "a", "input", 5, 4), 1.0) for noise in (0, 0.1))
    assert isinstance(straight.table, Monotone)
    assert isinstance(free.table, Factors)
    with torch.no_grad():
        for steps in straight.table.parameters():
            steps += torch.from_numpy(rng.normal(0, 2, steps.shape))
    whole = straight.table.whole().detach().numpy()
    assert np.abs(whole).max() == pytest.approx(1)
    assert not whole[8].any()
    assert not whole[:, 4].any()
    assert (np.diff(whole[:, -1]) > 0).all()
    assert (np.diff(whole[-1]) > 0).all()


def test_gradients_of_what_is_looked_up() -> None:
    """Against loops: cells by their hits, places by the nearest line, none beyond the ends."""
    rng, zero = np.random.default_rng(5), 2
    vectors = torch.from_numpy(rng.normal(size=(2, 6))).requires_grad_()
    places = torch.tensor([[-1.0, 0, 2, 2], [5, 7, 3, 2]], dtype=torch.float64, requires_grad=True)
    slope = torch.from_numpy(rng.normal(size=(2, 2, 4)))
    found = looked_up(places, vectors, zero)
    found.backward(slope)
    index = np.clip(places.detach().numpy(), 0, 5).astype(int)
    cells, lines, values = np.zeros((2, 6)), np.zeros((2, 4)), vectors.detach().numpy()
    for one in range(2):
        line = np.linalg.lstsq((np.arange(6.0) - zero)[:, None], values[one])[0][0]
        for at in np.ndindex(index.shape):
            assert found[(one, *at)] == values[one, index[at]]
            cells[one, index[at]] += slope[(one, *at)]
            lines[at] += slope[(one, *at)] * line * (0 <= places[at] < 6)
    hits = np.maximum(np.bincount(index.ravel(), minlength=6), 1)
    np.testing.assert_allclose(vectors.grad, cells / np.sqrt(hits) * 8 / 6, rtol=1e-12)
    np.testing.assert_allclose(places.grad, lines, rtol=1e-12, atol=1e-15)

"""Trees whose tables learn, layers compared with float ones, stages in which some parameters learn."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lutra.train import from_torch
from lutra.train.data import tensor
from lutra.train.graph import Graph, as_golden
from lutra.train.layers.reference import Reference
from lutra_model import codings, golden
from lutra_model.graph import Affine
from lutra_model.params import Metric
from lutra_model.places import Places
from tests.train.networks import network

SCALE = 1 / 255


def brightness(seed: int, count: int = 48) -> tuple[np.ndarray, torch.Tensor]:
    """Images whose label is how bright they are."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.integers(0, 80, (count, 7, 6, 2)) + 85 * labels[:, None, None, None]
    return images.astype(np.uint8), torch.from_numpy(labels)


def converted(seed: int, metric: Metric) -> tuple[Graph, np.ndarray, torch.Tensor]:
    """A small convolutional network with random weights as a lookup network, with images and labels."""
    torch.manual_seed(seed)
    images, labels = brightness(seed)
    model = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 7, 3, stride=2, padding=1), nn.ReLU(),
                          nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(7, 3))
    with torch.no_grad():
        model[-1].weight *= 10  # scales stay as they are converted: room for logits to grow apart
    graph = from_torch(model.eval(), tensor(images, SCALE).contiguous(), scheme="lut-dla", metric=metric,
                       pixel_scale=SCALE)
    return graph, images, labels


def tuned(graph: Graph, images: np.ndarray, labels: torch.Tensor, learns: tuple[str, ...], *, rate: float = 0.01,
          reconstruct: bool = False) -> list[float]:
    """The loss of each step: cross-entropy, or the layers' own errors."""
    optimiser = torch.optim.Adam(graph.groups(rate, learns))
    graph.train().refer(reconstruct)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        logits = graph(tensor(images, SCALE))
        loss = graph.reconstruction() if reconstruct else nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    graph.eval().refer(False)
    return losses


def check_golden(graph: Graph, images: np.ndarray) -> None:
    wanted = golden.run(graph.export(), images)
    for name, value in graph.values(tensor(images, SCALE)).items():
        assert np.array_equal(as_golden(value), wanted[name]), name


@pytest.mark.parametrize("seed", range(2))
def test_tables_of_trees_learn_and_trees_stay(seed: int) -> None:
    graph, images, labels = converted(seed, Metric.TREE)
    before = [node.coding for node in graph.network.products]
    check_golden(graph, images)
    losses = tuned(graph, images, labels, ("*",))
    assert losses[-1] < 0.9 * losses[0], losses
    check_golden(graph, images)
    for one, other in zip(graph.export().products, before, strict=True):
        assert isinstance(one.coding, codings.Tree)
        assert isinstance(other, codings.Tree)
        assert np.array_equal(one.coding.dims, other.dims)
        assert np.array_equal(one.coding.thresholds, other.thresholds)


def test_the_gradient_through_a_tree_is_that_of_the_nearest_prototype() -> None:
    graph, _, _ = converted(3, Metric.TREE)
    layer: Any = graph.nodes[-1].train()
    x = torch.from_numpy(np.random.default_rng(0).integers(-128, 128, (7, 20)).astype(np.float32)).requires_grad_()
    made = layer.sums(x)
    slope = torch.randn_like(made)
    (found,) = torch.autograd.grad(made, x, slope)
    pieces = nn.functional.pad(x, (0, 0, 0, 1)).view(2, 4, 20)
    distance = (pieces[:, None] - layer.prototypes[..., None]).square().sum(2)
    soft = torch.softmax(-layer.log_sharpness.exp() * distance, 1)
    (wanted,) = torch.autograd.grad(torch.einsum("kcm,kcn->nm", soft, layer.entries()), x, slope)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


def test_a_layer_is_compared_with_its_float_layer() -> None:
    rng = np.random.default_rng(0)
    weight, bias, rows = rng.standard_normal((6, 4)), rng.standard_normal(4), rng.integers(-128, 128, (6, 9))
    step = Affine(name="a", inputs=("input",), tensor="a", places=Places.channels_last((4,)), weight=weight, bias=bias)
    reference, real = Reference(step, 0.02, 0.5), (rows.T * 0.02 @ weight + bias).T
    noise = rng.standard_normal((4, 9))
    reference.compare(torch.from_numpy(rows).float(), torch.from_numpy((real + noise) / 0.5).float())
    wanted = (noise**2).mean() / real.var(ddof=1)
    torch.testing.assert_close(reference.error, torch.tensor(wanted).float(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("metric", [Metric.L2, Metric.L1, Metric.CHEBYSHEV])
def test_a_stage_of_centroids_lowers_the_layers_own_errors_and_moves_nothing_else(metric: Metric) -> None:
    graph, images, labels = converted(1, metric)
    with torch.no_grad():  # away from where k-means put them
        for node in graph.nodes:
            for centroids in (value for name, value in node.named_parameters() if name == "centroids"):
                centroids += torch.randn_like(centroids) * 0.5 * centroids.std()
    before = {name: value.clone() for name, value in graph.state_dict().items()}
    losses = tuned(graph, images, labels, ("centroids", "log_sharpness"), rate=0.002, reconstruct=True)
    assert losses[-1] < 0.8 * losses[0], losses
    for name, value in graph.state_dict().items():
        moves = name.endswith(("centroids", "log_sharpness"))
        assert moves or torch.equal(value, before[name]), name
    check_golden(graph, images)


def test_without_float_layers_there_is_nothing_to_compare() -> None:
    graph = Graph(network(0))
    graph.refer()
    with pytest.raises(ValueError, match=r"^network odd must have layers to compare with float ones, not none$"):
        graph.reconstruction()

"""Networks that are trained: in evaluation mode they are the golden model."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lutra.train.data import tensor
from lutra.train.graph import Graph, as_golden
from lutra_model import golden
from lutra_model.network import Permute, Product, Window
from lutra_model.params import DISTANCES, Metric
from tests.train.networks import network


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("seed", range(3))
def test_evaluation_mode_equals_golden(seed: int, metric: Metric) -> None:
    net = network(seed, metric)
    images = np.random.default_rng(seed).integers(0, 256, (5, 7, 6, 2), np.uint8)
    graph = Graph(net).eval()
    wanted = golden.run(graph.export(), images)
    for name, value in graph.values(tensor(images, 1 / 255)).items():
        assert np.array_equal(as_golden(value), wanted[name]), name


@pytest.mark.parametrize("metric", Metric)
def test_export_without_training_keeps_the_network(metric: Metric) -> None:
    net = network(0, metric)
    for one, other in zip(Graph(net).export().products, net.products, strict=True):
        assert np.array_equal(one.table, other.table)
        assert np.array_equal(one.bias, other.bias)
        assert np.array_equal(one.multiplier, other.multiplier)
        assert one.centroids is None or np.array_equal(one.centroids, other.centroids)


@pytest.mark.parametrize("metric", DISTANCES)
def test_fine_tuning_lowers_the_loss_and_still_equals_golden(metric: Metric) -> None:
    torch.manual_seed(0)
    net, rng = network(2, metric), np.random.default_rng(2)
    labels = torch.from_numpy(rng.integers(0, 3, 32))  # the label is the brightness
    images = (rng.integers(0, 80, (32, 7, 6, 2)) + 85 * labels.numpy()[:, None, None, None]).astype(np.uint8)
    graph, x = Graph(net).eval(), tensor(images, 1 / 255)
    graph.prepare(x)
    optimiser = torch.optim.Adam(graph.groups(rate=0.01))
    losses = []
    graph.train()
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(graph(x), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0], losses
    values = graph.eval().values(x)
    wanted = golden.run(graph.export(), images)
    assert all(np.array_equal(as_golden(value), wanted[name]) for name, value in values.items())


def two_groups(node: Product) -> Product:
    """A linear layer of two channels, each with an output of its own."""
    return Product(name=node.name, inputs=node.inputs, scale=1.0, table=np.ones((2, 1, 1), np.int8),
                   bias=np.zeros(2, np.int64), multiplier=np.ones(2, np.int64), shift=np.ones(2, np.int64),
                   table_scale=np.ones(2), reduction=1, groups=2, window=Window(kernel=(1, 1)))


@pytest.mark.parametrize(("change", "message"), [
    (lambda net: replace(net, nodes=(*net.nodes[:1], Permute(name="m", inputs=("a",), scale=1.0, to=(7 * 6 * 5,),
                                                            order=np.arange(7 * 6 * 5)))),
     "node m cannot be trained: it is a Permute, and there are modules for products of codings .*"),
    (lambda net: replace(net, nodes=(two_groups(net.nodes[0]),)),
     "layer a must have one group and no function in its finisher to be trained"),
])
def test_networks_that_cannot_be_trained(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Graph(change(network(0)))

"""Float networks of the zoo: their sizes, and that they become networks that train and are the golden model."""

import numpy as np
import pytest
import torch

from lutra.train.adopt import from_torch
from lutra.train.data import Data
from lutra.train.graph import as_golden
from lutra.train.models import MODELS
from lutra_model import golden
from lutra_model.network import placement

SIZES = {"spoken-digits": ((40, 1, 13), (10,), 33_770), "espcn": ((42, 42, 1), (4, 32, 32), 15_284),
         "pointnet": ((256, 1, 3), (13,), 19_885)}


def zeros(model: str) -> Data:
    """Data of the model's shape with nothing in it."""
    shape, outputs, _ = SIZES[model]
    images = np.zeros((2, *shape), np.float32)
    return Data(name="zeros", train=images, train_wanted=images, test=images, test_wanted=images, pixel_scale=None,
                classes=("",) * outputs[0])


@pytest.mark.parametrize("model", SIZES)
def test_models_are_as_large_as_said(model: str) -> None:
    data, (_, outputs, parameters) = zeros(model), SIZES[model]
    net = MODELS[model](data).eval()
    assert net(data.tensor(data.test)).shape == (2, *outputs)
    assert sum(some.numel() for some in net.parameters()) == parameters


@pytest.mark.parametrize("model", SIZES)
def test_a_lookup_network_of_it_is_golden_after_a_step_of_training(model: str) -> None:
    torch.manual_seed(0)
    data = zeros(model)
    inputs = np.random.default_rng(0).normal(0, 0.5, (16, *SIZES[model][0])).astype(np.float32)
    x = data.tensor(inputs)
    graph = from_torch(MODELS[model](data), x, scheme="lut-nn")
    assert {placement(node) for node in graph.network.nodes} <= {"array", "memory side"}
    optimiser = torch.optim.SGD(graph.parameters(), 0.01)
    before = graph.export()
    graph.train()(x).square().mean().backward()
    optimiser.step()
    wanted = golden.run(graph.eval().export(), inputs)
    for name, value in graph.values(x).items():
        assert np.array_equal(as_golden(value), wanted[name]), name
    assert not np.array_equal(before.products[-1].table, graph.export().products[-1].table)

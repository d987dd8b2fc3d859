"""Nodes without parameters: in evaluation mode they are the golden model, in training they pass gradients."""

import numpy as np
import pytest
import torch

from lutra.train.graph import Graph, as_golden
from lutra_model import golden
from lutra_model.network import AvgPool, Channels, Clamp, Concat, Flatten, MaxPool, Network, Window

UNEVEN = Window(kernel=(3, 2), stride=(2, 1), padding=(0, 1, 2, 1))


def glued() -> Network:
    """Every kind of node that only moves, joins or pools values, on an odd image."""
    return Network(name="glued", input_shape=(7, 5, 3), input_scale=0.1, nodes=(
        MaxPool(name="largest", inputs=("input",), scale=0.1, window=UNEVEN),
        AvgPool(name="mean", inputs=("input",), scale=0.1, window=UNEVEN, multiplier=43691, shift=18),
        Concat(name="both", inputs=("largest", "mean"), scale=0.1),
        Channels(name="some", inputs=("both",), scale=0.1, first=2, count=3),
        Clamp(name="clamped", inputs=("some",), scale=0.1, low=-20, high=33),
        MaxPool(name="top", inputs=("clamped",), scale=0.1, window=Window(kernel=(4, 6))),
        AvgPool(name="middle", inputs=("clamped",), scale=0.1, multiplier=43691, shift=20),
        Flatten(name="one", inputs=("top",), scale=0.1),
        Flatten(name="other", inputs=("middle",), scale=0.1),
        Concat(name="features", inputs=("one", "other"), scale=0.1)))


@pytest.mark.parametrize("seed", range(3))
def test_evaluation_mode_equals_golden(seed: int) -> None:
    x = np.random.default_rng(seed).normal(0, 5, (4, 7, 5, 3)).astype(np.float32)
    wanted = golden.run(glued(), x)
    graph = Graph(glued()).eval()
    for name, value in graph.values(torch.from_numpy(x).permute(0, 3, 1, 2)).items():
        assert np.array_equal(as_golden(value), wanted[name]), name


def test_training_mode_passes_gradients_and_stays_within_a_step() -> None:
    x = torch.from_numpy(np.random.default_rng(0).integers(-50, 50, (3, 4, 7, 5)).astype(np.float32)).requires_grad_()
    graph, values = Graph(glued()).train(), {"input": x}
    for module in graph.nodes:
        values[module.node.name] = module(*(values[name] for name in module.node.inputs))
    values["features"].sum().backward()
    assert x.grad is not None
    assert torch.count_nonzero(x.grad, (0, 2, 3)).all()
    exact = graph.eval().values(x.detach().transpose(0, 1) * 0.1)
    assert all((values[name] - exact[name]).abs().max() <= 1 for name in exact)


def test_an_image_comes_out_with_its_channels_first() -> None:
    x = np.random.default_rng(1).normal(0, 5, (2, 7, 5, 3)).astype(np.float32)
    net = glued()
    net = Network(name="image", input_shape=net.input_shape, input_scale=0.1, nodes=net.nodes[:1])
    found = Graph(net).eval()(torch.from_numpy(x).permute(0, 3, 1, 2))
    assert np.allclose(found.numpy(), np.moveaxis(golden.outputs(net, x), 3, 1) * 0.1)

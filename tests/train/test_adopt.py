"""A PyTorch model of the user's becomes a lookup network: trained, exported, or refused by the module's path."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lutra.train import Schedule, fit, from_torch
from lutra.train.graph import as_golden
from lutra_model import golden
from tests.train.test_run import blobs


class Small(nn.Module):
    """A user's network: nothing of it is Lutra's."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 6, 3))
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(torch.relu(self.features(x)))
        return y


def pooled() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))


@pytest.mark.parametrize("scheme", ["lut-nn", "int8"])
def test_a_users_model_is_trained_and_exported(scheme: str) -> None:
    torch.manual_seed(0)
    model, x = Small(pooled()), torch.rand(64, 2, 9, 8)
    graph = from_torch(model, x, scheme=scheme)
    assert [node.node.name for node in graph.nodes if hasattr(node, "bias")] == ["features.0", "features.3", "head.2"]
    values, inputs = graph.values(x[:5]), x[:5].permute(0, 2, 3, 1).numpy()
    for name, wanted in golden.run(graph.export(), inputs).items():
        assert np.array_equal(as_golden(values[name]), wanted), name
    with torch.no_grad():
        near = torch.nn.functional.cosine_similarity(graph(x), model.eval()(x)).mean()
    assert near > 0.98


def test_a_linear_model_learns_through_its_lookup_twin(tmp_path: Path) -> None:
    data = blobs()
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    graph = from_torch(model, data.tensor(data.train), scheme="lut-nn")
    before = data.task.loss(graph(data.tensor(data.test)), torch.from_numpy(data.test_wanted))
    fit(graph, data, Schedule(epochs=20, rate=0.02, batch=16), lambda net, x, wanted: data.task.loss(net(x), wanted),
        tmp_path / "net.pt", groups=graph.groups(0.02))
    after = data.task.loss(graph(data.tensor(data.test)), torch.from_numpy(data.test_wanted))
    assert after < 0.7 * before


class Sorted(nn.Module):
    """What no table computes."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sort(x.flatten(1), dim=1).values


class Normed(nn.Module):
    """A part that has a part that cannot be placed."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.InstanceNorm2d(6)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inner(x)
        return y


@pytest.mark.parametrize(("head", "message"), [
    (Normed(), r"^operator InstanceNormalization \(module head\.inner\) is not supported"),
    (Sorted(), r"^operator TopK \(module head\) is not supported"),
])
def test_a_module_that_cannot_be_placed_is_named_by_its_path(head: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_torch(Small(head), torch.rand(32, 2, 9, 8))


def test_a_model_that_cannot_be_exported_is_refused() -> None:
    class Fickle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.linalg.eigvals(x[..., :2]).real

    with pytest.raises(ValueError, match=r"^model Fickle must be one that torch\.onnx\.export takes, but "):
        from_torch(Fickle(), torch.rand(4, 2, 2, 2))

"""A trainable network in integers, and its conversion from a float network, step by step."""

from collections.abc import Mapping
from typing import Any

import torch
from lutra_model.network import Flatten, Network
from torch import Tensor, nn

from .kmeans import assignments, centroids, fitted_table
from .layers import Add, Dense, Lookup, Pool, Product, windows
from .resnet import ResNet8, Step

__all__ = ["Graph", "converted", "step_size"]

INPUT_SCALE = 1 / 127  # pixels are 0 to 1
ROWS = 1 << 16         # rows of a product that calibration looks at
ENTRIES = 16
SOFT = 0.4             # first sharpness times the mean squared distance to the nearest centroid


class Graph(nn.Module):
    """Steps in integers; the forward pass takes ``pixel / 255`` and gives logits in real units."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.ModuleDict()
        self.inputs: dict[str, tuple[str, ...]] = {}

    def append(self, name: str, inputs: tuple[str, ...], step: nn.Module) -> None:
        """Add the next step."""
        self.steps[name] = step
        self.inputs[name] = inputs

    def scale(self, name: str) -> float:
        """Real value of one step of a value."""
        return INPUT_SCALE if name == "input" else self.steps[name].out_scale

    @staticmethod
    def quantised(x: Tensor) -> Tensor:
        """Images as the network's integer input, channels before batch."""
        return torch.round(x / INPUT_SCALE).clamp(-128, 127).transpose(0, 1).contiguous()

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every value in integers, by name."""
        values = {"input": self.quantised(x)}
        for name, step in self.steps.items():
            values[name] = step(*(values[i] for i in self.inputs[name]))
        return values

    def forward(self, x: Tensor) -> Tensor:
        last = next(reversed(self.inputs))
        return self.values(x)[last].T * self.scale(last)

    def export(self, name: str, shape: tuple[int, int, int], classes: tuple[str, ...],
               provenance: Mapping[str, Any]) -> Network:
        """The network as it ships: what evaluation mode computes."""
        nodes = []
        for step_name, step in self.steps.items():
            inputs = self.inputs[step_name]
            if isinstance(step, Product) and step.window is None:
                nodes.append(Flatten(name="flatten", inputs=inputs, scale=self.scale(inputs[0])))
                inputs = ("flatten",)
            nodes.append(step.export(step_name, inputs))
        return Network(name=name, input_shape=shape, input_scale=INPUT_SCALE, pixel_scale=1 / 255,
                       nodes=tuple(nodes), classes=classes, provenance=dict(provenance))


def step_size(values: Tensor) -> float:
    """The scale that keeps most of the values in INT8: least squared error over 40 clipping points."""
    values = values.flatten()[:: max(1, values.numel() // ROWS)]
    largest = max(float(values.abs().max()), 1e-6)
    scales = [largest * part / 40 / 127 for part in range(10, 41)]
    errors = [(torch.round(values / s).clamp(-128, 127) * s - values).square().mean() for s in scales]
    return scales[int(torch.stack(errors).argmin())]


def _lookup(layer: nn.Module, x: Tensor, target: Tensor, length: int, in_scale: float, out_scale: float,
            low: int) -> Lookup:
    """A lookup layer: centroids by k-means of the integers ``x``, table by least squares to the float ``target``."""
    rows = windows(x, Dense(layer, in_scale, out_scale, low).window)
    sample = torch.randperm(rows.shape[1])[:ROWS]
    books = rows[:, sample].view(-1, length, len(sample))
    points, error = centroids(books[:, :, :ROWS // 4], ENTRIES)
    points = torch.round(points)
    weights = layer.weight.detach().flatten(1).T.reshape(len(books), length, -1)
    table = torch.bmm(points, weights) * in_scale
    wanted = target.transpose(0, 1).flatten(1)[:, sample] - layer.bias.detach()[:, None]
    table = fitted_table(assignments(books, points), wanted, table)
    return Lookup(layer, in_scale, out_scale, low, points * in_scale, table, SOFT / max(error, 1.0))


@torch.no_grad()
def converted(net: ResNet8, x: Tensor, lengths: Mapping[str, int] | None) -> Graph:
    """A folded float network as a network in integers, calibrated on the images ``x``.

    ``lengths`` gives the sub-vector length of every product layer; None makes all of them dense INT8. Every
    layer is fitted on the integers that reach it, so it corrects what the layers before it have lost.
    """
    graph, wanted = Graph(), net.values(x)
    values = {"input": graph.quantised(x)}
    for step in net.steps:
        graph.append(step.name, step.inputs, _converted(step, graph, values, wanted, lengths))
        values[step.name] = graph.steps[step.name].eval()(*(values[name] for name in step.inputs))
    return graph


def _converted(step: Step, graph: Graph, values: Mapping[str, Tensor], wanted: Mapping[str, Tensor],
               lengths: Mapping[str, int] | None) -> nn.Module:
    scales = [graph.scale(name) for name in step.inputs]
    out_scale, low = step_size(wanted[step.name]), 0 if step.rectified else -128
    if isinstance(step.module, nn.Conv2d | nn.Linear):
        if lengths is None:
            return Dense(step.module, scales[0], out_scale, low)
        target = wanted[step.name]
        if step.rectified:
            target = step.module(wanted[step.inputs[0]])
        return _lookup(step.module, values[step.inputs[0]], target, lengths[step.name], scales[0], out_scale, low)
    if len(scales) == 2:
        return Add(*scales, out_scale, low)
    return Pool(wanted[step.inputs[0]][0, 0].numel(), scales[0], out_scale)

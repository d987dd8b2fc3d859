"""A converted network that can be trained, and written back as a network."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model.network import Network

from .layers import Lookup, module

__all__ = ["Graph", "as_golden"]

SOFTNESS = 0.4  # first sharpness times the mean squared distance to the nearest centroid


class Graph(nn.Module):
    """A network as a module: from ``pixel / 255``, channels first, to logits in real units."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.nodes = nn.ModuleList(module(node, network.scale(node.inputs[0])) for node in network.nodes)

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every value in integers, by name, in the layout of :mod:`layers`."""
        quantised = torch.round(x / self.network.input_scale).clamp(-128, 127)
        values = {"input": quantised.transpose(0, 1).contiguous()}
        for node in self.nodes:
            values[node.node.name] = node(*(values[name] for name in node.node.inputs))
        return values

    def forward(self, x: Tensor) -> Tensor:
        last = self.network.nodes[-1]
        return self.values(x)[last.name].T * last.scale

    def soften(self, x: Tensor) -> None:
        """Set the sharpness of every lookup layer from the distances that images ``x`` meet."""
        with torch.no_grad():
            values = self.values(x)
        for node in self.nodes:
            if isinstance(node, Lookup):
                node.soften(values[node.node.inputs[0]], SOFTNESS)

    def export(self, **fields: Any) -> Network:
        """The network as it is now, with other ``fields`` where given: what evaluation mode computes."""
        return replace(self.network, nodes=tuple(node.export() for node in self.nodes), **fields)


def as_golden(value: Tensor) -> NDArray[np.int8]:
    """A value in the golden model's layout and type."""
    order = (1, 2, 3, 0) if value.ndim == 4 else (1, 0)
    return value.detach().permute(order).numpy().astype(np.int8)

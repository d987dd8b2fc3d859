"""A converted network that can be trained, and written back as a network."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model.graph import Affine, FloatGraph
from lutra_model.network import Network

from .layers import Product, module
from .layers.reference import Reference

__all__ = ["Graph", "as_golden"]


class Graph(nn.Module):
    """A network as a module: from real inputs, images with the channels first, to real outputs in that layout.

    Parameters
    ----------
    network : where training starts.
    floats : the model that it was converted from: weights that are trained start from its float ones, and layers can
        be compared with it.
    """

    def __init__(self, network: Network, floats: FloatGraph | None = None) -> None:
        super().__init__()
        self.network = network
        self.floats = {step.name: step for step in floats.steps if isinstance(step, Affine)} if floats else {}
        weights = {name: step.weight for name, step in self.floats.items()}
        self.nodes = nn.ModuleList(module(node, network.scale(node.inputs[0]), weights.get(node.name))
                                   for node in network.nodes)

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every value in integers, by name, in the layout of :mod:`layers`."""
        quantised = torch.round(x / self.network.input_scale).clamp(-128, 127)
        values = {"input": quantised.transpose(0, 1).contiguous()}
        for node in self.nodes:
            values[node.node.name] = node(*(values[name] for name in node.node.inputs))
        return values

    def forward(self, x: Tensor) -> Tensor:
        last = self.network.nodes[-1]
        return self.values(x)[last.name].transpose(0, 1) * last.scale

    def prepare(self, x: Tensor) -> None:
        """Let every layer set from inputs ``x`` what it needs before training, such as a first temperature."""
        with torch.no_grad():
            values = self.values(x)
        for node in self.nodes:
            if isinstance(node, Product):
                node.prepare(values[node.node.inputs[0]])

    def refer(self, wanted: bool = True) -> None:
        """Have every product layer compared with its float layer in training, or not any more."""
        for node in self.nodes:
            if isinstance(node, Product) and (step := self.floats.get(node.node.name)):
                reference = Reference(step, node.in_scale, node.node.scale) if wanted else None
                node.reference = reference.to(node.bias.device) if reference else None

    def reconstruction(self) -> Tensor:
        """Sum of the errors of all layers that are compared, in the last forward pass; see :class:`Reference`."""
        errors = [node.reference.error for node in self.nodes if isinstance(node, Product) and node.reference]
        if not errors:
            raise ValueError(f"network {self.network.name} must have layers to compare with float ones, not none")
        return torch.stack(errors).sum()

    def groups(self, rate: float, learns: Sequence[str] = ("*",)) -> list[dict[str, Any]]:
        """The optimiser's groups: parameters whose own name matches a pattern, each layer's at its multiple of rate."""
        found: Mapping[float, list[Tensor]] = defaultdict(list)
        for node in self.nodes:
            for name, parameter in node.named_parameters():
                learned = any(fnmatch(name, pattern) for pattern in learns)
                parameter.requires_grad_(learned)
                if learned:
                    found[getattr(node, "RATES", {}).get(name, 1.0)].append(parameter)
        if not found:
            raise ValueError(f"patterns of what learns must name parameters "
                             f"({', '.join(sorted({name.split('.')[-1] for name, _ in self.named_parameters()}))}), "
                             f"not {', '.join(learns)}")
        return [{"params": parameters, "lr": rate * factor} for factor, parameters in sorted(found.items())]

    def export(self, **fields: Any) -> Network:
        """The network as it is now, with other ``fields`` where given: what evaluation mode computes."""
        return replace(self.network, nodes=tuple(node.export() for node in self.nodes), **fields)


def as_golden(value: Tensor) -> NDArray[np.int8]:
    """A value in the golden model's layout and type."""
    order = (1, 2, 3, 0) if value.ndim == 4 else (1, 0)
    return value.detach().cpu().permute(order).numpy().astype(np.int8)

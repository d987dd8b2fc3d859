"""Fine-tuning of a converted network: centroids, tables, biases and sharpness, taught by the float network."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .graph import Graph
from .loop import Loss, Schedule
from .resnet import ResNet8

__all__ = ["groups", "taught_by"]

SOFTENING = 3.0  # both networks' logits are divided by it before they are compared


def taught_by(teacher: ResNet8) -> Loss:
    """Half cross-entropy with the labels, half divergence from the teacher's softened answers."""
    def loss(net: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = functional.log_softmax(teacher(x) / SOFTENING, 1)
        logits = net(x)
        answers = functional.log_softmax(logits / SOFTENING, 1)
        divergence = functional.kl_div(answers, wanted, log_target=True, reduction="batchmean") * SOFTENING**2
        return (functional.cross_entropy(logits, labels) + divergence) / 2

    return loss


def groups(graph: Graph, schedule: Schedule) -> list[dict[str, Any]]:
    """Parameter groups: the sharpness learns ten times as fast as centroids, tables and biases."""
    parts: tuple[list[Tensor], list[Tensor]] = ([], [])
    for name, parameter in graph.named_parameters():
        parts[name.endswith("log_sharpness")].append(parameter)
    return [{"params": part, "lr": schedule.rate * factor} for part, factor in zip(parts, (1, 10), strict=True)]

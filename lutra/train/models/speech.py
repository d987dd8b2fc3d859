"""Spoken digits: convolutions over time."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .resnet import Convolution

__all__ = ["SpokenDigits"]


class SpokenDigits(nn.Module):
    """Convolutions of 5 frames with 32, 64 and 64 outputs, halved in time between them; a mean, a linear classifier.

    Inputs are ``(batch, coefficients, frames, 1)``.
    """

    def __init__(self, coefficients: int, classes: int) -> None:
        super().__init__()
        self.first = Convolution(coefficients, 32, (5, 1))
        self.second = Convolution(32, 64, (5, 1))
        self.third = Convolution(64, 64, (5, 1))
        self.classifier = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in (self.first, self.second):
            x = functional.max_pool2d(torch.relu(convolution(x)), (2, 1))
        x = torch.relu(self.third(x))
        y: Tensor = self.classifier(functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return y

"""Residual networks of images: ResNet-8 of MLPerf Tiny, and ResNet-20 (He et al., CVPR 2016, section 4.2)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["Convolution", "ResNet"]

WIDTHS = (16, 32, 64)


class Convolution(nn.Conv2d):
    """A convolution with a batch norm behind it; zeros around the image keep its size (halved with a stride of 2)."""

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1) -> None:
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        super().__init__(inputs, outputs, size, stride, (size[0] // 2, size[1] // 2), bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(super().forward(x))
        return y


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, a 1x1 convolution where the image or the channels change."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first = Convolution(inputs, outputs, 3, stride)
        self.second = Convolution(outputs, outputs, 3)
        self.shortcut = Convolution(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class ResNet(nn.Module):
    """A 3x3 stem of 16 channels, stages of ``blocks`` blocks of 16, 32 and 64 channels, a mean, a linear classifier.

    Of a stage that changes the width the first block halves the image. Input is ``pixel / 255``, channels first.
    One block a stage: ResNet-8; three: ResNet-20.
    """

    def __init__(self, channels: int, classes: int, blocks: int = 1) -> None:
        super().__init__()
        self.stem = Convolution(channels, WIDTHS[0], 3)
        widths = [WIDTHS[0], *(width for width in WIDTHS for _ in range(blocks))]
        self.blocks = [f"block{number}" for number in range(1, len(widths))]
        for name, (inputs, outputs) in zip(self.blocks, pairwise(widths), strict=True):
            self.add_module(name, Block(inputs, outputs))
        self.classifier = nn.Linear(WIDTHS[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        for name in self.blocks:
            x = self.get_submodule(name)(x)
        y: Tensor = self.classifier(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return y

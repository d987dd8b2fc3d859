"""PointNet without its transforms (Qi et al., CVPR 2017, section 4.2), small."""

import torch
from torch import Tensor, nn

from .resnet import Convolution

__all__ = ["PointNet"]


class PointNet(nn.Module):
    """Each point to 32, 64 and 128 features, the largest of each over all points, then 64 and the classes.

    A cloud is an image of one column, ``(batch, coordinates, points, 1)``, so that what is done to each point is a
    convolution of one pixel.
    """

    def __init__(self, coordinates: int, classes: int) -> None:
        super().__init__()
        self.first = Convolution(coordinates, 32, 1)
        self.second = Convolution(32, 64, 1)
        self.third = Convolution(64, 128, 1)
        self.fourth = nn.Linear(128, 64)
        self.classifier = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in (self.first, self.second, self.third):
            x = torch.relu(convolution(x))
        y: Tensor = self.classifier(torch.relu(self.fourth(x.amax((2, 3)))))
        return y

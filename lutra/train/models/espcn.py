"""Super-resolution by sub-pixels (Shi et al., CVPR 2016, section 3.1), small."""

import torch
from torch import Tensor, nn

__all__ = ["Espcn"]


class Espcn(nn.Module):
    """Convolutions 5x5x32, 3x3x32, 3x3x16 and 3x3x4 of luminance, 15 thousand parameters.

    Nothing is padded: an output pixel is the same in a tile as in the whole picture. The four outputs are what the four
    pixels in place of one differ by from it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 32, 5)
        self.second = nn.Conv2d(32, 32, 3)
        self.third = nn.Conv2d(32, 16, 3)
        self.last = nn.Conv2d(16, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in (self.first, self.second, self.third):
            x = torch.relu(convolution(x))
        y: Tensor = self.last(x)
        return y

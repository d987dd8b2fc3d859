"""Random changes of inputs that keep what is wanted of them."""

import torch
from torch import Tensor, nn

__all__ = ["augmented"]


def augmented(x: Tensor, shift: int) -> Tensor:
    """Each image flipped or not, and shifted by up to ``shift`` pixels with zeros moving in."""
    count, _, height, width = x.shape
    rows = torch.arange(height) + torch.randint(0, 2 * shift + 1, (count, 1))
    columns = torch.arange(width) + torch.randint(0, 2 * shift + 1, (count, 1))
    columns = torch.where(torch.rand(count, 1) < 0.5, columns, columns.flip(1))
    padded = nn.functional.pad(x, (shift,) * 4).permute(0, 2, 3, 1)
    return padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

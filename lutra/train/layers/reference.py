"""The float layer beside a product layer, for reconstruction losses."""

import torch
from torch import Tensor, nn

from lutra_model.graph import Affine

__all__ = ["Reference"]


class Reference(nn.Module):
    """What the float layer makes of the integers that a product layer reads, against what that layer makes of them.

    Parameters
    ----------
    step : the float layer.
    in_scale, out_scale : real values of one step of the layer's input and output.

    ``error`` is that of the last comparison: the mean squared difference over the variance of the float layer's
    outputs, so that it has no unit: 0 of equal layers, 1 of one that knows the mean alone.
    """

    error: Tensor

    def __init__(self, step: Affine, in_scale: float, out_scale: float) -> None:
        super().__init__()
        weight, bias = step.weight.T * (in_scale / out_scale), step.bias[:, None] / out_scale
        for name, value in (("weight", weight), ("bias", bias)):
            self.register_buffer(name, torch.from_numpy(value).float(), persistent=False)

    def compare(self, rows: Tensor, made: Tensor) -> None:
        """Set the error, from integers ``(reduction, rows)`` and outputs ``(columns, rows)`` in output steps."""
        wanted = torch.addmm(self.get_buffer("bias"), self.get_buffer("weight"), rows)
        self.error = (made - wanted).square().mean() / wanted.detach().var().clamp(min=1e-6)

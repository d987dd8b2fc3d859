"""A data set as arrays."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..tasks import Classify, Task

__all__ = ["Data", "tensor"]

CLASSIFY = Classify()


@dataclass(frozen=True, kw_only=True)
class Data:
    """Inputs ``(count, height, width, channels)`` or ``(count, features)``, and what is wanted of each.

    Parameters
    ----------
    train, test : inputs: ``uint8`` images, whose pixels stand for ``pixel * pixel_scale``, or floating point.
    train_wanted, test_wanted : ``int64`` labels, or whatever the task takes.
    classes : names of the labels, or empty.
    source : the package or publication that the data is from, with its licence.
    start : folder of trained weights that a float network may start from.
    """

    name: str
    task: Task = CLASSIFY
    classes: tuple[str, ...] = ()
    train: NDArray[Any]
    train_wanted: NDArray[Any]
    test: NDArray[Any]
    test_wanted: NDArray[Any]
    pixel_scale: float | None = 1 / 255
    source: str = ""
    start: Path = Path()

    def first(self, train: int, test: int) -> "Data":
        """The same set cut to its first inputs."""
        return replace(self, train=self.train[:train], train_wanted=self.train_wanted[:train], test=self.test[:test],
                       test_wanted=self.test_wanted[:test])

    def tensor(self, inputs: NDArray[Any]) -> Tensor:
        """Some inputs as the float network takes them."""
        return tensor(inputs, self.pixel_scale)


def tensor(inputs: NDArray[Any], pixel_scale: float | None) -> Tensor:
    """Inputs as real numbers in PyTorch's shape, images with the channels first (and channels-last memory)."""
    real = torch.from_numpy(np.asarray(inputs, np.float32))
    if inputs.dtype == np.uint8 and pixel_scale is not None:
        real = real.mul(pixel_scale)
    return real.permute(0, 3, 1, 2) if real.ndim == 4 else real

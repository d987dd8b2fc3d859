"""Where the elements of a model's tensors lie in Lutra's values: reshapes and transposes are changes of places only."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nodes import Shape

__all__ = ["Places"]


@dataclass(frozen=True, eq=False)
class Places:
    """How a tensor of the model's file lies in Lutra's value, both without their batch.

    Parameters
    ----------
    index : in the tensor's shape, the place of each element among the value's, counted channels fastest.
    shape : of the value: ``(height, width, channels)`` or ``(features,)``.
    """

    index: NDArray[np.intp]
    shape: Shape

    @classmethod
    def channels_first(cls, shape: Shape) -> "Places":
        """``(channels, height, width)``, ``(channels, length)`` or ``(features,)``, each element where Lutra has it."""
        if len(shape) == 1:
            return cls(np.arange(shape[0]), shape)
        channels, *pixels = shape
        height, width = pixels if len(pixels) == 2 else (1, *pixels)
        numbers = np.arange(prod(shape)).reshape(*pixels, channels)
        return cls(np.moveaxis(numbers, -1, 0), (height, width, channels))

    @classmethod
    def channels_last(cls, shape: Shape) -> "Places":
        """``(height, width, channels)`` or ``(length, channels)``."""
        return cls(np.arange(prod(shape)).reshape(shape), (*(1,) * (3 - len(shape)), *shape))

    @classmethod
    def plane(cls, shape: Shape) -> "Places":
        """``(height, width)`` as an image of one channel."""
        return cls(np.arange(prod(shape)).reshape(shape), (*shape, 1))

    def ours(self, x: NDArray[Any]) -> NDArray[Any]:
        """A batch of the file's tensors as Lutra's values; every place must be filled."""
        found = np.empty((len(x), prod(self.shape)), x.dtype)
        found[:, self.index.ravel()] = x.reshape(len(x), -1)
        return found.reshape(len(x), *self.shape)

    def agrees(self, other: "Places") -> bool:
        """Whether two tensors of one shape lie the same way."""
        return self.shape == other.shape and np.array_equal(self.index, other.index)

    def order_from(self, other: "Places") -> NDArray[np.int64]:
        """For each of our places, the place in ``other`` of the same element of the file's tensor."""
        order = np.empty(prod(self.shape), np.int64)
        order[self.index.ravel()] = other.index.ravel()
        return order

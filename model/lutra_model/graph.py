"""A trained network in real numbers, as a reader understood it: channels last, batch norms folded, ReLUs fused."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import onnx
from numpy.typing import NDArray

from .network import Shape, Window

__all__ = ["Affine", "AveragePool", "Flattening", "FloatGraph", "Layout", "MaximumPool", "Rectifier", "Residual",
           "Step"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """How a tensor of the model's file lies beside the same value in Lutra.

    Parameters
    ----------
    channels_first : an image is ``(batch, channels, height, width)`` in the file.
    order : of a vector, the feature of the file at each of Lutra's places; None where both agree.
    """

    channels_first: bool = True
    order: NDArray[np.intp] | None = None

    def ours(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The file's tensor in Lutra's layout: ``(batch, height, width, channels)`` or ``(batch, features)``."""
        if x.ndim == 4 and self.channels_first:
            return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        return x if self.order is None else x[:, self.order]

    def agrees(self, other: "Layout") -> bool:
        """Whether two tensors of one shape lie the same way."""
        if self.order is None or other.order is None:
            return self.order is other.order and self.channels_first == other.channels_first
        return np.array_equal(self.order, other.order)

    def flattened(self, channels: int, height: int, width: int) -> "Layout":
        """The layout of an image flattened in the file, whose shape there was the given one."""
        if not self.channels_first or height * width == 1 or channels == 1:
            return Layout()
        places = np.arange(channels * height * width).reshape(channels, height, width)
        return Layout(order=places.transpose(1, 2, 0).ravel())


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One step; ``tensor`` is the file's name of its value before the fused ReLU (if ``relu``)."""

    name: str
    inputs: tuple[str, ...]
    tensor: str
    layout: Layout
    relu: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine(Step):
    """Convolution or linear layer: ``rows @ weight + bias``.

    ``weight`` is float64 ``(reduction, columns)``, its reduction in the order channel, kernel row, kernel column;
    ``window`` is None for a linear layer.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    window: Window | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Residual(Step):
    """Sum of two activations."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaximumPool(Step):
    """Largest value of each window."""

    window: Window


@dataclass(frozen=True, kw_only=True, eq=False)
class AveragePool(Step):
    """Mean of each window, padding included; without a window, of the whole image."""

    window: Window | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Rectifier(Step):
    """A ReLU that no step before it could absorb (its ``relu`` is set)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Flattening(Step):
    """An image as one vector, channels fastest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatGraph:
    """Steps in the order they run; the last one is the output.

    Parameters
    ----------
    input_shape : in Lutra's layout, ``(height, width, channels)`` or ``(features,)``.
    layout : of the input; ``model_shape`` is the input's shape in the file, without the batch.
    model : the file's content, for the reference run.
    fixed_batch : the model takes one input at a time.
    dropped : sentences on operators that were left out.
    source : file name and SHA-256 of the model.
    """

    name: str
    input_shape: Shape
    layout: Layout
    steps: tuple[Step, ...]
    model: onnx.ModelProto
    fixed_batch: bool = False
    dropped: tuple[str, ...] = ()
    source: dict[str, str] = field(default_factory=dict)

    @cached_property
    def model_shape(self) -> Shape:
        """Shape of one input as the model takes it."""
        if len(self.input_shape) == 3 and self.layout.channels_first:
            return (self.input_shape[2], *self.input_shape[:2])
        return self.input_shape

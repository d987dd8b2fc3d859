"""A trained network in real numbers, as a reader understood it: channels last, batch norms folded, ReLUs fused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .nodes import Shape, Window
from .places import Places

__all__ = ["Affine", "AveragePool", "Flattening", "FloatGraph", "Function", "Gate", "Joining", "MaximumPool",
           "Moving", "Normaliser", "Pointwise", "Rectifier", "Residual", "Step"]

Function = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One step; ``tensor`` is the file's name of its value before the fused clamp to ``low``..``high``."""

    name: str
    inputs: tuple[str, ...]
    tensor: str
    places: Places
    low: float = -np.inf
    high: float = np.inf

    @property
    def relu(self) -> bool:
        """Whether nothing negative comes out."""
        return self.low == 0.0

    @property
    def is_open(self) -> bool:
        """Whether nothing is clamped yet."""
        return self.low == -np.inf and self.high == np.inf

    def clamped(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of ``tensor`` as the step gives them."""
        return values if self.is_open else np.clip(values, self.low, self.high)


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine(Step):
    """Convolution or linear layer: ``rows @ weight + bias``.

    ``weight`` is float64 ``(reduction, columns)``, its reduction in the order channel, kernel row, kernel column; of a
    grouped layer the reduction of one group, and the columns group by group. ``window`` is None for a linear layer.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    window: Window | None = None
    groups: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Residual(Step):
    """Sum of two activations."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gate(Step):
    """Product of two activations; the second may be one pixel for all of the first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Joining(Step):
    """Channels (or features) of several values, one after the other."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pointwise(Step):
    """A function of each value: from ``(n, 1)`` reals to ``(n, 1)``, or ``(n, channels)`` where channels differ."""

    function: Function


@dataclass(frozen=True, kw_only=True, eq=False)
class Normaliser(Step):
    """Softmax over the channels of each pixel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Moving(Step):
    """Values at other places, each from place ``order`` of the input."""

    order: NDArray[np.int64]


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
    """A clamp that no step before it could absorb."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Flattening(Step):
    """An image as one vector, channels fastest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatGraph:
    """Steps in the order they run; the last one is the output.

    Parameters
    ----------
    places : of the input in Lutra's.
    model : the file's content, for the reference run.
    fixed_batch : the model takes one input at a time.
    ranges : smallest and largest value of quantised tensors, by step (or ``input``), where the model says so.
    dropped : sentences on operators that were left out.
    source : file name and SHA-256 of the model.
    """

    name: str
    places: Places
    steps: tuple[Step, ...]
    model: onnx.ModelProto
    fixed_batch: bool = False
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    source: dict[str, str] = field(default_factory=dict)

    @property
    def input_shape(self) -> Shape:
        """Shape of one input as Lutra takes it."""
        return self.places.shape

    @property
    def model_shape(self) -> Shape:
        """Shape of one input as the model takes it."""
        return self.places.index.shape

"""What a scheme is to the converter: a name, and how one layer's real numbers become a product of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..graph import Affine
from ..network import Product
from ..params import Metric

__all__ = ["Layer", "Options", "Scheme"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a conversion may be told; each scheme reads what concerns it.

    Parameters
    ----------
    entries, metric : centroids of a codebook, and how the nearest is found.
    lengths : scalars of a sub-vector: one number, or numbers by layer; None: the scheme's own choice.
    by_tap : sub-vectors of a window are runs of channels of one tap, not taps of one channel.
    refine : fit what can be fitted (tables, scales, biases) to the float layer's outputs.
    bits : of a weight, where weights have few.
    group : ternary weights in one index.
    threshold : how weights become ternary: ``mse`` or ``absmean``, see `vec_lut.ternarise`.
    levels : of an activation, and of a weight, where both have few.
    seed : of whatever is drawn.
    functions : softmax and functions of one value are piecewise linear tables, which the machine runs.
    calibrated : tables of functions of one value are fitted to what calibration brings to them, not to their range.
    """

    entries: int = 16
    metric: Metric = Metric.L2
    lengths: Mapping[str, int] | int | None = None
    by_tap: bool = False
    refine: bool = True
    bits: int = 4
    group: int = 4
    threshold: str = "mse"
    levels: int = 33
    seed: int = 0
    functions: bool = False
    calibrated: bool = False

    def length(self, step: Affine, default: int) -> int:
        """Scalars of a layer's sub-vectors."""
        if isinstance(self.lengths, int):
            return self.lengths
        return (self.lengths or {}).get(step.name, default)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer to convert.

    Parameters
    ----------
    step : its real weights ``(reduction, groups * columns)``, bias, window and groups.
    source : name of its input. input_scale : real value of one step of that.
    scale, low, high : of its output.
    span : smallest and largest value that it takes of its input, see `Scheme.span`.
    columns : makes the integer activation rows of the calibration data, ``(groups * reduction, rows)``.
    target : makes the float layer's outputs for them, ``(rows, groups * columns)``, with the bias.
    """

    step: Affine
    source: str
    input_scale: float
    scale: float
    low: int
    high: int
    columns: Callable[[], NDArray[np.int8]]
    target: Callable[[], NDArray[Any]]
    span: tuple[int, int] = (-128, 127)
    common: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "common", {"scale": self.scale, "low": self.low, "high": self.high,
                                            "window": self.step.window, "groups": self.step.groups})


class Scheme(ABC):
    """A scheme, as `lutra convert --scheme` knows it.

    name : of the scheme. title : its paper. baseline : it multiplies or adds, lookup is compared with it.
    follows : whether tables are made for the integers that really come, so that layers are converted in the order in
    which they run.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    baseline: ClassVar[bool] = False
    follows: ClassVar[bool] = False

    @abstractmethod
    def product(self, layer: Layer, options: Options) -> Product:
        """The layer as a product of this scheme; ``ValueError`` that names the layer where it cannot be."""

    def span(self, options: Options, *, rectified: bool, given: bool) -> tuple[int, int]:
        """Smallest and largest int8 value of a tensor that layers of this scheme read: its scale follows.

        ``rectified``: it is nowhere negative; ``given``: it is the network's input.
        """
        return -128, 127

    def check(self, options: Options, layers: Mapping[str, Affine]) -> None:  # noqa: B027  most have nothing to say
        """Raise ``ValueError`` for options that make no sense."""

    def variants(self, options: Options) -> dict[str, Options]:
        """The forms that a comparison of all schemes shows side by side, by what is special about each."""
        return {"": options}

    def provenance(self, options: Options) -> dict[str, Any]:
        """What the network file says of the conversion, beside the scheme's name."""
        return {}

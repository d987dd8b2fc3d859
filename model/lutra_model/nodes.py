"""The nodes of a network that the machine runs: product layers, and the integer glue on the memory side."""

from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from .codings import Coding, Nearest, Plain
from .params import Layer, Metric
from .piecewise import Piecewise
from .window import Window

__all__ = ["Add", "AvgPool", "Channels", "Clamp", "Concat", "Flatten", "MaxPool", "Node", "Product", "Shape",
           "Window"]

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """One step of a network; ``scale`` is the real value of one output step."""

    name: str
    inputs: tuple[str, ...]
    scale: float
    low: int = -128
    high: int = 127

    def shape(self, *inputs: Shape) -> Shape:
        """Shape of the output without the batch, from those of the inputs."""
        return inputs[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Product(Node):
    """A matrix product: by table lookup of some scheme, or by multiplication.

    A grouped layer is ``groups`` products side by side: group ``g`` reads the input's channels of that group, uses
    codebooks ``g * codebooks / groups`` onward and makes the output columns ``g * columns`` onward. A depthwise
    convolution has as many groups as channels, each with a sub-vector of its own. No sub-vector straddles groups.

    Parameters
    ----------
    table : int8 ``(codebooks, entries, columns)``, what the cells hold: the codebooks of all groups and the columns of
        one; of a multiplying layer ``(groups * reduction, 1, columns)``, the weights.
    coding : the scheme's part: what indices are made of, and what the table's words mean.
    bias, multiplier, shift : int64 ``(groups * columns,)``, the finisher's parameters.
    table_scale : float64 ``(groups * columns,)``, the real value of one accumulator step.
    reduction : scalars of one activation vector of a group before padding to whole sub-vectors.
    window : the convolution's window, or None for a linear layer.
    function : of what the finisher makes, clamped to 16 bits instead of ``low..high``, or None; ``low..high`` clamps
        its results.
    """

    table: NDArray[np.int8]
    coding: Coding = field(default_factory=Plain)
    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]
    table_scale: NDArray[np.float64]
    reduction: int
    window: Window | None = None
    groups: int = 1
    function: Piecewise | None = None

    def __post_init__(self) -> None:
        codebooks = len(self.table)
        if self.groups < 1 or codebooks % self.groups:
            raise ValueError(f"groups of layer {self.name} must divide its {codebooks} codebooks, not be {self.groups}")
        for what in ("bias", "multiplier", "shift", "table_scale"):
            if getattr(self, what).shape != (self.columns,):
                raise ValueError(f"{what} of layer {self.name} must have shape ({self.columns},), "
                                 f"not {getattr(self, what).shape}")
        self.coding.check(self)
        for what, low, high in [("bias", -(2**31), 2**31 - 1), ("multiplier", 0, 2**16 - 1), ("shift", 1, 63)]:
            values = getattr(self, what)
            if values.min() < low or values.max() > high:
                raise ValueError(f"{what} of layer {self.name} must be {low} to {high}, "
                                 f"not {values.min()} to {values.max()}")
        self.layer()

    @property
    def scheme(self) -> str:
        """Name of the layer's scheme."""
        return self.coding.scheme

    @property
    def centroids(self) -> NDArray[np.int8] | None:
        """Centroids of a nearest-centroid layer, or None."""
        return self.coding.centroids if isinstance(self.coding, Nearest) else None

    @property
    def metric(self) -> Metric:
        """The encoder's metric; without meaning where there is none."""
        metric: Metric = getattr(self.coding, "metric", Metric.L2)
        return metric

    @property
    def columns(self) -> int:
        """Outputs of all groups."""
        return self.groups * self.table.shape[2]

    def layer(self, rows: int = 1) -> Layer:
        """The shape of one group with ``rows`` activation vectors."""
        codebooks, _, columns = self.table.shape
        return Layer(name=self.name, rows=rows, codebooks=codebooks // self.groups, columns=columns,
                     length=self.coding.length, entries=self.coding.entries(self.table), reduction=self.reduction,
                     engine=self.coding.engine, runs=self.coding.runs, blank=self.coding.blank is not None)

    def group(self, number: int) -> "Product":
        """One group as a layer of its own, which reads that group's channels."""
        codebooks, columns = len(self.table) // self.groups, self.table.shape[2]
        some = slice(number * codebooks, (number + 1) * codebooks)
        mine = slice(number * columns, (number + 1) * columns)
        return replace(self, groups=1, table=self.table[some], bias=self.bias[mine], multiplier=self.multiplier[mine],
                       shift=self.shift[mine], table_scale=self.table_scale[mine],
                       coding=self.coding.split(self.groups)[number])

    def rows(self, shape: Shape) -> int:
        """Activation vectors that one input of ``shape`` makes."""
        return prod(self.shape(shape)[:-1])

    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates behind one input of ``shape``, of all groups."""
        return self.groups * self.layer(self.rows(shape)).macs

    def lookups(self, shape: Shape) -> int:
        """Table entries read (or products formed) for one input of ``shape``, of all groups."""
        return self.groups * self.layer(self.rows(shape)).lookups

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        (shape,) = inputs
        taps = prod(self.window.kernel) if self.window else 1
        if len(shape) != (3 if self.window else 1) or shape[-1] * taps != self.groups * self.reduction:
            raise ValueError(f"layer {self.name} needs {self.groups * self.reduction // taps} "
                             f"{'channels of an image' if self.window else 'features'}, its input is {shape}")
        return (*(self.window.output(*shape[:2]) if self.window else ()), self.columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Add(Node):
    """``clamp((a * multipliers[0] + b * multipliers[1] + half) >> shift)``."""

    multipliers: tuple[int, int]
    shift: int

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        if len(inputs) != 2 or inputs[0] != inputs[1]:
            raise ValueError(f"add {self.name} needs two inputs of one shape, not {' and '.join(map(str, inputs))}")
        return inputs[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPool(Node):
    """Largest value of each window."""

    window: Window

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        return (*self.window.output(*inputs[0][:2]), inputs[0][2])


@dataclass(frozen=True, kw_only=True, eq=False)
class AvgPool(Node):
    """Rescaled sum of each window; without a window, of the whole image."""

    multiplier: int
    shift: int
    window: Window | None = None

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        height, width, channels = inputs[0]
        return (*(self.window.output(height, width) if self.window else (1, 1)), channels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clamp(Node):
    """``min(max(x, low), high)``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Channels(Node):
    """Channels ``first`` to ``first + count - 1`` of an image, or features."""

    first: int
    count: int

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        if not 0 <= self.first < self.first + self.count <= inputs[0][-1]:
            raise ValueError(f"{self.name} must take some of {inputs[0][-1]} channels, "
                             f"not {self.count} from {self.first} on")
        return (*inputs[0][:-1], self.count)


@dataclass(frozen=True, kw_only=True, eq=False)
class Flatten(Node):
    """All values of an image as one vector, channels fastest."""

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        return (prod(inputs[0]),)


@dataclass(frozen=True, kw_only=True, eq=False)
class Concat(Node):
    """Channels of images of one size, or features, one input after the other; all have one scale."""

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        if len({shape[:-1] for shape in inputs}) != 1:
            raise ValueError(f"concat {self.name} needs inputs of one height and width, "
                             f"not {' and '.join(map(str, inputs))}")
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))

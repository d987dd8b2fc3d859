"""A network: product layers and the integer glue between them, in the order they run."""

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .params import Layer, Metric

__all__ = ["Add", "AvgPool", "Clamp", "Flatten", "MaxPool", "Network", "Node", "Product", "Shape", "Window"]

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A sliding window over ``(height, width)``; ``padding`` is top, left, bottom, right."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        if min(self.kernel) < 1 or min(self.stride) < 1 or min(self.padding) < 0:
            raise ValueError(f"kernel and stride must be at least 1 and padding at least 0, not {self.kernel}, "
                             f"{self.stride} and {self.padding}")

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the windowed image."""
        top, left, bottom, right = self.padding
        size = ((height + top + bottom - self.kernel[0]) // self.stride[0] + 1,
                (width + left + right - self.kernel[1]) // self.stride[1] + 1)
        if min(size) < 1:
            raise ValueError(f"a window of {self.kernel} must fit into the padded image of {height} x {width}")
        return size


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
    """A matrix product, by table lookup (``centroids`` given) or by multiplication.

    Parameters
    ----------
    table : int8 ``(codebooks, entries, columns)``; of a dense layer ``(reduction, 1, columns)``, the weights.
    centroids : int8 ``(codebooks, entries, length)`` on the scale of the input, or None.
    bias, multiplier, shift : int64 ``(columns,)``, the finisher's parameters.
    table_scale : float64 ``(columns,)``, the real value of one accumulator step.
    reduction : scalars of one activation vector before padding to whole sub-vectors.
    window : the convolution's window, or None for a linear layer.
    """

    table: NDArray[np.int8]
    centroids: NDArray[np.int8] | None = None
    metric: Metric = Metric.L2
    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]
    table_scale: NDArray[np.float64]
    reduction: int
    window: Window | None = None

    def __post_init__(self) -> None:
        codebooks, entries, columns = self.table.shape
        for what in ("bias", "multiplier", "shift", "table_scale"):
            if getattr(self, what).shape != (columns,):
                raise ValueError(f"{what} of layer {self.name} must have shape ({columns},), "
                                 f"not {getattr(self, what).shape}")
        if self.centroids is not None and self.centroids.shape[:2] != (codebooks, entries):
            raise ValueError(f"centroids of layer {self.name} must be {codebooks} codebooks of {entries}, "
                             f"not {self.centroids.shape[:2]}")
        for what, low, high in [("bias", -(2**31), 2**31 - 1), ("multiplier", 0, 2**16 - 1), ("shift", 1, 63)]:
            values = getattr(self, what)
            if values.min() < low or values.max() > high:
                raise ValueError(f"{what} of layer {self.name} must be {low} to {high}, "
                                 f"not {values.min()} to {values.max()}")
        self.layer()

    @property
    def scheme(self) -> str:
        """Name of the layer's scheme."""
        return "int8" if self.centroids is None else "lut-nn"

    def layer(self, rows: int = 1) -> Layer:
        """The layer's shape with ``rows`` activation vectors."""
        codebooks, entries, columns = self.table.shape
        length = 1 if self.centroids is None else self.centroids.shape[2]
        return Layer(name=self.name, rows=rows, codebooks=codebooks, columns=columns, length=length,
                     entries=entries, reduction=self.reduction)

    def rows(self, shape: Shape) -> int:
        """Activation vectors that one input of ``shape`` makes."""
        return prod(self.shape(shape)[:-1])

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        (shape,) = inputs
        taps = prod(self.window.kernel) if self.window else 1
        if len(shape) != (3 if self.window else 1) or shape[-1] * taps != self.reduction:
            raise ValueError(f"layer {self.name} needs {self.reduction // taps} "
                             f"{'channels of an image' if self.window else 'features'}, its input is {shape}")
        return (*(self.window.output(*shape[:2]) if self.window else ()), self.table.shape[2])


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
class Flatten(Node):
    """All values of an image as one vector, channels fastest."""

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        return (prod(inputs[0]),)


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Nodes in the order they run; the last one is the output, ``input`` names the network's input.

    Parameters
    ----------
    input_shape : ``(height, width, channels)`` or ``(features,)``.
    input_scale : real value of one input step.
    pixel_scale : real value of one step of a ``uint8`` image, or None where images make no sense.
    classes : names of the outputs, or empty.
    provenance : where weights and data came from: plain JSON values.
    """

    name: str
    input_shape: Shape
    input_scale: float
    pixel_scale: float | None = None
    nodes: tuple[Node, ...]
    classes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError(f"network {self.name} must have at least one node")
        known = {"input"}
        for node in self.nodes:
            for name in node.inputs:
                if name not in known:
                    raise ValueError(f"node {node.name} reads {name}, which no earlier node makes")
            if node.name in known:
                raise ValueError(f"node name {node.name} must be used once")
            known.add(node.name)
        assert self.shapes

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every value without the batch."""
        shapes: dict[str, Shape] = {"input": self.input_shape}
        for node in self.nodes:
            shapes[node.name] = node.shape(*(shapes[name] for name in node.inputs))
        return shapes

    @property
    def products(self) -> tuple[Product, ...]:
        """The product layers."""
        return tuple(node for node in self.nodes if isinstance(node, Product))

    def layers(self, batch: int = 1) -> tuple[Layer, ...]:
        """Shapes of the product layers for a batch of inputs."""
        return tuple(node.layer(batch * node.rows(self.shapes[node.inputs[0]])) for node in self.products)

    def scale(self, name: str) -> float:
        """Real value of one step of a value."""
        return {"input": self.input_scale, **{node.name: node.scale for node in self.nodes}}[name]

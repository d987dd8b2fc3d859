"""A network: product layers and the integer steps between them, in the order they run."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .attention import MatMul
from .function_nodes import Function, LayerNorm, RowSoftmax
from .host_nodes import Elementwise, Multiply, Permute, Softmax
from .nodes import Add, AvgPool, Channels, Clamp, Concat, Flatten, MaxPool, Node, Product, Shape, Window
from .params import Layer

__all__ = ["Add", "AvgPool", "Channels", "Clamp", "Concat", "Elementwise", "Flatten", "Function", "LayerNorm", "MatMul",
           "MaxPool", "Multiply", "Network", "Node", "Permute", "Product", "RowSoftmax", "Shape", "Softmax", "Window",
           "placement"]

MEMORY_SIDE = (Add, AvgPool, Channels, Clamp, Concat, Flatten, Function, LayerNorm, MaxPool, RowSoftmax)


def placement(node: Node) -> str:
    """Where a node runs: in the ``array``, on the machine's ``memory side``, or on the ``host``."""
    if isinstance(node, Product | MatMul):
        return "array"
    return "memory side" if isinstance(node, MEMORY_SIDE) else "host"


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
        """Shapes of the product layers for a batch of inputs; of a grouped one, the shape of one group."""
        return tuple(node.layer(batch * node.rows(self.shapes[node.inputs[0]])) for node in self.products)

    @property
    def macs(self) -> int:
        """Multiply-accumulates behind one input."""
        return sum(node.macs(*(self.shapes[name] for name in node.inputs)) for node in self.nodes
                   if isinstance(node, Product | MatMul))

    def scale(self, name: str) -> float:
        """Real value of one step of a value."""
        return {"input": self.input_scale, **{node.name: node.scale for node in self.nodes}}[name]

"""A walk over the nodes of an ONNX model that collects the steps of a :class:`FloatGraph`."""

from collections import Counter
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .graph import Affine, Flattening, FloatGraph, Function, Moving, Pointwise, Rectifier, Step
from .nodes import Shape, Window
from .onnx_file import Model, label
from .places import Places

__all__ = ["Value", "Walk", "attributes", "refused"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Value:
    """What a tensor of the file is in the graph; ``shared`` when more than one node reads it.

    A place of -1 is a zero that the file padded.
    """

    step: str
    places: Places
    shared: bool

    @property
    def is_whole(self) -> bool:
        """Whether the tensor has every element of the step's value once."""
        index = self.places.index
        return index.size == prod(self.places.shape) and np.array_equal(np.sort(index.ravel()), np.arange(index.size))


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes as Python values."""
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def refused(node: onnx.NodeProto, why: str) -> ValueError:
    """The refusal of a node, by name and operator."""
    return ValueError(f"{label(node)} {why}")


class Walk:
    """The steps so far and what each tensor means; one method for each thing that an operator does to them."""

    def __init__(self, model: Model, places: Places) -> None:
        self.model = model
        self.readers = Counter(name for node in model.nodes for name in node.input)
        self.readers[model.output] += 1
        self.steps: dict[str, Step] = {}
        self.dropped: list[str] = []
        self.ranges: dict[str, tuple[float, float]] = {}
        self.places = places
        self.values: dict[str, Value] = {}
        self.know(model.input, "input", places)

    def graph(self) -> FloatGraph:
        """Everything collected, without steps that the output does not need."""
        last = self.values[self.model.output]
        if len(last.places.index.shape) == 1:
            last = self.flat(last, self.model.output, self.model.output, Places.channels_first(last.places.index.shape))
        if last.step == "input":
            raise ValueError("the model must have at least one layer")
        needed = {last.step}
        for step in reversed(self.steps.values()):
            needed.update(step.inputs if step.name in needed else ())
        return FloatGraph(name=self.model.name, places=self.places, model=self.model.proto, ranges=dict(self.ranges),
                          steps=tuple(step for step in self.steps.values() if step.name in needed),
                          fixed_batch=self.model.fixed_batch, dropped=tuple(self.dropped), source=self.model.source)

    def know(self, tensor: str, step: str, places: Places, shared: bool = False) -> Value:
        """A tensor is a step's value."""
        self.values[tensor] = Value(step=step, places=places, shared=shared or self.readers[tensor] > 1)
        return self.values[tensor]

    def value(self, node: onnx.NodeProto, position: int = 0) -> Value:
        """An input that must be an activation."""
        if node.input[position] not in self.values:
            raise refused(node, f"must have an activation as input {position}, not a constant")
        return self.values[node.input[position]]

    def whole(self, node: onnx.NodeProto, position: int = 0) -> Value:
        """An input with every element of a step's value, which a step is added for if need be."""
        value = self.value(node, position)
        shape = value.places.index.shape
        if value.is_whole:
            return value
        if len(shape) > 3:
            raise refused(node, f"reads a part of a value as a tensor of shape {shape}, which is not supported")
        return self.arranged(node, position, Places.channels_first(shape))

    def constant(self, node: onnx.NodeProto, position: int, what: str) -> NDArray[np.float64]:
        """An input that must be a constant."""
        if node.input[position] not in self.model.constants:
            raise refused(node, f"must have a constant {what}")
        return self.model.constants[node.input[position]].astype(np.float64)

    def shape(self, tensor: str) -> Shape:
        """Shape of a tensor as the file has it, without the batch."""
        if tensor not in self.model.shapes:
            raise ValueError(f"the shape of tensor {tensor} must be fixed by the model's input, but it is not")
        return self.model.shapes[tensor][1:]

    def arranged(self, node: onnx.NodeProto, position: int, places: Places) -> Value:
        """An input whose elements must lie at certain places."""
        value = self.value(node, position)
        if value.places.agrees(places):
            return value
        if value.places.index.min() < 0:
            raise refused(node, "reads padded zeros, which only a convolution may")
        return self.moved(value, node.input[position], self.name(node, "moved"), places)

    def flat(self, value: Value, tensor: str, name: str, places: Places) -> Value:
        """A vector of the file as a vector of Lutra."""
        if value.places.agrees(places):
            return value
        if len(value.places.shape) == 1 or not np.array_equal(value.places.index, places.index):
            return self.moved(value, tensor, self.free(name), places)
        name = self.free(name)
        self.steps[name] = Flattening(name=name, inputs=(value.step,), tensor=tensor, places=places)
        return Value(step=name, places=places, shared=False)

    def moved(self, value: Value, tensor: str, name: str, places: Places) -> Value:
        """A step that brings a value's elements to other places."""
        self.steps[name] = Moving(name=name, inputs=(value.step,), tensor=tensor, places=places,
                                  order=places.order_from(value.places))
        return Value(step=name, places=places, shared=False)

    def image(self, node: onnx.NodeProto, position: int = 0) -> Value:
        """An input that must be an image or a sequence, brought to channels last."""
        shape = self.value(node, position).places.index.shape
        if len(shape) not in (2, 3):
            raise refused(node, f"must read an image or a sequence, not a tensor of shape {shape}")
        return self.arranged(node, position, Places.channels_first(shape))

    def name(self, node: onnx.NodeProto, suffix: str = "") -> str:
        """A free name for a step that does the node's work."""
        parts = [part for part in (node.name or node.output[0]).split("/") if part]
        if len(parts) > 1 and parts[-1] in ("Conv", "Gemm", "MatMul"):
            parts.pop()
        return self.free(".".join([*parts, *([suffix] if suffix else [])]) or "step")

    def free(self, base: str) -> str:
        """The name, or one with a number."""
        name, count = base, 1
        while name in self.steps or name == "input":
            count += 1
            name = f"{base}_{count}"
        return name

    def add(self, node: onnx.NodeProto, kind: type[Step], places: Places, *inputs: Value, **fields: Any) -> Value:
        """A new step that makes the node's output."""
        name = self.name(node)
        self.steps[name] = kind(name=name, inputs=tuple(value.step for value in inputs), tensor=node.output[0],
                                places=places, **fields)
        return self.know(node.output[0], name, places)

    def alias(self, node: onnx.NodeProto, value: Value, places: Places | None = None) -> None:
        """The node's output is ``value``, perhaps at other places."""
        self.know(node.output[0], value.step, places or value.places, value.shared)

    def absorb(self, node: onnx.NodeProto, value: Value, **fields: Any) -> None:
        """The step that makes ``value`` does the node's work as well."""
        self.steps[value.step] = replace(self.steps[value.step], **fields)
        self.alias(node, value)

    def open_product(self, value: Value) -> Affine | None:
        """The product that makes ``value``, if nothing else reads it and its clamp is still to come."""
        step = self.steps.get(value.step)
        return step if isinstance(step, Affine) and step.is_open and not value.shared else None

    def rooted(self, value: Value) -> tuple[str, Function]:
        """A value as a function of another step's, which may be itself."""
        step = self.steps.get(value.step)
        if isinstance(step, Pointwise):
            inner = step.function
            return step.inputs[0], lambda x: step.clamped(inner(x))
        if isinstance(step, Rectifier):
            return step.inputs[0], step.clamped
        return value.step, lambda x: x

    def window(self, node: onnx.NodeProto, kernel: tuple[int, ...], added: Shape = (0, 0, 0, 0)) -> Window:
        """The sliding window of a convolution or pool; ``added`` is padding that the file made before."""
        given = attributes(node)
        if len(kernel) not in (1, 2):
            raise refused(node, f"has a kernel of {len(kernel)} dimensions, only 1 and 2 are supported")
        if any(step != 1 for step in given.get("dilations", ())):
            raise refused(node, f"has dilations {tuple(given['dilations'])}, only 1 is supported")
        lift = (1,) * (2 - len(kernel))  # a sequence is an image of one row
        kernel, stride = (*lift, *kernel), (*lift, *given.get("strides", (1,) * len(kernel)))
        sizes, outputs = ((*lift, *self.shape(name)[1:]) for name in (node.input[0], node.output[0]))
        total = [max((out - 1) * step + taps - size, 0)
                 for out, step, taps, size in zip(outputs, stride, kernel, sizes, strict=True)]
        pads = tuple(given.get("pads", (0,) * (4 - 2 * len(lift))))
        top, left, bottom, right = pads if len(pads) == 4 else (0, pads[0], 0, pads[1])
        auto = given.get("auto_pad", b"NOTSET").decode()
        if auto.startswith("SAME"):
            top, left = ((part + (auto == "SAME_LOWER")) // 2 for part in total)
        if min(top, left, bottom, right) < 0:
            raise refused(node, f"has padding {(top, left, bottom, right)}, which must not be negative")
        # SAME padding and ceil_mode both show in the size of the output.
        padding = (top, left, max(bottom, total[0] - top), max(right, total[1] - left))
        top, left, bottom, right = (one + other for one, other in zip(padding, added, strict=True))
        return Window(kernel=(kernel[0], kernel[1]), stride=(stride[0], stride[1]), padding=(top, left, bottom, right))

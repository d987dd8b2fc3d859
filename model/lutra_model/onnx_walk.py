"""A walk over the nodes of an ONNX model that collects the steps of a :class:`FloatGraph`."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .graph import Affine, FloatGraph, Layout, Step
from .network import Shape, Window
from .onnx_file import Model, label

__all__ = ["Value", "Walk", "attributes", "refused"]


@dataclass(frozen=True, kw_only=True)
class Value:
    """What a tensor of the file is in the graph; ``shared`` when more than one node reads it."""

    step: str
    layout: Layout
    shared: bool


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes as Python values."""
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def refused(node: onnx.NodeProto, why: str) -> ValueError:
    """The refusal of a node, by name and operator."""
    return ValueError(f"{label(node)} {why}")


class Walk:
    """The steps so far and what each tensor means; one method for each thing that an operator does to them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.readers = Counter(name for node in model.nodes for name in node.input)
        self.readers[model.output] += 1
        self.steps: dict[str, Step] = {}
        self.dropped: list[str] = []
        channels_last = any(node.op_type == "Transpose" and node.input[0] == model.input
                            and attributes(node).get("perm") == [0, 3, 1, 2] for node in model.nodes)
        self.layout = Layout(channels_first=not channels_last)
        self.values: dict[str, Value] = {}
        self._know(model.input, "input", self.layout)

    def graph(self) -> FloatGraph:
        """Everything collected, without steps that the output does not need."""
        last = self.values[self.model.output]
        if last.step == "input":
            raise ValueError("the model must have at least one layer")
        if last.layout.order is not None:
            raise ValueError(f"output {self.model.output} must not be a flattened image of several channels")
        shape = self.shape(self.model.input)
        ours = (*shape[1:], shape[0]) if len(shape) == 3 and self.layout.channels_first else shape
        needed = {last.step}
        for step in reversed(self.steps.values()):
            needed.update(step.inputs if step.name in needed else ())
        return FloatGraph(name=self.model.name, input_shape=ours, layout=self.layout, model=self.model.proto,
                          steps=tuple(step for step in self.steps.values() if step.name in needed),
                          fixed_batch=self.model.fixed_batch, dropped=tuple(self.dropped),
                          source=self.model.source)

    def _know(self, tensor: str, step: str, layout: Layout, shared: bool = False) -> None:
        self.values[tensor] = Value(step=step, layout=layout, shared=shared or self.readers[tensor] > 1)

    def value(self, node: onnx.NodeProto, position: int = 0) -> Value:
        """An input that must be an activation."""
        if node.input[position] not in self.values:
            raise refused(node, f"must have an activation as input {position}, not a constant")
        return self.values[node.input[position]]

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

    def image(self, node: onnx.NodeProto) -> Value:
        """The first input, which must be an image with channels first."""
        value = self.value(node)
        if len(self.shape(node.input[0])) != 3 or not value.layout.channels_first:
            raise refused(node, "must read an image with channels first")
        return value

    def _name(self, node: onnx.NodeProto) -> str:
        parts = [part for part in (node.name or node.output[0]).split("/") if part]
        if len(parts) > 1 and parts[-1] in ("Conv", "Gemm", "MatMul"):
            parts.pop()
        base = name = ".".join(parts) or "step"
        count = 1
        while name in self.steps or name == "input":
            count += 1
            name = f"{base}_{count}"
        return name

    def add(self, node: onnx.NodeProto, kind: type[Step], layout: Layout, *inputs: Value, **fields: Any) -> None:
        """A new step that makes the node's output."""
        name = self._name(node)
        self.steps[name] = kind(name=name, inputs=tuple(value.step for value in inputs), tensor=node.output[0],
                                layout=layout, **fields)
        self._know(node.output[0], name, layout)

    def alias(self, node: onnx.NodeProto, value: Value, layout: Layout | None = None) -> None:
        """The node's output is ``value``, perhaps in another layout."""
        self._know(node.output[0], value.step, layout or value.layout, value.shared)

    def absorb(self, node: onnx.NodeProto, value: Value, **fields: Any) -> None:
        """The step that makes ``value`` does the node's work as well."""
        self.steps[value.step] = replace(self.steps[value.step], **fields)
        self.alias(node, value)

    def open_step(self, value: Value) -> Step | None:
        """The step that makes ``value``, if nothing else reads it and its ReLU is still to come."""
        step = self.steps.get(value.step)
        return None if step is None or value.shared or step.relu else step

    def open_product(self, node: onnx.NodeProto, value: Value) -> Affine:
        """As :meth:`open_step`, and it must be a product."""
        step = self.open_step(value)
        if not isinstance(step, Affine):
            raise refused(node, "must follow a Conv, Gemm or MatMul whose result nothing else reads")
        return step

    def window(self, node: onnx.NodeProto, kernel: tuple[int, ...]) -> Window:
        """The sliding window of a convolution or pool."""
        given = attributes(node)
        if len(kernel) != 2:
            raise refused(node, f"has a kernel of {len(kernel)} dimensions, only 2 are supported")
        if any(step != 1 for step in given.get("dilations", ())):
            raise refused(node, f"has dilations {tuple(given['dilations'])}, only 1 is supported")
        stride = tuple(given.get("strides", (1, 1)))
        sizes, outputs = self.shape(node.input[0])[1:], self.shape(node.output[0])[1:]
        total = [max((out - 1) * step + taps - size, 0)
                 for out, step, taps, size in zip(outputs, stride, kernel, sizes, strict=True)]
        top, left, bottom, right = given.get("pads", (0, 0, 0, 0))
        auto = given.get("auto_pad", b"NOTSET").decode()
        if auto.startswith("SAME"):
            top, left = ((part + (auto == "SAME_LOWER")) // 2 for part in total)
        if min(top, left, bottom, right) < 0:
            raise refused(node, f"has padding {(top, left, bottom, right)}, which must not be negative")
        # SAME padding and ceil_mode both show in the size of the output.
        padding = (top, left, max(bottom, total[0] - top), max(right, total[1] - left))
        return Window(kernel=(kernel[0], kernel[1]), stride=(stride[0], stride[1]), padding=padding)

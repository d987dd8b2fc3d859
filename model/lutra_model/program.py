"""A network compiled for a machine: what the host writes to it once, and the streams of every run."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import tiling
from .contents import contents
from .memory import Missing, Placed, place
from .network import LayerNorm, Network, RowSoftmax, Shape
from .operation import Operation
from .params import Array
from .piecewise import FUNCTION_WORDS
from .plan import Plan
from .streams import input_beats, output_image
from .values import Step, image_of

__all__ = ["Program", "compile_network"]

Bytes = NDArray[np.uint8]
Slot = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """A network as operations, memory images and streams.

    Parameters
    ----------
    operations : of one run; the first one loads the input, the last one is ``final``.
    nodes : for each operation, the node of the network whose value it makes (or copies for it).
    words : program memory from address 0.
    tables : ``(beats, beat bytes)``, table memory from address 0.
    codebooks : ``(words, bytes of one)``, codebook memory from address 0.
    functions : uint32 ``(slots, 33)``, function memory from slot 0.
    streamed : ``(beats, beat bytes)``, the table stream of one run.
    streamed_last : ``tlast`` of those.
    activation_words : that a side of the activation memory must have.
    input_shape, output_shape : of one run.
    """

    array: Array
    operations: tuple[Operation, ...]
    nodes: tuple[str, ...]
    words: list[int]
    tables: Bytes
    codebooks: Bytes
    functions: NDArray[np.uint32]
    streamed: Bytes
    streamed_last: NDArray[np.bool_]
    activation_words: int
    input_shape: Shape
    output_shape: Shape

    def input_beats(self, x: NDArray[np.int8]) -> tuple[Bytes, NDArray[np.bool_]]:
        """Beats ``(beats, columns)`` and ``tlast`` of the input stream for ``x``, int8 ``(count, *input_shape)``.

        Raises ``ValueError`` for another shape or dtype.
        """
        if x.shape[1:] != self.input_shape or x.dtype != np.int8:
            raise ValueError(f"inputs must be int8 of shape (count, {', '.join(map(str, self.input_shape))}), "
                             f"not {x.dtype} of {x.shape}")
        load = self.operations[0]
        height, width, channels = image_of(self.input_shape)
        beats = input_beats(load, self.array, x.reshape(len(x), height * width, channels))
        last = np.arange(1, len(beats) + 1) % (load.rows * load.column_tiles) == 0
        return beats, last

    @property
    def output_beats(self) -> int:
        """Beats of one run on the output stream."""
        return self.operations[-1].rows * self.operations[-1].column_tiles

    def outputs(self, beats: Bytes) -> NDArray[np.int8]:
        """int8 ``(count, *output_shape)`` from the output stream's beats ``(count * output_beats, columns)``."""
        return output_image(self.operations[-1], self.array, beats).reshape(-1, *self.output_shape)


def _planned(network: Network, array: Array) -> tuple[Plan, Placed]:
    """Steps and places, with the fewest copies that make them possible."""
    copies: frozenset[tuple[str, str]] = frozenset()
    while True:
        plan = Plan(network, array, copies)
        try:
            return plan, place(plan)
        except Missing as missing:
            if missing.copy in copies:
                raise ValueError(f"the windows of node {missing.copy[0]} must lie in {array.banks} banks without "
                                 "conflicts") from missing
            copies |= {missing.copy}


def _row(node: RowSoftmax | LayerNorm) -> dict[str, Any]:
    """Arguments of a row operation."""
    own = {"multiplier": node.multiplier, "shift": node.shift} if isinstance(node, RowSoftmax) else \
        {"epsilon": node.epsilon}
    return {"softmax": isinstance(node, RowSoftmax), "low": node.low, "high": node.high, **own}


def _operation(step: Step, placed: Placed, array: Array) -> Operation:
    """A step with its addresses."""
    source, target, residual = (None if view is None else view.layout(placed.layouts, array)
                                for view in (step.source, step.target, step.residual))
    if source is None:
        assert target is not None
        return tiling.load(step.name, target.channels, array, target=target)
    addend = None
    if residual is not None and step.add is not None:
        factors = step.add.multipliers
        addend = tiling.Addend(source=residual, own_factor=factors[step.own], factor=factors[1 - step.own],
                               shift=step.add.shift, low=step.add.low, high=step.add.high)
    where: dict[str, Any] = {"source": source, "target": target, "to_stream": target is None, "addend": addend,
                             "window": step.window}
    if step.row is not None:
        del where["window"]
        return tiling.row(step.name, source.channels, array, **where, **_row(step.row))
    if step.product is None:
        return tiling.pool(step.name, source.channels, array, **where, **step.pool)
    rows = prod(step.window.output(source.height, source.width))
    product = tiling.product(step.product.layer(rows), source.channels, array, low=step.product.low,
                             high=step.product.high, **where)
    fields: dict[str, Any] = step.product.coding.fields()
    return replace(product, **fields)


def _slotted(steps: list[Step], operations: list[Operation], array: Array) -> tuple[list[Operation], list[Slot]]:
    """Operations with the slots of their functions, and the slots; functions of the same words share one."""
    slots: list[Slot] = []
    done = []
    for step, operation in zip(steps, operations, strict=True):
        numbers = [0, 0]
        for number, words in enumerate(function.words() for function in step.functions):
            slots += [words] * (words not in slots)
            numbers[number] = slots.index(words) + 1
        if len(slots) > array.functions:
            raise ValueError(f"step {step.name} needs function slot {len(slots)}, the array has {array.functions}")
        done.append(replace(operation, function=numbers[0], second=numbers[1]))
    return done, slots


def _check(array: Array, placed: Placed) -> None:
    """Refuse what the array does not hold."""
    if placed.words > array.activation_words:
        raise ValueError(f"value {placed.largest.name} needs {placed.words} words on a side of the activation memory, "
                         f"the array holds {array.activation_words}")


def compile_network(network: Network, array: Array, *, resident: bool | None = None,
                    gather: bool | None = None) -> Program:
    """The program of a network.

    Tables stay in table memory as far as they fit (``resident`` None), all of them (True) or none (False: every layer's
    tables come from the table stream). ``gather``: see :func:`tiling.gathered`. Raises ``ValueError`` that names the
    node or layer which the machine does not run or hold.
    """
    plan, placed = _planned(network, array)
    _check(array, placed)
    operations = [_operation(step, placed, array) for step in plan.steps]
    operations[-1] = replace(operations[-1], final=True)
    operations, slots = _slotted(plan.steps, operations, array)
    found = contents(plan.steps, operations, array, resident, gather)
    words = [word for operation in found.operations for word in operation.encode(array)]
    if len(words) > array.program_words:
        raise ValueError(f"the program of network {network.name} needs {len(words)} words, the memory holds "
                         f"{array.program_words}")
    return Program(array=array, operations=found.operations, nodes=tuple(step.node for step in plan.steps), words=words,
                   tables=found.tables, codebooks=found.codebooks,
                   functions=np.array(slots, np.uint32).reshape(-1, FUNCTION_WORDS), streamed=found.streamed,
                   streamed_last=found.streamed_last, activation_words=placed.words, input_shape=network.input_shape,
                   output_shape=network.shapes[network.nodes[-1].name])

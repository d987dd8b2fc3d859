"""Random nodes: each after the ones before, of any kind that the machine runs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lutra_model.engines import Draw
from lutra_model.network import (
    Add,
    AvgPool,
    Clamp,
    Concat,
    Flatten,
    Function,
    LayerNorm,
    MaxPool,
    Node,
    Product,
    RowSoftmax,
    Shape,
    Window,
)
from lutra_model.params import Array

from .case import DATA
from .case_numbers import MULTIPLIER, Numbers
from .tables import Tables

__all__ = ["Builder", "Integer"]

Integer = Callable[[int, int], int]  # draws a number between two, both included

SIDE = 7  # pixels of the largest image's side


class Builder:
    """Nodes so far; each method appends one, or nothing where it cannot."""

    def __init__(self, array: Array, integer: Integer) -> None:
        self.array, self.integer = array, integer
        self.numbers = Numbers(DATA[max(0, integer(-9, len(DATA) - 1))], integer(0, 2**31 - 1))
        self.tables = Tables(array.functions, integer, self.numbers.rng)
        channels = self._channels(2 * array.word + 1)
        vector = integer(0, 5) == 5
        self.shapes: dict[str, Shape] = {"input": (channels,) if vector else
                                         (integer(2, SIDE), integer(2, SIDE), channels)}
        self.nodes: list[Node] = []

    @property
    def last(self) -> str:
        """The newest value."""
        return next(reversed(self.shapes))

    def _channels(self, most: int) -> int:
        """Some; half of the times whole words, which flattening and concatenation ask for."""
        word, count = self.array.word, self.integer(1, most)
        return -(-count // word) * word if self.integer(0, 1) else count

    def append(self, kind: type[Node], *inputs: str, **fields: Any) -> None:
        """A node of that kind, unless its inputs do not suit it."""
        node = kind(name=f"{kind.__name__.lower()}{len(self.nodes)}", inputs=inputs or (self.last,), scale=1.0,
                    **fields)
        try:
            self.shapes[node.name] = node.shape(*(self.shapes[name] for name in node.inputs))
        except ValueError:
            return
        self.nodes.append(node)

    def _window(self) -> Window:
        height, width = self.shapes[self.last][:2]
        tall, wide = (self.integer(1, min(3, size + 2)) for size in (height, width))
        top, left, bottom, right = (self.integer(0, side - 1) for side in (tall, wide, tall, wide))
        return Window(kernel=(tall, wide), stride=(self.integer(1, 2), self.integer(1, 2)),
                      padding=(top, left, bottom, right))

    def product(self, same: bool = False) -> None:
        """A convolution, or a linear layer of a vector; with ``same``, one that keeps the shape."""
        shape, array = self.shapes[self.last], self.array
        window = self._window() if len(shape) == 3 else None
        if window and same:
            side = self.integer(0, 1)
            window = Window(kernel=(2 * side + 1,) * 2, padding=(side,) * 4)
        kernel = window.kernel if window else (1, 1)
        reduction = shape[-1] * kernel[0] * kernel[1]
        columns = shape[-1] if same else self._channels(2 * array.columns + 1)
        cells = lambda *sizes: self.numbers.int8(*sizes, ties=False)  # noqa: E731
        table, coding = array.cell.example(array, reduction, kernel, columns,
                                           Draw(self.integer, self.numbers.int8, cells))
        finisher = self.numbers.finisher(columns, len(table), array)
        if array.functions and self.integer(0, 1):  # its function takes 8 bits more
            finisher |= {"shift": np.maximum(finisher["shift"] - 8, 1), "function": self.tables.some("value")}
        self.append(Product, table=table, coding=coding, table_scale=np.ones(columns), reduction=reduction,
                    window=window, **finisher, **self.numbers.clamp())

    def block(self) -> None:
        """A product and its sum with its own input."""
        source = self.last
        self.product(same=True)
        self.add(source)

    def maximum(self) -> None:
        """A max pool of an image."""
        if len(self.shapes[self.last]) == 3:
            self.append(MaxPool, window=self._window())

    def average(self) -> None:
        """An average pool of an image, of windows or of the whole."""
        shape = self.shapes[self.last]
        if len(shape) == 3:
            window = self._window() if self.integer(0, 1) else None
            height, width = window.kernel if window else shape[:2]
            shift, gain = self.integer(8, 18), self.integer(1, 8) / 4
            multiplier = min(int(gain * (1 << shift) / (height * width)), MULTIPLIER)
            self.append(AvgPool, window=window, multiplier=multiplier, shift=shift, **self.numbers.clamp())

    def add(self, other: str = "") -> None:
        """The sum of the newest value with an earlier one."""
        others = [name for name, shape in self.shapes.items() if shape == self.shapes[self.last]]
        other = other or others[self.integer(0, len(others) - 1)]
        inputs = (self.last, other) if self.integer(0, 1) else (other, self.last)
        self.append(Add, *inputs, multipliers=(self.integer(0, MULTIPLIER), self.integer(0, MULTIPLIER)),
                    shift=self.integer(15, 17), **self.numbers.clamp())

    def concatenation(self) -> None:
        """The newest value's channels beside those of an earlier one."""
        others = [name for name, shape in self.shapes.items()
                  if shape[:-1] == self.shapes[self.last][:-1] and name != self.last]
        if others:
            self.append(Concat, others[self.integer(0, len(others) - 1)], self.last)

    def function(self) -> None:
        """A function of every value."""
        self.append(Function, function=self.tables.some("value"), multiplier=self.integer(2**13, MULTIPLIER),
                    shift=self.integer(5, 9), **self.numbers.clamp())

    def softmax(self) -> None:
        """A softmax of every pixel."""
        self.append(RowSoftmax, exponential=self.tables.some("exponential"), reciprocal=self.tables.some("reciprocal"),
                    multiplier=self.integer(2**13, MULTIPLIER), shift=self.integer(19, 24), **self.numbers.clamp())

    def norm(self) -> None:
        """A norm of every pixel."""
        channels = self.shapes[self.last][-1]
        self.append(LayerNorm, root=self.tables.some("root"), **self.numbers.norm(channels), **self.numbers.clamp())

    def row(self) -> None:
        """A softmax or a norm and its sum with its own input."""
        source = self.last
        (self.softmax if self.integer(0, 1) else self.norm)()
        self.add(source)

    def clamp(self) -> None:
        """A clamp of its own."""
        self.append(Clamp, **self.numbers.clamp())

    def flatten(self) -> None:
        """An image as a vector."""
        if len(self.shapes[self.last]) == 3:
            self.append(Flatten)

"""Random small networks that a machine runs: every kind of node, ragged and blocked, all from a few numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    Network,
    Node,
    Product,
    RowSoftmax,
    Shape,
    Window,
)
from lutra_model.params import Array
from lutra_model.program import compile_network

from .case import DATA, Case
from .tables import Tables

__all__ = ["DATA", "random_case", "random_network"]

Integer = Callable[[int, int], int]  # draws a number between two, both included

SIDE = 7  # pixels of the largest image's side
BIAS = (-(2**31), 2**31 - 1)
MULTIPLIER = 2**16 - 1


class _Numbers:
    """Arrays of one kind of data.

    ``random`` spreads the outputs over int8, ``ties`` makes many centroids equally near, ``edges`` takes every number
    from the ends of its range, ``low`` and ``high`` take one end for all of them.
    """

    def __init__(self, data: str, seed: int) -> None:
        self.data, self.rng = data, np.random.default_rng(seed)

    def int8(self, *shape: int, ties: bool = True) -> NDArray[np.int8]:
        """Activations, centroids or (without ``ties``) table entries."""
        choices = {"ties": (-1, 0, 1), "edges": (-128, 127), "low": (-128,), "high": (127,)}
        if self.data == "random" or (self.data == "ties" and not ties):
            return self.rng.integers(-128, 128, shape, np.int8)
        return self.rng.choice(np.array(choices[self.data], np.int8), shape)

    def finisher(self, count: int, summed: int, array: Array | None) -> dict[str, Any]:
        """Parameters for ``count`` columns that each sum so many of the array's terms."""
        choose = self.rng.choice
        match self.data:
            case "edges":
                return {"bias": choose(np.array([*BIAS, 0, -1]), count),
                        "multiplier": choose(np.array([0, 1, MULTIPLIER]), count),
                        "shift": choose(np.array([1, 2, 31, 32, 48, 63]), count)}
            case "low" | "high":
                low = self.data == "low"
                return {"bias": np.full(count, BIAS[not low]), "multiplier": np.full(count, MULTIPLIER),
                        "shift": np.where(np.arange(count) % 2, 63 if low else 41, 1)}
        assert array is not None
        spread = int(74 * summed**0.5) * array.cell.spread(array)
        return {"bias": self.rng.integers(-spread, spread + 1, count),
                "multiplier": self.rng.integers(2**15, 2**16, count),
                "shift": spread.bit_length() + 10 + self.rng.integers(-1, 3, count)}

    def norm(self, count: int) -> dict[str, Any]:
        """Parameters of a norm of ``count`` channels, with multipliers of both signs."""
        found = self.finisher(count, 1, None) if self.data in ("edges", "low", "high") else {
            "bias": self.rng.integers(-(2**13), 2**13, count), "multiplier": self.rng.integers(0, 2**16, count),
            "shift": self.rng.integers(19, 23, count)}
        sign = self.rng.choice(np.array([-1, 1]), count)
        return found | {"multiplier": sign * found["multiplier"],
                        "epsilon": int(self.rng.choice(np.array([1, 1, 1000, 10**6, 2**32 - 1])))}

    def clamp(self) -> dict[str, int]:
        """A third of the nodes clamp to less than int8, some of those to a few values around any."""
        match self.rng.integers(8):
            case 0:
                low, high = sorted(self.rng.integers(-128, 128, 2).tolist())
            case 1 | 2:
                low, high = self.rng.integers(-128, 1), self.rng.integers(20, 128)
            case _:
                low, high = -128, 127
        return {"low": int(low), "high": int(high)}


class _Builder:
    """Nodes so far; each method appends one, or nothing where it cannot."""

    def __init__(self, array: Array, integer: Integer) -> None:
        self.array, self.integer = array, integer
        self.numbers = _Numbers(DATA[max(0, integer(-9, len(DATA) - 1))], integer(0, 2**31 - 1))
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


def random_network(array: Array, integer: Integer, *, most: int = 5) -> Network:
    """A network that the array can run; ``integer`` draws every choice.

    Raises ``ValueError`` where the draws make one that the array cannot run.
    """
    net = _Builder(array, integer)
    kinds = [net.product, net.product, net.product, net.block, net.block, net.maximum, net.average, net.add,
             net.concatenation, net.clamp, net.flatten]
    if array.functions:
        kinds += [net.function, net.function, net.softmax, net.norm, net.norm, net.row, net.row]
    for _ in range(integer(1, most)):
        kinds[integer(0, len(kinds) - 1)]()
    if not net.nodes:
        net.product()
    if not net.nodes:
        raise ValueError("the draws must make a node")
    network = Network(name="random", input_shape=net.shapes["input"], input_scale=1.0, nodes=tuple(net.nodes))
    compile_network(network, array)
    return network


def random_inputs(network: Network, count: int, data: str, seed: int) -> NDArray[np.int8]:
    """Inputs ``(count, *input_shape)`` of a kind of data."""
    return _Numbers(data, seed).int8(count, *network.input_shape)


def random_case(array: Array, seed: int, *, stalls: bool = False) -> Case:
    """A network with data of every kind; with stalls, or with streams of various periods."""
    rng = np.random.default_rng((seed, array.rows, array.columns, array.encoders))

    def integer(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    while True:
        try:
            network = random_network(array, integer)
            break
        except ValueError:
            continue
    inputs = random_inputs(network, integer(1, 3), DATA[max(0, integer(-9, len(DATA) - 1))], seed)
    resident = (None, False)[integer(0, 1)]
    gather = (None, True, False)[integer(0, 2)] if array.gather else None
    how: dict[str, Any] = {"resident": resident, "gather": gather, "seed": seed}
    if stalls:
        return Case(array=array, network=network, inputs=inputs, stalls=seed, **how)
    periods = rng.choice([1, 1, 1, 2, 3, 5, 8], 2).tolist()
    return Case(array=array, network=network, inputs=inputs, activation_period=periods[0], table_period=periods[1],
                **how)

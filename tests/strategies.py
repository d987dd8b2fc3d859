"""Random machines and small networks of every kind of node, which shrink when a test fails."""

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lutra_model.network import Add, AvgPool, Clamp, Concat, Flatten, MaxPool, Network, Node, Product, Shape, Window
from lutra_model.params import Array, Metric
from tests.coded import coded

__all__ = ["arrays", "machines", "networks", "products"]

Draw = Any  # what a composite strategy draws with
LARGE = {"activation_words": 4096, "table_words": 4096, "codebook_words": 4096, "program_words": 4096,
         "codebooks": 4096}


def _divisors(count: int) -> list[int]:
    return [size for size in range(1, count + 1) if count % size == 0]


@st.composite
def arrays(draw: Draw, **sizes: int) -> Array:
    """A small machine with memories that hold any network of :func:`networks`."""
    rows, columns = draw(st.sampled_from([4, 1, 2, 3, 6, 8])), draw(st.sampled_from([4, 1, 2, 3, 8]))
    encoders = draw(st.sampled_from(_divisors(rows)))
    word = draw(st.sampled_from([size for size in _divisors(np.gcd(encoders, columns)) if size <= 4]))
    fill = draw(st.sampled_from(_divisors(rows)))
    engine = draw(st.sampled_from(["lookup", "mac"]))
    length = 1 if engine == "mac" else draw(st.sampled_from([1, 2, 3, 4, 9]))
    lanes = length * encoders // word + draw(st.sampled_from([0, 1, 5]))
    given = {"entries": 1 if engine == "mac" else draw(st.sampled_from([2, 4])),
             "metric": draw(st.sampled_from(list(Metric))), "block_rows": draw(st.sampled_from([128, 1, 7, 16])),
             "index_words": draw(st.sampled_from([2048, 1200]))}
    return Array(engine=engine, rows=rows, columns=columns, encoders=encoders, word=word, fill=fill, length=length,
                 lanes=lanes, **(LARGE | given | sizes))


def _lengths(kernel: tuple[int, int], reduction: int, most: int) -> list[int]:
    """Sub-vector lengths whose windows the machine forms."""
    height, width = kernel
    if kernel == (1, 1):
        return list(range(1, min(most, reduction) + 1))
    rectangles = {*_divisors(width), *(width * rows for rows in _divisors(height))}
    return [length for length in sorted(rectangles) if length <= most]


def products(rng: np.random.Generator, array: Array, name: str, source: str, reduction: int, columns: int, length: int,
             groups: int = 1, window: Window | None = None, entries: int | None = None,
             by_tap: bool = False) -> Product:
    """A product with random contents whose outputs use the whole range."""
    taps = prod(window.kernel) if window and by_tap else 1
    entries, codebooks = entries or array.entries, taps * -(-reduction // taps // length)
    if array.metric is Metric.TREE:
        entries = 1 << entries.bit_length() - 1
    spread = 74 * np.sqrt(codebooks) * (1 if array.is_lookup else 74)
    shift = 15 + max(1, int(np.log2(spread / 74)))
    outputs = groups * columns
    table = rng.integers(-128, 128, (groups * codebooks, entries, columns), np.int8)
    centroids = rng.integers(-128, 128, (groups * codebooks, entries, length), np.int8) if array.is_lookup else None
    return Product(name=name, inputs=(source,), scale=1.0, low=int(rng.choice([-128, -90, 0])), table=table,
                   coding=coded(centroids, array.metric, by_tap), bias=rng.integers(-int(spread), int(spread), outputs),
                   multiplier=rng.integers(2**14, 2**16, outputs), shift=rng.integers(shift - 1, shift + 1, outputs),
                   table_scale=np.ones(outputs), reduction=reduction, window=window, groups=groups)


class _Growing:
    """Nodes so far and what the next one may read."""

    def __init__(self, draw: Draw, array: Array, shape: Shape) -> None:
        self.draw, self.array = draw, array
        self.rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        self.shapes: dict[str, Shape] = {"input": shape}
        self.nodes: list[Node] = []

    def pick(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def window(self, shape: Shape) -> Window:
        sizes = [side for side in (1, 3, 2, 4) if side <= min(shape[:2]) + 1]
        kernel = (self.pick(sizes), self.pick(sizes))
        stride = (self.pick([1, 2, 3]), self.pick([1, 2]))
        top, left, bottom, right = (self.pick(range(min(2, kernel[axis]))) for axis in (0, 1, 0, 1))
        short = [max(0, kernel[axis] - shape[axis] - sum(pads)) for axis, pads in enumerate([(top, bottom),
                                                                                             (left, right)])]
        return Window(kernel=kernel, stride=stride, padding=(top, left, bottom + short[0], right + short[1]))

    def product(self, name: str, source: str, same: bool = False) -> Node:
        """A product; with ``same``, one whose output has the input's shape."""
        shape = self.shapes[source]
        window = self.window(shape) if len(shape) == 3 else None
        if window and same:
            tall, wide = self.pick([(3, 3), (1, 1), (1, 3)])
            window = Window(kernel=(tall, wide), padding=(tall // 2, wide // 2) * 2)
        kernel = window.kernel if window else (1, 1)
        groups = self.pick(_divisors(shape[-1])) if window and not same and self.pick([False, False, True]) else 1
        reduction = shape[-1] // groups * kernel[0] * kernel[1]
        by_tap = kernel != (1, 1) and self.array.is_lookup and self.pick([False, False, True])
        lengths = range(1, self.array.length + 1) if by_tap else [
            length for length in _lengths(kernel, reduction, self.array.length)
            if groups == 1 or reduction % length == 0]
        entries = self.pick(range(2, self.array.entries + 1)) if self.array.is_lookup else 1
        columns = shape[-1] if same else self.pick(range(1, max(1, 12 // groups) + 1))
        return products(self.rng, self.array, name, source, reduction, columns, self.pick(lengths), groups, window,
                        entries, by_tap)

    def kinds(self, source: str) -> list[str]:
        """Nodes that may follow a value."""
        shape, word = self.shapes[source], self.array.word
        found = ["product"] * 3 + ["block"] * 2 + ["add", "clamp"]
        if len(shape) == 3:
            found += ["product"] * 2 + ["maxpool", "average", "global"]
            if shape[-1] % word == 0 or shape[:2] == (1, 1):
                found.append("flatten")
        if shape[-1] % word == 0 and shape[-1] <= 12:
            found.append("concat")
        return found

    def append(self, node: Node) -> None:
        self.nodes.append(node)
        self.shapes[node.name] = node.shape(*(self.shapes[name] for name in node.inputs))

    def add(self, name: str, one: str, other: str) -> Node:
        return Add(name=name, inputs=self.pick([(one, other), (other, one)]), scale=1.0, shift=self.pick([15, 1]),
                   multipliers=tuple(self.rng.integers(1, 2**15, 2).tolist()), low=self.pick([-128, 0]),
                   high=self.pick([127, 100]))

    def node(self, kind: str, name: str, source: str) -> Node:
        shape = self.shapes[source]
        common: dict[str, Any] = {"name": name, "inputs": (source,), "scale": 1.0}
        match kind:
            case "product" | "block":
                return self.product(name, source, kind == "block")
            case "add":
                return self.add(name, source, self.pick([key for key, size in self.shapes.items() if size == shape]))
            case "clamp":
                return Clamp(**common, low=self.pick([0, -50]), high=self.pick([127, 60]))
            case "maxpool":
                return MaxPool(**common, window=self.window(shape))
            case "average":
                return AvgPool(**common, window=self.window(shape), multiplier=self.pick([2**15, 50000]),
                               shift=self.pick([17, 1]), low=self.pick([-128, 0]))
            case "global":
                return AvgPool(**common, multiplier=40000, shift=self.pick([18, 20]))
            case "flatten":
                return Flatten(**common)
            case _:
                other = self.pick([key for key, size in self.shapes.items() if size[:-1] == shape[:-1]])
                return Concat(**common | {"inputs": (source, other)})

    def grow(self) -> None:
        """One more layer, which reads the newest value (or, now and then, an older one)."""
        source = self.pick([list(self.shapes)[-1]] * 3 + list(self.shapes))
        kind, name = self.pick(self.kinds(source)), f"n{len(self.nodes)}"
        self.append(self.node(kind, name, source))
        if kind == "block":  # a residual block of one product
            self.append(self.add(f"{name}.add", name, source))


@st.composite
def networks(draw: Draw, array: Array, *, layers: int = 5, side: int = 10, channels: int = 12) -> Network:
    """A network that the array can run, of every kind of node; a residual block counts as one layer."""
    count = draw(st.integers(1, channels))
    images = st.tuples(st.integers(1, side), st.integers(1, side), st.just(count))
    grown = _Growing(draw, array, draw(st.one_of(images, images, st.just((count,)))))
    for _ in range(draw(st.integers(1, layers))):
        grown.grow()
    return Network(name="random", input_shape=grown.shapes["input"], input_scale=1.0, nodes=tuple(grown.nodes))


@st.composite
def machines(draw: Draw, **limits: int) -> tuple[Network, Array]:
    """A network and a machine that runs it."""
    array = draw(arrays())
    return draw(networks(array, **limits)), array

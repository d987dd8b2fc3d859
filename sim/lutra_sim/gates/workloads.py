"""What a small machine runs while its parts are recorded: a cropped layer of a network, or random numbers."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import fit, function_makers, golden
from lutra_model.convert import convert
from lutra_model.engines import Draw
from lutra_model.latency import network_latency
from lutra_model.network import Add, MaxPool, Network, Node, Product, Window
from lutra_model.nnlut.functions import gelu
from lutra_model.onelayer import OneLayer
from lutra_model.params import Array
from lutra_model.program import compile_network

from ..partial import fingerprint

__all__ = ["WORKLOADS", "Layer", "Workload", "machine", "make"]

WORKLOADS = ("network", "random")
CALIBRATION = 2048  # rows that a conversion sees
CYCLES = 500        # that a run takes at least, as long as the layer has rows
MOST_ROWS = 256
Int8 = NDArray[np.int8]
Options = dict[str, Any]


def _scheme(array: Array) -> tuple[str, Options]:
    """The scheme whose layers such an array runs, and its options."""
    match array.engine:
        case "lookup":
            chosen = {"entries": array.entries, "metric": array.metric, "lengths": array.length, "refine": False}
            return ("lut-nn" if array.metric == "l2" else "lut-dla"), chosen
        case "mac":
            return ("int8" if array.weight_bits == 8 else f"int{array.weight_bits}"), {}
        case "lut-tc":
            return ("lut-tc" if array.length == 4 else "bit-serial"), {"bits": array.entries}
        case "vec-lut":
            return "vec-lut", {"group": array.length}
        case "dln-row" | "dln-column":
            return "dln", {"levels": array.weight_levels + 1}
    return array.engine, {}


@dataclass(frozen=True, eq=False)
class Layer:
    """A real layer: its float weights ``(reduction, columns)``, and what really comes to it.

    ``rows`` are its activation rows, int8 ``(count, reduction)``, one image after the other, and ``images`` the values
    that they are windows of, ``(count, height, width, channels)``, all of ``scale`` each; a row's scalars follow each
    other by channel, then by tap of the kernel.
    """

    name: str
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    rows: Int8
    images: Int8
    scale: float

    @classmethod
    def of(cls, network: Network, weights: dict[str, tuple[NDArray[Any], NDArray[Any]]], node: str,
           images: NDArray[Any]) -> "Layer":
        """A product of a converted network, with the float weights that it was made of, on real images.

        Channels come in the order of how usual they are: those first whose share of zeros is next to the median.
        """
        found = next(product for product in network.products if product.name == node)
        (source,) = found.inputs
        given = golden.quantise(network, images) if source == "input" else golden.run(network, images)[source]
        scale = network.scale(source)
        rows = golden.windows(given, found.window).T
        taps = rows.shape[1] // given.shape[-1]
        zeros = (given == 0).mean(axis=(0, 1, 2))
        usual = np.argsort(np.abs(zeros - np.median(zeros)), kind="stable")
        order = (usual[:, None] * taps + np.arange(taps)).ravel()
        return cls(node, weights[node][0][order], weights[node][1], np.ascontiguousarray(rows[:, order]),
                   np.ascontiguousarray(given[..., usual]), float(scale))

    @property
    def sha256(self) -> str:
        """Of all numbers."""
        return fingerprint(self.name, self.weight, self.bias, self.rows, self.images, self.scale)

    def cropped(self, reduction: int, columns: int) -> "Layer":
        """The first scalars and outputs."""
        if reduction > self.weight.shape[0] or columns > self.weight.shape[1]:
            raise ValueError(f"layer {self.name} has {self.weight.shape[0]} x {self.weight.shape[1]} weights, the "
                             f"array needs {reduction} x {columns}")
        return replace(self, weight=self.weight[:reduction, :columns], bias=self.bias[:columns],
                       rows=self.rows[:, :reduction])

    def usual(self, count: int) -> Int8:
        """So many rows that follow each other, with a share of zeros next to that of all rows."""
        zeros = (self.rows == 0).mean(axis=1)
        means = np.convolve(zeros, np.ones(count) / count, mode="valid")
        start = int(np.argmin(np.abs(means - zeros.mean())))
        return self.rows[start:start + count]


@dataclass(frozen=True, eq=False)
class Workload:
    """A small network and an input for it, int8 ``(1, height, width, channels)``."""

    name: str
    network: Network
    inputs: Int8

    @property
    def sha256(self) -> str:
        """Of the nodes' numbers and the inputs."""
        parts = [part for node in self.network.nodes for part in (type(node).__name__, *vars(node).values())]
        codings = [part for product in self.network.products for part in vars(product.coding).values()]
        return fingerprint(*parts, *codings, self.inputs)


def machine(workload: Workload, array: Array) -> Array:
    """The array with the sizes that the workload asks for, and memories that fit it."""
    products = workload.network.products
    asked = array.cell.sizes(products) if products else {}
    return fit.sized(workload.network, array.resized(**asked, fill=array.fill))


def _converted(layer: Layer, array: Array, rows: int, columns: int, reduction: int) -> tuple[Product, Int8, float]:
    """The cropped layer in the array's scheme, rows for it, and their scale."""
    cropped, (scheme, options) = layer.cropped(reduction, columns), _scheme(array)
    one = OneLayer(rows, reduction, columns)
    one.weight, one.bias = cropped.weight, cropped.bias
    real = (cropped.rows * np.float32(layer.scale)).astype(np.float32)
    spread = np.linspace(0, len(real) - 1, CALIBRATION // rows * rows).astype(int)
    blocks = real[spread].reshape(-1, rows, reduction).transpose(0, 2, 1)[:, :, None, :]
    network = convert(one.graph, blocks, scheme=scheme, name=layer.name, **options)
    (product,) = network.products
    x = (cropped.usual(rows) * np.float32(layer.scale)).reshape(1, 1, rows, reduction)
    return product, golden.quantise(network, x), network.input_scale


def _drawn(array: Array, rows: int, columns: int, reduction: int, seed: int) -> tuple[Product, Int8, float]:
    """A product of uniform table words and codebooks, whose outputs are spread over int8, and uniform rows."""
    rng = np.random.default_rng(seed)

    def uniform(*shape: int) -> Int8:
        return rng.integers(-128, 128, shape, np.int8)

    table, coding = array.cell.example(array, reduction, (1, 1), columns,
                                       Draw(lambda low, high: high, uniform, uniform))
    spread = int(74 * len(table) ** 0.5) * array.cell.spread(array)
    product = Product(name="layer", inputs=("input",), scale=1 / 32, table=table, coding=coding, reduction=reduction,
                      bias=rng.integers(-spread, spread + 1, columns), table_scale=np.ones(columns),
                      multiplier=rng.integers(2**15, 2**16, columns), window=Window(kernel=(1, 1)),
                      shift=np.full(columns, spread.bit_length() + 10))
    return product, uniform(1, 1, rows, reduction), 1 / 32


def _beside(kind: str, product: Product, shape: tuple[int, ...], scale: float) -> tuple[Node, ...]:
    """The nodes of a kind of workload."""
    match kind:
        case "residual":
            half = (1 << 14, round((1 << 14) * min(2.0, scale / product.scale)))
            return product, Add(name="sum", inputs=("layer", "input"), scale=product.scale, multipliers=half, shift=15)
        case "function":
            return product, function_makers.function("gelu", "layer", gelu, input_scale=product.scale,
                                                     scale=product.scale)
        case "norm":
            ones = np.linspace(0.5, 1.5, shape[-1])
            return (function_makers.layer_norm("norm", "input", ones, ones - 1, input_scale=scale, scale=1 / 32),)
        case "pool":
            return (MaxPool(name="pool", inputs=("input",), scale=scale, window=Window(kernel=(2, 2), stride=(2, 2))),)
    return (product,)


def _network(name: str, kind: str, array: Array, layer: Layer, rows: int, seed: int) -> tuple[Network, Int8]:
    tiles = 1 if kind == "tile" else 2
    reduction, columns = tiles * array.rows * array.length, tiles * array.columns
    if kind == "residual":
        columns = reduction
    product, x, scale = (_converted(layer, array, rows, columns, reduction) if name == "network"
                         else _drawn(array, rows, columns, reduction, seed))
    if kind == "pool":
        x = (layer.images[len(layer.images) // 2:][:1, :12, :12, :reduction] if name == "network"
             else np.resize(x, (1, 12, 12, reduction)))
    nodes = _beside(kind, product, x.shape[1:], scale)
    network = Network(name=f"{name}-{kind}", input_shape=x.shape[1:], input_scale=scale, nodes=nodes)
    return (function_makers.fused(network) if kind == "function" else network), np.ascontiguousarray(x)


def make(name: str, kind: str, array: Array, layer: Layer, *, rows: int | None = None, seed: int = 0) -> Workload:
    """Numbers of a real layer (``network``) or uniform ones (``random``) for an array of some sizes.

    ``kind``: of network, see `Block.workload`; a product has two row tiles and two column tiles, a ``tile`` one of
    each. ``rows``: activation rows, as many as take `CYCLES` if not given.
    """
    if name not in WORKLOADS:
        raise ValueError(f"workload must be one of {', '.join(WORKLOADS)}, not {name}")
    count = rows or 32
    while True:
        network, x = _network(name, kind, array, layer, count, seed)
        found = Workload(name, network, x)
        sized = machine(found, array)
        cycles = network_latency(compile_network(network, sized).operations, sized).cycles
        if rows or cycles >= CYCLES or count >= MOST_ROWS or kind == "pool":
            return found
        count *= 2

"""Small networks, the arrays that run them, and images."""

from typing import Any

import numpy as np

from lutra_model.network import Add, AvgPool, Flatten, MaxPool, Network, Node, Product, Window
from lutra_model.params import Array
from tests.coded import coded

__all__ = ["ARRAYS", "LOOKUPS", "SAME", "TAIL", "images", "network", "product"]

MEMORIES = {"activation_words": 512, "table_words": 512, "codebook_words": 256, "program_words": 512}
ARRAYS = {"lut-nn": Array(rows=4, columns=4, encoders=2, length=9, entries=8, codebooks=24, block_rows=24,
                          index_words=48, **MEMORIES),
          "int8": Array.mac(rows=4, columns=4, encoders=4, codebooks=64, block_rows=16, index_words=64, **MEMORIES)}
RNG = np.random.default_rng(7)


def product(name: str, source: str, reduction: int, columns: int, window: Window | None = None) -> Product:
    """A product layer of random numbers: a lookup where there is a window, else dense."""
    finisher: dict[str, Any] = {
        "bias": RNG.integers(-500, 500, columns), "multiplier": RNG.integers(2**15, 2**16, columns),
        "shift": np.full(columns, 17 if window else 25), "table_scale": np.ones(columns)}
    centroids = RNG.integers(-128, 128, (reduction // 9, 8, 9), np.int8) if window else None
    table = RNG.integers(-128, 128, (reduction // 9, 8, columns) if window else (reduction, 1, columns), np.int8)
    return Product(name=name, inputs=(source,), scale=1.0, low=0 if window else -128, table=table,
                   coding=coded(centroids), reduction=reduction, window=window, **finisher)


SAME = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
LOOKUPS: tuple[Node, ...] = (
    product("first", "input", 3 * 9, 6, SAME), product("second", "first", 6 * 9, 6, SAME),
    Add(name="sum", inputs=("first", "second"), scale=1.0, multipliers=(30000, 20000), shift=16),
    MaxPool(name="largest", inputs=("sum",), scale=1.0, window=Window(kernel=(2, 2), stride=(2, 2))),
    product("third", "largest", 6 * 9, 8, Window(kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))))
TAIL: tuple[Node, ...] = (
    AvgPool(name="mean", inputs=("third",), scale=1.0, multiplier=2**14, shift=16),
    Flatten(name="flat", inputs=("mean",), scale=1.0), product("fourth", "flat", 8, 10))


def network(*nodes: Node) -> Network:
    return Network(name="small", input_shape=(8, 8, 3), input_scale=1.0, nodes=nodes)


def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).integers(-128, 128, (count, 8, 8, 3), np.int8)

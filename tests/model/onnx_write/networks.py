"""Random networks of every kind of node."""

import numpy as np

from lutra_model.network import (
    Add,
    AvgPool,
    Clamp,
    Concat,
    Elementwise,
    Flatten,
    MaxPool,
    Multiply,
    Network,
    Permute,
    Product,
    Softmax,
    Window,
)
from lutra_model.params import Metric
from tests.coded import coded

__all__ = ["hosted", "mixed", "product"]


def product(seed: int, name: str, source: str, reduction: int, columns: int, *, length: int = 0, entries: int = 8,
            metric: Metric = Metric.L2, window: Window | None = None, low: int = -128, groups: int = 1) -> Product:
    """A random layer; a ``length`` of 0 multiplies; ``reduction`` is that of a group."""
    rng = np.random.default_rng(seed)
    codebooks = -(-reduction // length) if length else reduction
    sums = int((74 if length else 74 * 30) * codebooks**0.5)  # their standard deviation, roughly
    shift = (sums << 16).bit_length() - 6
    return Product(
        name=name, inputs=(source,), scale=0.5, low=low, reduction=reduction, window=window,
        table=rng.integers(-128, 128, (groups * codebooks, entries if length else 1, columns // groups), np.int8),
        coding=coded(rng.integers(-40, 40, (groups * codebooks, entries, length), np.int8) if length else None, metric),
        groups=groups,
        bias=rng.integers(-sums, sums, columns), multiplier=rng.integers(2**15, 2**16, columns),
        shift=rng.integers(shift, shift + 2, columns), table_scale=np.ones(columns))


def mixed(seed: int, length: int, metric: Metric) -> Network:
    """Every kind of node; strides, lopsided padding, kernels that are not square, ragged reductions."""
    wide = Window(kernel=(3, 2), stride=(2, 1), padding=(1, 0, 2, 1))
    nodes = (
        product(seed, "a", "input", 3 * 6, 6, length=length, metric=metric, window=wide),
        product(seed + 1, "b", "a", 6, 6, length=length, metric=metric, window=Window(kernel=(1, 1))),
        Add(name="c", inputs=("a", "b"), scale=0.5, multipliers=(40000, 65535), shift=17),
        Clamp(name="d", inputs=("c",), scale=0.5, low=-3, high=90),
        MaxPool(name="e", inputs=("d",), scale=0.5, window=Window(kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))),
        AvgPool(name="f", inputs=("d",), scale=0.5, multiplier=50000, shift=18,
                window=Window(kernel=(2, 3), stride=(2, 2), padding=(0, 1, 1, 1))),
        product(seed + 2, "g", "e", 6 * 4, 7, length=length, metric=metric, low=0,
                window=Window(kernel=(2, 2), padding=(1, 1, 0, 0))),
        AvgPool(name="h", inputs=("g",), scale=0.5, multiplier=40000, shift=18, low=0),
        Flatten(name="i", inputs=("f",), scale=0.5),
        Flatten(name="j", inputs=("h",), scale=0.5),
        product(seed + 3, "k", "j", 7, 5, length=length, metric=metric))
    return Network(name="mixed", input_shape=(7, 6, 3), input_scale=0.25, nodes=nodes)


def hosted(seed: int, length: int, metric: Metric) -> Network:
    """Grouped layers, a join, and every node that the host computes."""
    rng = np.random.default_rng(seed)
    same = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    nodes = (
        product(seed, "a", "input", 9, 6, length=length, metric=metric, window=same, groups=6),
        product(seed + 1, "b", "a", 3, 4, length=length, metric=metric, window=Window(kernel=(1, 1)), groups=2),
        Concat(name="c", inputs=("a", "b", "input"), scale=0.5),
        Elementwise(name="d", inputs=("c",), scale=0.5, table=rng.integers(-128, 128, (256, 1), np.int8)),
        Elementwise(name="e", inputs=("d",), scale=0.5, table=rng.integers(-128, 128, (256, 16), np.int8)),
        AvgPool(name="f", inputs=("e",), scale=0.5, multiplier=60000, shift=17),
        Multiply(name="g", inputs=("e", "f"), scale=0.5, low=-90, high=80, multiplier=50000, shift=21),
        Multiply(name="h", inputs=("g", "e"), scale=0.5, multiplier=40000, shift=22),
        Softmax(name="i", inputs=("h",), scale=1 / 127, peak=127,
                exponentials=np.rint(2**16 * np.exp(-np.arange(256) / 20)).astype(np.int64)),
        Permute(name="j", inputs=("i",), scale=1 / 127, order=rng.permutation(5 * 4 * 16)[:150], to=(5, 3, 10)),
        Flatten(name="k", inputs=("j",), scale=1 / 127),
        Flatten(name="l", inputs=("g",), scale=1 / 127),
        Concat(name="m", inputs=("k", "l"), scale=1 / 127),
        product(seed + 2, "n", "m", (150 + 320) // 5, 10, length=length, metric=metric, groups=5))
    return Network(name="hosted", input_shape=(5, 4, 6), input_scale=0.25, nodes=nodes)

"""Small networks to train, and data that can be learnt."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lutra.train.data import tensor
from lutra.train.graph import Graph, as_golden
from lutra_model import golden
from lutra_model.network import Add, AvgPool, Flatten, Network, Product, Window
from lutra_model.params import Metric
from tests.coded import coded

__all__ = ["SAME", "equals_golden", "images", "learn_brightness", "network", "product", "residual", "striped"]

SAME, HALF = Window(kernel=(3, 3), padding=(1, 1, 1, 1)), Window(kernel=(3, 3), stride=(2, 2), padding=(0, 1, 1, 0))


def product(rng: np.random.Generator, name: str, source: str, channels: int, columns: int, *, length: int = 0,
            window: Window | None = None, scale: float = 0.05, low: int = 0,
            metric: Metric = Metric.L2, by_tap: bool = False) -> Product:
    """A random layer whose largest entry in each column is 127, as a converter makes it."""
    reduction = channels * (window.kernel[0] * window.kernel[1] if window else 1)
    taps = reduction // channels if by_tap else 1
    codebooks, entries = (taps * -(-reduction // taps // length), 16) if length else (reduction, 1)
    table = rng.integers(-127, 128, (codebooks, entries, columns)).astype(np.int8)
    table[0, 0] = 127
    step = np.full(columns, 2.0**-10)
    centroids = rng.integers(-128, 128, (codebooks, 16, length)).astype(np.int8) if length else None
    if centroids is not None:
        last, each = centroids[codebooks // taps - 1::codebooks // taps], codebooks // taps * length
        last[:, :, reduction // taps - each or length:] = 0
    return Product(name=name, inputs=(source,), scale=scale, low=low, table=table,
                   coding=coded(centroids, metric, by_tap),
                   bias=rng.integers(-500, 500, columns), multiplier=np.full(columns, 40960),
                   shift=np.full(columns, 21), table_scale=step, reduction=reduction, window=window)


def network(seed: int, metric: Metric = Metric.L2) -> Network:
    """Odd sizes, a stride, uneven padding, a residual add, dense and lookup layers, padded sub-vectors.

    In networks of odd seeds one layer's sub-vectors are runs of channels.
    """
    rng = np.random.default_rng(seed)
    return Network(name="odd", input_shape=(7, 6, 2), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        product(rng, "a", "input", 2, 5, length=4, window=SAME, metric=metric),
        product(rng, "b", "a", 5, 5, length=3 if seed % 2 else 9, window=SAME, low=-128, metric=metric,
                by_tap=seed % 2 == 1),
        Add(name="c", inputs=("b", "a"), scale=0.07, multipliers=(46811, 46811), shift=16, low=0),
        product(rng, "d", "c", 5, 8, window=HALF),
        AvgPool(name="e", inputs=("d",), scale=0.05, multiplier=43691, shift=19),
        Flatten(name="f", inputs=("e",), scale=0.05),
        product(rng, "g", "f", 8, 3, length=3, low=-128, metric=metric)))


def residual(layer: Callable[..., Product]) -> Network:
    """Odd sizes, a stride, uneven padding, a residual add, of ``layer(name, source, channels, columns, ...)``."""
    return Network(name="odd", input_shape=(7, 6, 2), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        layer("a", "input", 2, 5, window=SAME), layer("b", "a", 5, 5, window=SAME, low=-128),
        Add(name="c", inputs=("b", "a"), scale=0.07, multipliers=(46811, 46811), shift=16, low=0),
        layer("d", "c", 5, 7, window=HALF),
        AvgPool(name="e", inputs=("d",), scale=0.05, multiplier=43691, shift=19),
        Flatten(name="f", inputs=("e",), scale=0.05), layer("g", "f", 7, 3, low=-128)))


def images(seed: int, count: int = 5) -> Any:
    """Random inputs of these networks."""
    return np.random.default_rng(seed).integers(0, 256, (count, 7, 6, 2), np.uint8)


def equals_golden(graph: Graph, some: Any) -> None:
    """Every value of evaluation mode is the golden model's."""
    wanted = golden.run(graph.eval().export(), some)
    for name, value in graph.values(tensor(some, 1 / 255)).items():
        assert np.array_equal(as_golden(value), wanted[name]), name


def learn_brightness(graph: Graph, steps: int = 30, rate: float = 0.01) -> Any:
    """Train for some steps, in which the loss must fall by a twentieth; what was trained on."""
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    labels = torch.from_numpy(rng.integers(0, 3, 32))
    some = (rng.integers(0, 80, (32, 7, 6, 2)) + 85 * labels.numpy()[:, None, None, None]).astype(np.uint8)
    x, losses = tensor(some, 1 / 255), []
    optimiser = torch.optim.Adam(graph.groups(rate=rate))
    graph.train()
    for _ in range(steps):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(graph(x), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert min(losses) < 0.95 * losses[0], losses  # of so small a network with one bit a weight it may jump again
    return some


def idx(path: Path, values: np.ndarray) -> None:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def striped(folder: Path, count: int) -> None:
    """A data set that can be learnt: the label is the brightest pair of rows."""
    (folder / "fashion-mnist").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        labels = rng.integers(0, 10, count)
        images = rng.integers(0, 60, (count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 4:2 * label + 6] += 180
        idx(folder / "fashion-mnist" / f"{part}-images-idx3-ubyte.gz", images)
        idx(folder / "fashion-mnist" / f"{part}-labels-idx1-ubyte.gz", labels)

"""Networks with random weights and sane scales: the shapes of published ones, for timing and simulation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import golden, products
from .codings import Nearest
from .network import Add, AvgPool, Flatten, MaxPool, Network, Node, Window
from .requantise import fixed_point, shared_shift

__all__ = ["resnet18"]

ENTRIES = 16
SPREAD = 3.0  # standard deviations of a layer's sums that its int8 outputs hold
PIXELS = 1 << 15  # of the noise images that set scales and centroids, at least
JITTER = 8  # moves centroids apart: two drawn sub-vectors may be the same


class _Builder:
    """Nodes so far and their values on a few noise images, from which each scale follows."""

    def __init__(self, seed: int, scheme: str, size: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.scheme = scheme
        images = (-(-PIXELS // size**2), size, size, 3)
        noise = np.clip(np.rint(self.rng.normal(0, 127 / SPREAD, images)), -128, 127).astype(np.int8)
        self.values, self.scales, self.nodes = {"input": noise}, {"input": SPREAD / 127}, list[Node]()

    def add(self, node: Node) -> str:
        """Append a node; its name."""
        self.nodes.append(node)
        self.values[node.name] = golden.evaluate(node, *(self.values[name] for name in node.inputs))
        self.scales[node.name] = node.scale
        return node.name

    def _centroids(self, columns: NDArray[np.int8], length: int) -> NDArray[np.int8]:
        """Sub-vectors that the sample holds, or some close to them, other ones for each codebook."""
        vectors = products.pieces(columns, length)
        places = self.rng.integers(vectors.shape[2], size=(len(vectors), ENTRIES, 1))
        drawn = np.take_along_axis(vectors.transpose(0, 2, 1), places, axis=1).astype(np.int64)
        moved = drawn + self.rng.integers(-JITTER, JITTER, drawn.shape, endpoint=True)
        return np.clip(moved, -128, 127).astype(np.int8)

    def product(self, name: str, source: str, columns: int, length: int, window: Window | None = None,
                low: int = -128) -> str:
        """A layer of ``columns`` outputs with He-initialised weights."""
        rows = golden.windows(self.values[source], window)
        weight = self.rng.normal(0, np.sqrt(2 / len(rows)), (len(rows), columns))
        bias = self.rng.normal(0, 0.1, columns)
        given = self.scales[source]
        common: dict[str, Any] = {"low": low, "window": window}
        scale = SPREAD / 127 * float(np.std((rows.T * given) @ weight + bias))
        if self.scheme == "int8":
            return self.add(products.dense(name, source, weight, bias, input_scale=given, scale=scale, **common))
        centroids = self._centroids(rows, length)
        tables = products.plain_tables(weight, centroids, given)
        return self.add(products.lookup(name, source, tables, bias, Nearest(centroids), reduction=len(rows),
                                        scale=scale, **common))

    def conv(self, name: str, source: str, columns: int, kernel: int, length: int, *, stride: int = 1,
             low: int = -128) -> str:
        """A square convolution, padded to keep the size of an image at stride 1."""
        window = Window(kernel=(kernel, kernel), stride=(stride, stride), padding=(kernel // 2,) * 4)
        return self.product(name, source, columns, length, window, low)

    def residual(self, name: str, one: str, other: str) -> str:
        """A rectified sum."""
        given = [self.scales[one], self.scales[other]]
        scale = float(np.hypot(given[0], given[1]))
        multipliers, shift = shared_shift(*(value / scale for value in given))
        return self.add(Add(name=name, inputs=(one, other), scale=scale, low=0, shift=shift,
                            multipliers=(multipliers[0], multipliers[1])))

    def pool(self, name: str, source: str, size: int) -> str:
        """The mean of a whole image of ``size x size``."""
        mean = self.values[source].mean(axis=(1, 2)) * self.scales[source]
        scale = float(mean.max()) / 127
        multiplier, shift = fixed_point(self.scales[source] / (scale * size * size))
        return self.add(AvgPool(name=name, inputs=(source,), scale=scale, low=0, multiplier=int(multiplier),
                                shift=int(shift)))


def _block(net: _Builder, name: str, source: str, columns: int, stride: int) -> str:
    """Two 3 x 3 convolutions and the sum with their input, which a strided block brings to its shape."""
    first = net.conv(f"{name}.conv1", source, columns, 3, 9, stride=stride, low=0)
    if stride > 1:
        window = Window(kernel=(1, 1), stride=(stride, stride))
        source = net.product(f"{name}.downsample", source, columns, 4, window)
    return net.residual(f"{name}.add", net.conv(f"{name}.conv2", first, columns, 3, 9), source)


def resnet18(seed: int = 0, *, size: int = 224, scheme: str = "lut-nn", classes: int = 1000) -> Network:
    """ResNet-18 for images of ``size x size`` with random weights, in the shapes of ``workloads.resnet18``.

    Scales (and centroids) come from a run on noise, so that few activations saturate. ``scheme`` is ``lut-nn`` (16
    entries, L2, sub-vectors of 7 in the stem, 9 in 3 x 3 windows, 4 elsewhere) or ``int8``.
    """
    if scheme not in ("lut-nn", "int8"):
        raise ValueError(f"scheme must be lut-nn or int8, not {scheme}")
    net = _Builder(seed, scheme, size)
    x = net.conv("conv1", "input", 64, 7, 7, stride=2, low=0)
    window = Window(kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))
    x = net.add(MaxPool(name="maxpool", inputs=(x,), scale=net.scales[x], low=0, window=window))
    for stage, columns in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            x = _block(net, f"layer{stage}.{block}", x, columns, 2 if stage > 1 and block == 0 else 1)
    side = -(-size // 32)
    pooled = net.pool("avgpool", x, side)
    return _finished(net, pooled, seed, (size, size, 3), classes)


def _finished(net: _Builder, pooled: str, seed: int, shape: tuple[int, int, int], classes: int) -> Network:
    flat = net.add(Flatten(name="flatten", inputs=(pooled,), scale=net.scales[pooled], low=0))
    net.product("fc", flat, classes, 4)
    provenance: dict[str, Any] = {"weights": "random", "seed": seed, "scheme": net.scheme}
    return Network(name="resnet18", input_shape=shape, input_scale=net.scales["input"], nodes=tuple(net.nodes),
                   provenance=provenance)

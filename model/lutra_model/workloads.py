"""Workloads by shape: product layers and the number of different scalars each one reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from .network import Network, Window
from .params import Layer

__all__ = ["WORKLOADS", "Work", "bert_base", "of_network", "resnet18", "total_macs"]


@dataclass(frozen=True)
class Work:
    """One product layer; ``inputs`` counts the different scalars that its windows are made of."""

    layer: Layer
    inputs: int

    def as_dense(self) -> "Work":
        """The multiplying twin."""
        return Work(self.layer.as_dense(), self.inputs)


def of_network(network: Network, batch: int = 1) -> tuple[Work, ...]:
    """The product layers of a network for a batch of inputs."""
    inputs = [batch * prod(network.shapes[node.inputs[0]]) for node in network.products]
    return tuple(Work(layer, count) for layer, count in zip(network.layers(batch), inputs, strict=True))


def _lookup(name: str, rows: int, reduction: int, columns: int, length: int) -> Layer:
    return Layer(name=name, rows=rows, codebooks=-(-reduction // length), columns=columns, length=length,
                 entries=16, reduction=reduction)


class _Convolutions:
    """Square convolutions, one after the other."""

    def __init__(self, size: int, channels: int) -> None:
        self.size, self.channels = size, channels
        self.works: list[Work] = []

    def add(self, name: str, columns: int, kernel: int, length: int, stride: int = 1, padding: int = 0) -> int:
        """Append one convolution of the current image; the side of its output."""
        window = Window(kernel=(kernel, kernel), stride=(stride, stride), padding=(padding,) * 4)
        side, _ = window.output(self.size, self.size)
        layer = _lookup(name, side * side, self.channels * kernel * kernel, columns, length)
        read = side if kernel < stride else self.size  # a window smaller than its stride skips scalars
        self.works.append(Work(layer, self.channels * read * read))
        return side


def resnet18() -> tuple[Work, ...]:
    """ResNet-18 at 224 x 224, one image: 21 product layers, 1.8141 GMAC.

    Sub-vectors are one 3 x 3 window of a channel (9), a row of the 7 x 7 window (7), or 4 channels (1 x 1 and
    linear).
    """
    net = _Convolutions(224, 3)
    net.size = net.add("conv1", 64, 7, 7, stride=2, padding=3) // 2  # the max pooling halves it
    net.channels = 64
    for stage, columns in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            stride = 2 if stage > 1 and block == 0 else 1
            side = net.add(f"layer{stage}.{block}.conv1", columns, 3, 9, stride=stride, padding=1)
            if stride == 2:
                net.add(f"layer{stage}.{block}.downsample", columns, 1, 4, stride=2)
            net.size, net.channels = side, columns
            net.add(f"layer{stage}.{block}.conv2", columns, 3, 9, padding=1)
    net.works.append(Work(_lookup("fc", 1, 512, 1000, 4), 512))
    return tuple(net.works)


def bert_base(tokens: int = 128) -> tuple[Work, ...]:
    """BERT-base: query, key, value, output and the two feed-forward products of 12 layers.

    Attention scores and their weighted sums multiply two activations: there is no weight to build a table
    from, so they stay outside, for both machines alike. Sub-vectors have 8 scalars: the longest length that
    divides every reduction and fits a machine made for 3 x 3 windows (9).
    """
    works = []
    for index in range(12):
        for name, reduction, columns in [("query", 768, 768), ("key", 768, 768), ("value", 768, 768),
                                         ("output", 768, 768), ("ffn1", 768, 3072), ("ffn2", 3072, 768)]:
            layer = _lookup(f"layer{index}.{name}", tokens, reduction, columns, 8)
            works.append(Work(layer, tokens * reduction))
    return tuple(works)


def total_macs(works: Iterable[Work]) -> int:
    """Multiply-accumulates of the dense products."""
    return sum(work.layer.macs for work in works)


WORKLOADS = {"ResNet-18, 224 x 224": resnet18, "BERT-base, 128 tokens": bert_base}

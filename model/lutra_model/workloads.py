"""Workloads by shape: the products, pools and inputs of a network, without its numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

from . import tiling
from .layout import packed
from .network import (
    Add,
    AvgPool,
    Clamp,
    Function,
    LayerNorm,
    MatMul,
    MaxPool,
    Network,
    Node,
    Product,
    RowSoftmax,
    Shape,
    Window,
    placement,
)
from .operation import Operation
from .params import Array, Layer
from .values import image_of

__all__ = ["WORKLOADS", "Work", "bert_base", "of_network", "resnet18", "total_macs"]

AMPLE = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Work:
    """One step of a network, on an image of ``height x width`` pixels of so many channels.

    Parameters
    ----------
    layer : shape of a product, of one of its groups; None for a pool and for the network's input.
    window : of a product or pool; None: the input comes from the stream.
    maximum : a pool takes the largest value, not the mean; a row is a softmax, not a norm.
    row : a softmax or norm of the channels of every pixel.
    functions : that it looks up.
    residual : a value from memory is added to the results.
    output : the results leave by the stream.
    groups : so many equal products on different channels, one after the other; ``channels`` are those of one.
    times : so many equal steps of a network, one after the other.
    fresh : its tables are values of the input: they come from the stream, whatever the memories hold.
    """

    name: str
    layer: Layer | None = None
    height: int = 1
    width: int = 1
    channels: int
    window: Window | None = tiling.PIXEL
    maximum: bool = False
    residual: bool = False
    output: bool = False
    groups: int = 1
    row: bool = False
    functions: int = 0
    times: int = 1
    fresh: bool = False

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense products."""
        return self.times * self.groups * self.layer.macs if self.layer else 0

    @property
    def values(self) -> int:
        """Values that the step reads or, where they are more, makes."""
        window = self.window or tiling.PIXEL
        outputs = self.layer.columns if self.layer else self.channels
        return self.groups * max(self.height * self.width * self.channels,
                                 prod(window.output(self.height, self.width)) * outputs)

    @property
    def has_tables(self) -> bool:
        """Whether table beats come with it: tables, or a norm's parameters alone."""
        return self.layer is not None or (self.row and not self.maximum)

    def as_dense(self, engine: str = "mac") -> "Work":
        """The twin that multiplies, or does what another engine of one weight for each scalar does."""
        return replace(self, layer=self.layer and replace(self.layer.as_dense(), engine=engine))

    def operation(self, array: Array, *, stream_tables: bool = False, block: int | None = None) -> Operation:
        """The operation of one group on a machine whose memories, but for index and accumulators, are large enough.

        Streamed tables come once for each block, so that a layer is then cut into as few blocks as can be. ``block``:
        rows of a product's blocks, where they are not chosen.
        """
        if self.functions > array.functions:
            raise ValueError(f"step {self.name} needs function slots {self.functions}, the array has {array.functions}")
        large = replace(array, codebooks=AMPLE, activation_words=AMPLE, table_words=AMPLE, codebook_words=AMPLE,
                        program_words=AMPLE)
        shape = replace(self, name="", layer=self.layer and replace(self.layer, name=""))
        return replace(_operation(shape, large, stream_tables, block), name=self.name, function=min(self.functions, 1),
                       second=2 if self.functions > 1 else 0)


@lru_cache(maxsize=1 << 14)
def _operation(work: Work, array: Array, stream_tables: bool, block: int | None) -> Operation:
    image: dict[str, Any] = {"height": work.height, "width": work.width}
    if work.window is None:
        return tiling.load(work.name, work.channels, array, **image)
    out = work.window.output(work.height, work.width)
    addend = None
    if work.residual:
        columns = work.layer.columns if work.layer else work.channels
        addend = tiling.Addend(source=packed(*out, columns, array, side=1), own_factor=1, factor=1, shift=1)
    if work.row:
        return tiling.row(work.name, work.channels, array, softmax=work.maximum, addend=addend,
                          to_stream=work.output, stream_tables=stream_tables, **image)
    if work.layer is None:
        return tiling.pool(work.name, work.channels, array, window=work.window, maximum=work.maximum, addend=addend,
                           to_stream=work.output, **image)
    image |= {"window": work.window, "addend": addend, "to_stream": work.output, "stream_tables": stream_tables}
    if block or not stream_tables or array.cell.vector:
        return tiling.product(work.layer, work.channels, array, **image, block=block)
    found = tiling.product(work.layer, work.channels, array, **image, block=1)
    blocks = -(-found.rows // min(array.block_rows, array.index_words // found.row_tiles))
    return tiling.product(work.layer, work.channels, array, block=-(-found.rows // blocks), **image)


def _work(network: Network, node: Node) -> Work | None:
    """The step of a node that needs one of its own."""
    shape = network.shapes[node.inputs[0]]
    height, width, channels = image_of(shape)
    common: dict[str, Any] = {"name": node.name, "height": height, "width": width, "channels": channels}
    match node:
        case Product():
            layer = replace(node.layer(node.rows(shape)), name=node.name)
            return Work(**common | {"channels": channels // node.groups}, layer=layer, groups=node.groups,
                        window=node.window or tiling.PIXEL, functions=1 if node.function else 0)
        case MatMul():
            rows, reduction, columns = node.sizes(*(network.shapes[name] for name in node.inputs))
            layer = Layer.dense(name=node.name, rows=rows, reduction=reduction, columns=columns)
            return Work(name=node.name, width=rows, channels=reduction, layer=layer, groups=node.heads, fresh=True)
        case MaxPool():
            return Work(**common, window=node.window, maximum=True)
        case AvgPool():
            return Work(**common, window=node.window or Window(kernel=(height, width)))
        case Clamp():
            return Work(**common, maximum=True)
        case Function():
            return Work(**common, maximum=True, functions=1)
        case RowSoftmax() | LayerNorm():
            return Work(**common, maximum=isinstance(node, RowSoftmax), row=True, functions=len(node.functions))
    return None


def _host(works: list[Work], node: Node, shape: Shape) -> list[Work]:
    """A node that the host computes: what it reads leaves the machine, what it makes comes back."""
    height, width, channels = image_of(shape)
    back = Work(name=node.name, height=height, width=width, channels=channels, window=None)
    if works[-1].window is None:
        return [*works[:-1], back]
    return [*works[:-1], replace(works[-1], output=True), back]


def of_network(network: Network) -> tuple[Work, ...]:
    """The steps of a network for one input: an add is part of the product or pool that makes its later operand.

    Of a node that the host computes only the traffic is a step; concatenations and flattenings cost nothing.
    """
    height, width, channels = image_of(network.input_shape)
    works = [Work(name="input", height=height, width=width, channels=channels, window=None)]
    for node in network.nodes:
        if placement(node) == "host":
            works = _host(works, node, network.shapes[node.name])
        elif isinstance(node, Add):
            places = [place for place, work in enumerate(works)
                      if work.name in node.inputs and work.window and not work.residual]
            if places:
                works[places[-1]] = replace(works[places[-1]], residual=True)
            else:
                size = image_of(network.shapes[node.name])
                works.append(Work(name=node.name, height=size[0], width=size[1], channels=size[2], maximum=True,
                                  residual=True))
        elif work := _work(network, node):
            works.append(work)
    return (*works[:-1], replace(works[-1], output=True))


def _lookup(name: str, rows: int, reduction: int, columns: int, length: int) -> Layer:
    return Layer(name=name, rows=rows, codebooks=-(-reduction // length), columns=columns, length=length,
                 entries=16, reduction=reduction)


class _Convolutions:
    """Square convolutions, one after the other."""

    def __init__(self, size: int, channels: int) -> None:
        self.size, self.channels = size, channels
        self.works = [Work(name="input", height=size, width=size, channels=channels, window=None)]

    def add(self, name: str, columns: int, kernel: int, length: int, stride: int = 1, padding: int = 0,
            residual: bool = False) -> int:
        """Append one convolution of the current image; the side of its output."""
        window = Window(kernel=(kernel, kernel), stride=(stride, stride), padding=(padding,) * 4)
        side, _ = window.output(self.size, self.size)
        layer = _lookup(name, side * side, self.channels * kernel * kernel, columns, length)
        self.works.append(Work(name=name, layer=layer, height=self.size, width=self.size, channels=self.channels,
                               window=window, residual=residual))
        return side

    def pool(self, name: str, window: Window, maximum: bool) -> None:
        """Append a pool, and go on with its output."""
        self.works.append(Work(name=name, height=self.size, width=self.size, channels=self.channels, window=window,
                               maximum=maximum))
        self.size, _ = window.output(self.size, self.size)


def resnet18() -> tuple[Work, ...]:
    """ResNet-18 at 224 x 224, one image: 21 product layers, 1.8141 GMAC; two pools, eight residual adds.

    Sub-vectors are one 3 x 3 window of a channel (9), a row of the 7 x 7 window (7), or 4 channels (1 x 1 and
    linear).
    """
    net = _Convolutions(224, 3)
    net.size = net.add("conv1", 64, 7, 7, stride=2, padding=3)
    net.channels = 64
    net.pool("maxpool", Window(kernel=(3, 3), stride=(2, 2), padding=(1,) * 4), maximum=True)
    for stage, columns in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            stride = 2 if stage > 1 and block == 0 else 1
            side = net.add(f"layer{stage}.{block}.conv1", columns, 3, 9, stride=stride, padding=1)
            if stride == 2:
                net.add(f"layer{stage}.{block}.downsample", columns, 1, 4, stride=2)
            net.size, net.channels = side, columns
            net.add(f"layer{stage}.{block}.conv2", columns, 3, 9, padding=1, residual=True)
    net.pool("avgpool", Window(kernel=(7, 7)), maximum=False)
    net.works.append(Work(name="fc", layer=_lookup("fc", 1, 512, 1000, 4), channels=512, output=True))
    return tuple(net.works)


def bert_base(tokens: int = 128) -> tuple[Work, ...]:
    """BERT-base: query, key, value, output and the two feed-forward products of 12 layers.

    Attention scores and their weighted sums multiply two activations: there is no weight to build a table
    from, so they stay outside, for both machines alike, as do normalisation and activation functions. Sub-vectors
    have 8 scalars: the longest length that divides every reduction and fits a machine made for 3 x 3 windows (9).
    """
    works = []
    for index in range(12):
        for name, reduction, columns in [("query", 768, 768), ("key", 768, 768), ("value", 768, 768),
                                         ("output", 768, 768), ("ffn1", 768, 3072), ("ffn2", 3072, 768)]:
            layer = _lookup(f"layer{index}.{name}", tokens, reduction, columns, 8)
            works.append(Work(name=layer.name, layer=layer, width=tokens, channels=reduction,
                              residual=name in ("output", "ffn2")))
    return tuple(works)


def total_macs(works: Iterable[Work]) -> int:
    """Multiply-accumulates of the dense products."""
    return sum(work.macs for work in works)


WORKLOADS = {"ResNet-18, 224 x 224": resnet18, "BERT-base, 128 tokens": bert_base}

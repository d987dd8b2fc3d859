"""A network as parts that a machine runs and nodes that the host computes between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from .attention import MatMul
from .heads import head_inputs, one_head
from .network import Channels, Concat, Flatten, Network, Node
from .params import Array
from .support import refusal

__all__ = ["Segment", "head_segment", "segments"]

Int8 = NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """Some nodes that run one after the other.

    Parameters
    ----------
    nodes : as they are in the whole network; one of the host's, or those that a machine runs.
    network : the same nodes as a network of their own, for the machine; None on the host.
    sources : values of the whole network whose channels, side by side, are the input of ``network``.
    output : the value that it makes for others.
    heads : 0, or the heads of attention that ``network`` runs for, one after the other; it has weights of 0, the
        table stream of each run brings those of this input.
    """

    nodes: tuple[Node, ...]
    network: Network | None
    sources: tuple[str, ...]
    output: str
    heads: int = 0

    @property
    def source(self) -> str:
        """The names of its sources as one."""
        return " + ".join(self.sources)

    def inputs(self, values: Mapping[str, Int8]) -> Int8:
        """What ``network`` reads, of the whole network's values; of attention, one head after the other."""
        if self.heads:
            return head_inputs(self.nodes, values)
        if len(self.sources) == 1:
            return values[self.sources[0]]
        return np.concatenate([values[name] for name in self.sources], axis=-1)


def _sources(network: Network, nodes: Sequence[Node], later: Sequence[Node], array: Array) -> tuple[str, ...]:
    """The values that the nodes read from outside, where only their last value is read there; else none.

    Several values must be images of one size, in whole words of channels.
    """
    names = {node.name for node in nodes}
    outside = tuple(dict.fromkeys(name for node in nodes for name in node.inputs if name not in names))
    seen = {name for node in later for name in node.inputs} & names
    shapes = [network.shapes[name] for name in outside]
    several = len(outside) > 1 and (len({shape[:-1] for shape in shapes}) > 1
                                    or any(shape[-1] % array.word for shape in shapes[:-1]))
    return outside if seen <= {nodes[-1].name} and not several else ()


def _parts(network: Network, sources: tuple[str, ...]) -> list[Node]:
    """The sources as channels of the input, each under its own name."""
    counts = [network.shapes[name][-1] for name in sources]
    return [Channels(name=f"{name} in", inputs=("input",), scale=network.scale(name), first=first, count=count)
            for name, first, count in zip(sources, accumulate(counts, initial=0), counts, strict=False)]


def _machine(network: Network, nodes: tuple[Node, ...], sources: tuple[str, ...]) -> Segment:
    parts = _parts(network, sources) if len(sources) > 1 else []
    names = {name: part.name for name, part in zip(sources, parts, strict=True)} if parts else {sources[0]: "input"}
    own = tuple(replace(node, inputs=tuple(names.get(name, name) for name in node.inputs)) for node in nodes)
    whole = sources == ("input",) and nodes[-1].name == network.nodes[-1].name
    shape = network.shapes[sources[0]]
    part = Network(name=network.name if whole else f"{network.name}: {nodes[0].name} to {nodes[-1].name}",
                   input_shape=(*shape[:-1], sum(network.shapes[name][-1] for name in sources)),
                   input_scale=network.scale(sources[0]), nodes=(*parts, *own),
                   pixel_scale=network.pixel_scale if sources == ("input",) else None,
                   classes=network.classes if nodes[-1].name == network.nodes[-1].name else ())
    return Segment(nodes=nodes, network=part, sources=sources, output=nodes[-1].name)


def _longest(network: Network, start: int, end: int, array: Array) -> tuple[int, tuple[str, ...]] | None:
    """Where the longest part from ``start`` ends that has one output, and its inputs."""
    for stop in range(end, start, -1):
        nodes = network.nodes[start:stop]
        sources = _sources(network, nodes, network.nodes[stop:], array)
        if sources and any(not isinstance(node, Channels | Concat | Flatten) for node in nodes):
            return stop, sources
    return None


def head_segment(network: Network, start: int, array: Array, most: int = 3) -> Segment | None:
    """Attention from the product at ``start`` on, head by head; None where the array does not run it.

    Scores, their normalisation and the context are one segment where nothing else reads what lies between, and at
    ``most`` so many nodes are asked for.
    """
    for stop in (start + 3, start + 1) if most > 1 else (start + 1,):
        nodes = network.nodes[start:stop]
        readers = [name for node in network.nodes for name in node.inputs]
        chained = all(later.inputs[0] == node.name and readers.count(node.name) == 1
                      for node, later in pairwise(nodes))
        if len(nodes) in (1, 3) and chained and isinstance(nodes[-1], MatMul) and \
                (part := one_head(network, nodes, array)):
            sources = tuple(dict.fromkeys(name for node in nodes for name in node.inputs
                                          if name not in {other.name for other in nodes}))
            return Segment(nodes=nodes, network=part, sources=sources, output=nodes[-1].name, heads=nodes[-1].heads)
    return None


def segments(network: Network, array: Array) -> tuple[Segment, ...]:
    """The fewest parts, each as long as it can be; a network that the machine runs wholly is a single one."""
    runs = [refusal(node, [network.shapes[name] for name in node.inputs], array) is None for node in network.nodes]
    found, start = list[Segment](), 0
    while start < len(runs):
        end, node = start, network.nodes[start]
        while end < len(runs) and runs[end]:
            end += 1
        longest = _longest(network, start, end, array)
        heads = head_segment(network, start, array) if isinstance(node, MatMul) else None
        if longest:
            found.append(_machine(network, network.nodes[start:longest[0]], longest[1]))
        else:
            found.append(heads or Segment(nodes=(node,), network=None, sources=node.inputs, output=node.name))
        start += len(found[-1].nodes)
    return tuple(found)

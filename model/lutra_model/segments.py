"""A network as parts that a machine runs and nodes that the host computes between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .network import Concat, Flatten, Network, Node
from .params import Array
from .support import refusal

__all__ = ["Segment", "segments"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """Some nodes that run one after the other.

    Parameters
    ----------
    nodes : as they are in the whole network; one of the host's, or those that a machine runs.
    network : the same nodes as a network of their own, for the machine; None on the host.
    source : the value of the whole network that is the input of ``network``, and the only one it needs.
    output : the value that it makes for others.
    """

    nodes: tuple[Node, ...]
    network: Network | None
    source: str
    output: str


def _source(nodes: Sequence[Node], later: Sequence[Node]) -> str | None:
    """The one value that the nodes read from outside, where only their last value is read there; else None."""
    names = {node.name for node in nodes}
    outside = {name for node in nodes for name in node.inputs} - names
    seen = {name for node in later for name in node.inputs} & names
    return next(iter(outside)) if len(outside) == 1 and seen <= {nodes[-1].name} else None


def _machine(network: Network, nodes: tuple[Node, ...], source: str) -> Segment:
    own = tuple(replace(node, inputs=tuple("input" if name == source else name for name in node.inputs))
                for node in nodes)
    whole = source == "input" and nodes[-1].name == network.nodes[-1].name
    part = Network(name=network.name if whole else f"{network.name}: {nodes[0].name} to {nodes[-1].name}",
                   input_shape=network.shapes[source], input_scale=network.scale(source), nodes=own,
                   pixel_scale=network.pixel_scale if source == "input" else None,
                   classes=network.classes if nodes[-1].name == network.nodes[-1].name else ())
    return Segment(nodes=nodes, network=part, source=source, output=nodes[-1].name)


def _longest(network: Network, start: int, end: int) -> tuple[int, str] | None:
    """Where the longest part from ``start`` ends that has one input and one output, and its input."""
    for stop in range(end, start, -1):
        nodes = network.nodes[start:stop]
        source = _source(nodes, network.nodes[stop:])
        if source and any(not isinstance(node, Concat | Flatten) for node in nodes):
            return stop, source
    return None


def segments(network: Network, array: Array) -> tuple[Segment, ...]:
    """The fewest parts, each as long as it can be; a network that the machine runs wholly is a single one."""
    runs = [refusal(node, [network.shapes[name] for name in node.inputs], array) is None for node in network.nodes]
    found, start = list[Segment](), 0
    while start < len(runs):
        end = start
        while end < len(runs) and runs[end]:
            end += 1
        longest = _longest(network, start, end)
        if longest:
            found.append(_machine(network, network.nodes[start:longest[0]], longest[1]))
            start = longest[0]
        else:
            node = network.nodes[start]
            found.append(Segment(nodes=(node,), network=None, source=node.inputs[0], output=node.name))
            start += 1
    return tuple(found)

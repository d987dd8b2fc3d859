"""A network as stages: programs for the machines, and nodes that the host computes between them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.attention import MatMul
from lutra_model.heads import CARRIERS, head_outputs, head_tables
from lutra_model.latency import NetworkLatency, network_latency
from lutra_model.network import Network, Node, Product
from lutra_model.params import Array
from lutra_model.program import Program, compile_network
from lutra_model.segments import Segment, head_segment, segments

__all__ = ["Arrays", "Stage", "stages"]

Arrays = Mapping[str, Array]  # an array for each scheme, lut-nn and int8
Int8 = NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """Some nodes that run one after the other, on one machine or on the host.

    Parameters
    ----------
    segment : the nodes, and what they read and make.
    scheme, program : the machine's scheme and its program, None on the host.
    """

    segment: Segment
    scheme: str | None = None
    program: Program | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """As they are in the whole network."""
        return self.segment.nodes

    @property
    def source(self) -> str:
        """The values of the network that a machine takes, as one name."""
        return self.segment.source

    @property
    def output(self) -> str:
        """The value that is made."""
        return self.segment.output

    @property
    def runs(self) -> int:
        """Runs of the program for one input."""
        return max(1, self.segment.heads)

    def latency(self, inputs: int = 1, table_period: int = 1) -> NetworkLatency:
        """What the latency model says of so many inputs."""
        assert self.program is not None
        return network_latency(self.program.operations, self.program.array, runs=inputs * self.runs,
                               table_period=table_period)

    def tables(self, values: Mapping[str, Int8]) -> NDArray[np.uint8] | None:
        """The table stream of all runs, where it is not the program's own."""
        assert self.program is not None
        return head_tables(self.program, self.nodes, values) if self.segment.heads else None

    def made(self, outputs: Int8) -> Int8:
        """The value that the runs' outputs are."""
        return head_outputs(self.nodes, outputs) if self.segment.heads else outputs

    def evaluate(self, values: Mapping[str, Int8]) -> Int8:
        """What the golden model makes of the values so far, on the host."""
        (node,) = self.nodes
        return golden.evaluate(node, *(values[name] for name in node.inputs))


def _stage(segment: Segment, scheme: str, array: Array, resident: bool | None) -> Stage:
    assert segment.network is not None
    return Stage(segment=segment, scheme=scheme, program=compile_network(
        segment.network, array, resident=False if segment.heads else resident))


def _alone(network: Network, node: Product, array: Array, resident: bool | None) -> Stage | None:
    """A product on a machine of its own scheme, or None where that cannot run it."""
    (source,) = node.inputs
    single = Network(name=f"{network.name}: {node.name}", input_shape=network.shapes[source],
                     input_scale=network.scale(source), nodes=(replace(node, inputs=("input",)),))
    (segment,) = segments(single, array)
    if segment.network is None:
        return None
    segment = replace(segment, nodes=(node,), sources=(source,))
    return _stage(segment, node.scheme, array, resident)


def _beside(network: Network, parts: Sequence[Segment], arrays: Arrays) -> Stage | None:
    """Attention on another machine than the network's own, the first whose cells hold the values of an input.

    It takes the first of the parts, or as many as it can and as they end together.
    """
    start = network.nodes.index(parts[0].nodes[0])
    ends = list(accumulate(len(part.nodes) for part in parts))
    for scheme, array in arrays.items():
        if array.engine in CARRIERS:
            for most in (3, 1):
                segment = head_segment(network, start, array, most)
                if segment and len(segment.nodes) in ends:
                    return _stage(segment, scheme, array, None)
    return None


def _cut(network: Network, arrays: Arrays, resident: bool | None) -> Iterator[Stage]:
    """The machine of the first product takes all that it can; other products run alone."""
    scheme = next((node.scheme for node in network.products), next(iter(arrays)))
    parts, done = segments(network, arrays[scheme]), set[str]()
    for number, segment in enumerate(parts):
        node, stage = segment.nodes[0], None
        if node.name in done:
            continue
        if segment.network is not None:
            stage = _stage(segment, scheme, arrays[scheme], resident)
        elif isinstance(node, Product):
            stage = _alone(network, node, arrays[node.scheme], resident)
        elif isinstance(node, MatMul):
            stage = _beside(network, parts[number:], arrays)
        stage = stage or Stage(segment=segment)
        done.update(node.name for node in stage.nodes)
        yield stage


def stages(network: Network, arrays: Arrays, *, resident: bool | None = None) -> tuple[Stage, ...]:
    """The network cut for the machines.

    Raises ``ValueError`` when there is no array for a scheme that a product layer uses, or a machine cannot hold its
    part.
    """
    for scheme in dict.fromkeys(node.scheme for node in network.products):
        if scheme not in arrays:
            raise ValueError(f"network {network.name} needs an array for scheme {scheme}, "
                             f"there are arrays for {', '.join(arrays) or 'none'}")
    return tuple(_cut(network, arrays, resident))

"""What is wrong with the tables that a network holds."""

from collections.abc import Iterator
from typing import NamedTuple

from ..function_nodes import LayerNorm, RowSoftmax
from ..network import Network, Node, Product
from ..piecewise import Piecewise
from . import integers

__all__ = ["Held", "held"]


class Held(NamedTuple):
    """A table of a node: what it stands for, and what is wrong with it, segment by segment."""

    node: str
    role: str
    table: Piecewise
    problems: tuple[str, ...]


def _roles(node: Node) -> tuple[tuple[str, bool | None], ...]:
    """What each of a node's tables stands for, and whether that only rises, only falls, or is not known to."""
    match node:
        case RowSoftmax():
            return ("exponential", True), ("reciprocal", False)
        case LayerNorm():
            return (("1/sqrt", False),)
    return (("function", None),)


def _tables(node: Node) -> tuple[Piecewise, ...]:
    if isinstance(node, Product):
        return (node.function,) if node.function else ()
    found: tuple[Piecewise, ...] = getattr(node, "functions", ())
    return found


def held(network: Network) -> Iterator[Held]:
    """Every table of a network, in the order of its nodes."""
    for node in network.nodes:
        for (role, rising), table in zip(_roles(node), _tables(node), strict=False):
            yield Held(node.name, role, table, tuple(integers.problems(table, rising)))

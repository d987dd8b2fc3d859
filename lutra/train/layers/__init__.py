"""Nodes of a network as PyTorch modules that can be trained. A new coding is a class of its own here.

What a module computes in evaluation mode is what ships: the golden model's integers.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lutra_model import network as kinds
from lutra_model.codings import Plain

from .dense import Dense
from .few_bits import Multiplied, Planes, Ternary
from .glue import Add, Channels, Clamp, Concat, Flatten, Glue, Largest, Pool
from .levels import LevelTable
from .nearest import Lookup
from .product import Product, Tables
from .tree import Tree
from .weights import Weights
from .windows import windows

__all__ = ["CODED", "GLUE", "Dense", "Glue", "LevelTable", "Lookup", "Multiplied", "Planes", "Product", "Tables",
           "Ternary", "Tree", "Weights", "module", "windows"]


def plain(node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> Product:
    """Weights of 8 bits are trained as they lie in the table, fewer bits as real weights with a step."""
    assert isinstance(node.coding, Plain)
    return (Dense if node.coding.bits == 8 else Multiplied)(node, in_scale, weight)


CODED: dict[str, Callable[..., Product]] = {
    "bit-planes": Planes, "levels": LevelTable, "nearest": Lookup, "plain": plain, "sign-flip": Multiplied,
    "tree": Tree, "trits": Ternary}
GLUE: dict[type[kinds.Node], type[Glue]] = {
    kinds.Add: Add, kinds.AvgPool: Pool, kinds.Channels: Channels, kinds.Clamp: Clamp, kinds.Concat: Concat,
    kinds.Flatten: Flatten, kinds.MaxPool: Largest}


def module(node: kinds.Node, in_scale: float, weight: NDArray[np.float64] | None = None) -> nn.Module:
    """The module of a node; ``in_scale`` is the real value of one step of its (first) input.

    ``weight`` are a product's float weights, see :class:`Product`. Raises ``ValueError`` that names the node where
    there is no such module.
    """
    if isinstance(node, kinds.Product) and node.coding.kind in CODED:
        return CODED[node.coding.kind](node, in_scale, weight)
    if type(node) in GLUE:
        return GLUE[type(node)](node)
    what = f"a product of scheme {node.scheme}" if isinstance(node, kinds.Product) else f"a {type(node).__name__}"
    raise ValueError(f"node {node.name} cannot be trained: it is {what}, and there are modules for products of codings "
                     f"{', '.join(CODED)} and for {', '.join(kind.__name__ for kind in GLUE)}")

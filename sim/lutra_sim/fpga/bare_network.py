"""A network whose matrix products run on a bare array, one after the other; the host does all that is between them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.bare import Bare
from lutra_model.codings import Coding
from lutra_model.network import Network
from lutra_model.nodes import Product

from .bare import BareHost

__all__ = ["refusal", "run", "sums"]

Int8 = NDArray[np.int8]
Progress = Callable[[str, int, int], None]


def _parts(node: Product) -> list[tuple[Coding, Int8]]:
    """Coding and table of each group."""
    return list(zip(node.coding.split(node.groups), np.split(node.table, node.groups), strict=True))


def refusal(array: Bare, node: Product) -> str | None:
    """Why the array does not run the layer; None where it does."""
    codebooks, entries = len(node.table) // node.groups, node.coding.entries(node.table)
    if not array.cell.runs(node.layer().engine):
        return f"layer {node.name} must be for a {array.engine} array, not of the scheme {node.scheme}"
    if entries > array.entries:
        return f"layer {node.name} must have tables of at most {array.entries} entries, not {entries}"
    if codebooks > array.codebooks:
        return f"layer {node.name} must have at most {array.codebooks} codebooks, not {codebooks}"
    if array.encoded or array.engine != "lookup":  # a host that encodes may do so by any metric and length
        return node.coding.refusal(node, array)
    return None


def sums(host: BareHost, array: Bare, node: Product, x: Int8) -> NDArray[np.int64]:
    """A layer's sums on the array, int64 ``(rows, columns)``, of its input ``x``, ``(batch, ...)``."""
    rows = golden.ordered(node, golden.windows(x, node.window))
    return np.concatenate([host.product(array, coding, table, rows[number])
                           for number, (coding, table) in enumerate(_parts(node))], axis=1)


def run(host: BareHost, array: Bare, network: Network, inputs: Int8, show: Progress) -> tuple[Int8, list[str]]:
    """The network's output, and the layers that ran on the array; the host computes those that it does not run."""
    values, done = {"input": inputs}, list[str]()
    for number, node in enumerate(network.nodes):
        show(node.name, number, len(network.nodes))
        found = [values[name] for name in node.inputs]
        if isinstance(node, Product) and refusal(array, node) is None:
            made = golden.finish(node, sums(host, array, node, found[0]))
            values[node.name] = made.reshape(len(inputs), *node.shape(found[0].shape[1:]))
            done.append(node.name)
        else:
            values[node.name] = golden.evaluate(node, *found)
    show(network.name, len(network.nodes), len(network.nodes))
    return values[network.nodes[-1].name], done

"""Toggles that the compiled machines count, against words in the order of their issue."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.activity import toggled
from lutra_model.codings import Nearest
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_sim.network import simulate
from tests.sim.activity.machines import COLUMNS, LOOKUP, MAC, images, network

Naive = Callable[[Network, NDArray[np.int8]], int]


def packed(values: Iterable[int], bits: int) -> int:
    """One word of values of so many bits, the first lowest."""
    return sum((value % 2**bits) << bits * place for place, value in enumerate(values))


def issued(net: Network, array: Array) -> Iterator[tuple[int, int, int]]:
    """Column tile, row tile and activation row in the order in which the walker issues them."""
    product, start = compile_network(net, array).operations[1], 0
    for size in product.block_sizes:
        for column in range(product.column_tiles):
            for tile in range(product.row_tiles):
                for row in range(start, start + size):
                    yield column, tile, row
        start += size


def lookup_terms(net: Network, image: NDArray[np.int8]) -> int:
    """Toggles of what cells hand to adder trees: an entry of each of four codebooks, or zeros, in four columns."""
    (node,) = net.products
    pixels = golden.windows(image[None], node.window).T.astype(np.int64)
    assert isinstance(node.coding, Nearest)
    centroids = node.coding.centroids.astype(np.int64)
    indices = [[int(np.argmin(((row[9 * book:9 * book + 9] - centroids[book])**2).sum(axis=1))) for book in range(3)]
               for row in pixels]

    def term(column: int, book: int, row: int) -> int:
        return int(node.table[book, indices[row][book], column]) if book < 3 and column < COLUMNS else 0

    columns = [[packed((term(4 * tile + number, 4 * group + place, row) for place in range(4)), 8)
                for tile, group, row in issued(net, LOOKUP)] for number in range(4)]
    return sum(map(toggled, columns))


def mac_operands(net: Network, image: NDArray[np.int8]) -> int:
    """Toggles of activations at the multipliers: eight channels of a pixel, or zeros."""
    pixels = image.reshape(-1, 12)
    return toggled(packed((int(pixels[row][channel]) if channel < 12 else 0
                           for channel in range(8 * tile, 8 * tile + 8)), 8) for _, tile, row in issued(net, MAC))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("scheme", "port", "naive"), [("lut-nn", "adds.terms", lookup_terms),
                                                       ("int8", "cells.operands", mac_operands)])
def test_toggles_are_those_of_words_in_order_of_issue(scheme: str, port: str, naive: Naive, seed: int) -> None:
    net = network(scheme, seed)
    x = images(net, 3, seed)
    run = simulate(net, x, {"lut-nn": LOOKUP, "int8": MAC}, activity=True, threads=1)
    assert run.bit_exact
    assert run.cycles_exact
    (product,) = (item for item in run.activity if item.kind == "product")
    assert product.activity.ports[port][1] == sum(naive(net, image) for image in x)

"""Random small networks that a machine runs: every kind of node, ragged and blocked, all from a few numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.program import compile_network

from .case import DATA, Case
from .case_nodes import Builder, Integer
from .case_numbers import Numbers

__all__ = ["DATA", "random_case", "random_network"]


def random_network(array: Array, integer: Integer, *, most: int = 5) -> Network:
    """A network that the array can run; ``integer`` draws every choice.

    Raises ``ValueError`` where the draws make one that the array cannot run.
    """
    net = Builder(array, integer)
    kinds = [net.product, net.product, net.product, net.block, net.block, net.maximum, net.average, net.add,
             net.concatenation, net.clamp, net.flatten]
    if array.functions:
        kinds += [net.function, net.function, net.softmax, net.norm, net.norm, net.row, net.row]
    for _ in range(integer(1, most)):
        kinds[integer(0, len(kinds) - 1)]()
    if not net.nodes:
        net.product()
    if not net.nodes:
        raise ValueError("the draws must make a node")
    network = Network(name="random", input_shape=net.shapes["input"], input_scale=1.0, nodes=tuple(net.nodes))
    compile_network(network, array)
    return network


def random_inputs(network: Network, count: int, data: str, seed: int) -> NDArray[np.int8]:
    """Inputs ``(count, *input_shape)`` of a kind of data."""
    return Numbers(data, seed).int8(count, *network.input_shape)


def random_case(array: Array, seed: int, *, stalls: bool = False) -> Case:
    """A network with data of every kind; with stalls, or with streams of various periods."""
    rng = np.random.default_rng((seed, array.rows, array.columns, array.encoders))

    def integer(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    while True:
        try:
            network = random_network(array, integer)
            break
        except ValueError:
            continue
    inputs = random_inputs(network, integer(1, 3), DATA[max(0, integer(-9, len(DATA) - 1))], seed)
    resident = (None, False)[integer(0, 1)]
    gather = (None, True, False)[integer(0, 2)] if array.gather else None
    how: dict[str, Any] = {"resident": resident, "gather": gather, "seed": seed}
    if stalls:
        return Case(array=array, network=network, inputs=inputs, stalls=seed, **how)
    periods = rng.choice([1, 1, 1, 2, 3, 5, 8], 2).tolist()
    return Case(array=array, network=network, inputs=inputs, activation_period=periods[0], table_period=periods[1],
                **how)

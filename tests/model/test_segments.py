"""model.segments: the parts, run one after the other, compute the network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutra_model import golden
from lutra_model.network import Add, Concat, Elementwise, Flatten, Network, Node, Permute, Softmax
from lutra_model.params import Array
from lutra_model.segments import segments
from tests.strategies import machines, products

DOUBLE = np.clip(2 * np.arange(-128, 128), -128, 127).astype(np.int8)[:, None]
ARRAY = Array()


def run(network: Network, array: Array, x: np.ndarray) -> np.ndarray:
    """The network by its parts; those of the machine by the golden model of the part alone."""
    values = {"input": x}
    for part in segments(network, array):
        if part.network:
            values[part.output] = golden.outputs(part.network, part.inputs(values))
        else:
            (node,) = part.nodes
            values[part.output] = golden.evaluate(node, *(values[name] for name in node.inputs))
    return values[network.nodes[-1].name]


def fc(name: str, source: str, array: Array = ARRAY) -> Node:
    return products(np.random.default_rng(len(name)), array, name, source, 8, 8, 4 if array.is_lookup else 1)


def host(name: str, source: str) -> Node:
    return Elementwise(name=name, inputs=(source,), scale=1.0, table=DOUBLE)


def add(name: str, *inputs: str) -> Node:
    return Add(name=name, inputs=inputs, scale=1.0, multipliers=(20000, 9000), shift=15)


def network(*nodes: Node) -> Network:
    return Network(name="net", input_shape=(8,), input_scale=0.5, nodes=nodes, classes=("a", "b"))


@pytest.mark.parametrize(("nodes", "parts"), [
    ([fc("a", "input"), fc("bb", "a")], "(a bb)"),
    ([fc("a", "input"), host("h", "a"), fc("bb", "h"), add("c", "bb", "h")], "(a) h (bb c)"),
    ([fc("a", "input"), host("h", "a"), fc("bb", "h"), add("c", "bb", "a")], "(a) h (bb c)"),  # two inputs
    ([fc("a", "input"), fc("bb", "a"), host("h", "a"), add("c", "bb", "h")], "(a) (bb) h (c)"),  # a is seen outside
    ([host("h", "input"), Concat(name="c", inputs=("h", "h"), scale=1.0)], "h c"),  # nothing to compute
    ([fc("a", "input"), fc("m", "a", Array.mac()), fc("bb", "m")], "(a) m (bb)"),
])
def test_parts_by_hand(nodes: list[Node], parts: str) -> None:
    whole = network(*nodes)
    found = segments(whole, ARRAY)
    assert " ".join(f"({' '.join(node.name for node in part.nodes)})" if part.network else part.output
                    for part in found) == parts
    x = np.random.default_rng(0).integers(-128, 128, (3, 8), np.int8)
    np.testing.assert_array_equal(run(whole, ARRAY, x), golden.outputs(whole, x))


def test_a_network_of_one_part_keeps_what_it_is() -> None:
    whole = network(fc("a", "input"), fc("bb", "a"))
    (part,) = segments(whole, ARRAY)
    assert part.network is not None
    assert (part.network.name, part.network.classes, part.network.input_scale) == ("net", ("a", "b"), 0.5)
    assert part.network.nodes[1].inputs == ("a",)


def test_names_and_shapes_of_parts() -> None:
    nodes = [fc("a", "input"), Permute(name="p", inputs=("a",), scale=1.0, order=np.arange(8), to=(2, 1, 4)),
             Flatten(name="f", inputs=("p",), scale=1.0), fc("bb", "f"),
             Softmax(name="s", inputs=("bb",), scale=1.0, exponentials=np.full(256, 7), peak=127)]
    first, _, second, _ = segments(network(*nodes), ARRAY)
    assert (first.source, first.output, second.source, second.output) == ("input", "a", "p", "bb")
    assert second.network is not None
    assert (second.network.name, second.network.input_shape, second.network.classes) == ("net: f to bb", (2, 1, 4), ())


@settings(max_examples=50, deadline=None, derandomize=True)
@given(machine=machines(), places=st.sets(st.integers(0, 5), max_size=2), seed=st.integers(0, 99))
def test_parts_of_random_networks_compute_them(machine: tuple[Network, Array], places: set[int], seed: int) -> None:
    given_network, array = machine
    names = {node.name: f"{node.name} on host" for number, node in enumerate(given_network.nodes) if number in places}
    nodes = list[Node]()
    for node in given_network.nodes:
        nodes.append(type(node)(**{**vars(node), "inputs": tuple(names.get(name, name) for name in node.inputs)}))
        if node.name in names:
            nodes.append(host(names[node.name], node.name))
    whole = Network(name="net", input_shape=given_network.input_shape, input_scale=1.0, nodes=tuple(nodes))
    x = np.random.default_rng(seed).integers(-128, 128, (2, *whole.input_shape), np.int8)
    np.testing.assert_array_equal(run(whole, array, x), golden.outputs(whole, x))

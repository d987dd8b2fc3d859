"""lutra_sim.network: bits and cycles on one machine and on two, with host nodes; a wrong entry is found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lutra import embedded
from lutra_model import fit, golden
from lutra_model.network import Elementwise, Network, Node, Product
from lutra_model.params import Array
from lutra_sim.network import check_layers, simulate
from lutra_sim.stages import stages
from tests.sim.network.small import ARRAYS, LOOKUPS, SAME, TAIL, images, network, product


@pytest.mark.parametrize(("batch", "threads", "resident", "period"),
                         [(1, 2, None, 1), (2, 1, True, 1), (3, 2, False, 3)])
def test_bits_and_cycles(batch: int, threads: int, resident: bool | None, period: int) -> None:
    net = network(*LOOKUPS)
    run = simulate(net, images(3), ARRAYS, batch=batch, threads=threads, resident=resident, table_period=period)
    assert np.array_equal(run.outputs, golden.run(net, images(3))["third"])
    assert run.bit_exact
    assert run.cycles_exact
    assert run.host == ()
    assert len(run.predicted) == -(-3 // batch)
    assert list(dict.fromkeys(operation.node for operation in run.operations)) == [
        "input", "first", "sum", "largest", "third"]
    assert all(operation.predicted == operation.simulated for operation in run.operations)
    found = run.as_dict()
    assert found["cycles"]["simulated"] == found["cycles"]["predicted"] > 0
    assert found["all_cycles"]["simulated"] == int(run.simulated.sum())


def test_two_schemes_run_on_two_machines() -> None:
    run = simulate(network(*LOOKUPS, *TAIL), images(2), ARRAYS, batch=2)
    assert run.bit_exact
    assert run.cycles_exact
    assert run.host == ()
    assert [operation.name for operation in run.operations if operation.kind == "load"] == ["input", "input"]


def test_a_host_node_between_two_machines() -> None:
    table = np.random.default_rng(3).integers(-128, 128, (256, 1), np.int8)
    middle = Elementwise(name="middle", inputs=("first",), scale=1.0, table=table)
    net = network(LOOKUPS[0], middle, product("second", "middle", 6 * 9, 6, SAME))
    run = simulate(net, images(2), ARRAYS, batch=1)
    assert run.bit_exact
    assert run.cycles_exact
    assert run.host == ("middle",)
    assert len(run.predicted) == 2 * 2


def test_one_wrong_table_entry_is_noticed_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine gets a table with one bit wrong in each entry of the second layer's first column."""
    from lutra_sim import stages

    compile_network = stages.compile_network

    def spoiled(net: Network, array: Array, **how: Any) -> Any:
        def wrong(node: Node) -> Node:
            if node.name != "second":
                return node
            assert isinstance(node, Product)
            table = node.table.copy()
            table[:, :, 0] ^= 64
            return replace(node, table=table)

        return compile_network(replace(net, nodes=tuple(map(wrong, net.nodes))), array, **how)

    monkeypatch.setattr(stages, "compile_network", spoiled)
    net = network(*LOOKUPS)
    assert not simulate(net, images(1), ARRAYS).bit_exact
    exact = check_layers(net, images(1), ARRAYS)
    assert exact["first"]
    assert not exact["second"]


def test_every_layer_is_checked() -> None:
    net = network(*LOOKUPS)
    assert check_layers(net, images(1), ARRAYS) == {node.name: True for node in net.nodes}


@pytest.mark.parametrize("name", sorted(path.stem for path in embedded.path(".").glob("*.lutra")))
def test_every_network_of_the_package_has_machines_that_hold_all_of_it(name: str) -> None:
    """One with multipliers beside table cells is cut where either alone would not be."""
    network = embedded.network(name)
    nodes = [node.name for stage in stages(network, fit.arrays(network)) for node in stage.nodes]
    assert nodes == [node.name for node in network.nodes]

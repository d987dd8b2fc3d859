"""lutra_sim.network: small networks on machines, with host nodes, interruptions and traces."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra import embedded
from lutra_model import fit, golden
from lutra_model.network import Add, AvgPool, Elementwise, Flatten, MaxPool, Network, Node, Product, Window
from lutra_model.params import Array
from lutra_sim import network as simulation
from lutra_sim.network import check_layers, simulate, trace
from lutra_sim.stages import stages
from tests.coded import coded

MEMORIES = {"activation_words": 512, "table_words": 512, "codebook_words": 256, "program_words": 512}
ARRAYS = {"lut-nn": Array(rows=4, columns=4, encoders=2, length=9, entries=8, codebooks=24, block_rows=24,
                          index_words=48, **MEMORIES),
          "int8": Array.mac(rows=4, columns=4, encoders=4, codebooks=64, block_rows=16, index_words=64, **MEMORIES)}
RNG = np.random.default_rng(7)


def product(name: str, source: str, reduction: int, columns: int, window: Window | None = None) -> Product:
    """A product layer of random numbers: a lookup where there is a window, else dense."""
    finisher: dict[str, Any] = {
        "bias": RNG.integers(-500, 500, columns), "multiplier": RNG.integers(2**15, 2**16, columns),
        "shift": np.full(columns, 17 if window else 25), "table_scale": np.ones(columns)}
    centroids = RNG.integers(-128, 128, (reduction // 9, 8, 9), np.int8) if window else None
    table = RNG.integers(-128, 128, (reduction // 9, 8, columns) if window else (reduction, 1, columns), np.int8)
    return Product(name=name, inputs=(source,), scale=1.0, low=0 if window else -128, table=table,
                   coding=coded(centroids), reduction=reduction, window=window, **finisher)


SAME = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
LOOKUPS: tuple[Node, ...] = (
    product("first", "input", 3 * 9, 6, SAME), product("second", "first", 6 * 9, 6, SAME),
    Add(name="sum", inputs=("first", "second"), scale=1.0, multipliers=(30000, 20000), shift=16),
    MaxPool(name="largest", inputs=("sum",), scale=1.0, window=Window(kernel=(2, 2), stride=(2, 2))),
    product("third", "largest", 6 * 9, 8, Window(kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))))
TAIL: tuple[Node, ...] = (
    AvgPool(name="mean", inputs=("third",), scale=1.0, multiplier=2**14, shift=16),
    Flatten(name="flat", inputs=("mean",), scale=1.0), product("fourth", "flat", 8, 10))


def network(*nodes: Node) -> Network:
    return Network(name="small", input_shape=(8, 8, 3), input_scale=1.0, nodes=nodes)


def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).integers(-128, 128, (count, 8, 8, 3), np.int8)


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


def interrupted(net: Network, keep: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulation that Ctrl-C ends when so many batches are done."""
    add = simulation.Partial.add

    def stopping(self: Any, number: int, **values: Any) -> None:
        add(self, number, **values)
        if len(self.found) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(simulation.Partial, "add", stopping)
        with pytest.raises(KeyboardInterrupt):
            simulate(net, images(5), ARRAYS, batch=1, keep=keep)


def test_an_interrupted_simulation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, keep = network(*LOOKUPS), tmp_path / "y.npy.partial"
    interrupted(net, keep, 3, monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == [keep.name]
    run = simulate(net, images(5), ARRAYS, batch=1, keep=keep)
    assert run.fresh == 2
    assert run.bit_exact
    assert run.cycles_exact
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["other inputs", "cut", "junk"])
def test_results_of_something_else_are_not_taken(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, keep = network(*LOOKUPS), tmp_path / "partial"
    interrupted(net, keep, 2, monkeypatch)
    x = images(5)
    match damage:
        case "other inputs":
            x = x ^ 1
        case "cut":
            keep.write_bytes(keep.read_bytes()[:-100])
        case "junk":
            keep.write_text("junk")
    run = simulate(net, x, ARRAYS, batch=1, keep=keep)
    assert run.fresh == 5
    assert run.bit_exact


def test_a_folder_keeps_results_by_what_they_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(*LOOKUPS)
    interrupted(net, tmp_path, 1, monkeypatch)
    assert simulate(net, images(4), ARRAYS, batch=1, keep=tmp_path).fresh == 4
    assert simulate(net, images(5), ARRAYS, batch=1, keep=tmp_path).fresh == 4


def test_progress_ends_at_all_cycles() -> None:
    told: list[tuple[str, int, int]] = []
    run = simulate(network(*LOOKUPS), images(3), ARRAYS, batch=1, progress=lambda *what: told.append(what))
    last = [what for what in told if what[0].startswith("simulating")][-1]
    assert last == ("simulating small, cycles", int(run.predicted.sum()), int(run.predicted.sum()))


def test_a_trace_of_some_cycles(tmp_path: Path) -> None:
    path = tmp_path / "t.vcd"
    trace(network(*LOOKUPS), images(1), ARRAYS, path, (100, 119), kind="vcd")
    steps = [int(step) for step in re.findall(r"^#(\d+)$", path.read_text(), re.MULTILINE)]
    assert steps == list(range(200, 240))


@pytest.mark.parametrize(("cycles", "kind", "sentence"), [
    ((0, 10**9), "vcd", r"cycles to trace must be within 0:\d+, not 0:1000000000"),
    ((0, 9), "txt", r"a trace must be \.fst or \.vcd, not \.txt")])
def test_a_trace_that_cannot_be_made(cycles: tuple[int, int], kind: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        trace(network(*LOOKUPS), images(1), ARRAYS, tmp_path / "t", cycles, kind=kind)


@pytest.mark.parametrize(("arrays", "sentence"), [
    ({}, "network small needs an array for scheme lut-nn, there are arrays for none"),
    ({"int8": ARRAYS["int8"]}, "network small needs an array for scheme lut-nn, there are arrays for int8")])
def test_a_missing_array_is_refused(arrays: dict[str, Array], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        simulate(network(*LOOKUPS), images(1), arrays)


def test_wrong_numbers_are_refused() -> None:
    net = network(*LOOKUPS)
    with pytest.raises(ValueError, match=r"^x must hold at least one input, not 0$"):
        simulate(net, images(0), ARRAYS)
    for name in ("batch", "threads", "table_period"):
        with pytest.raises(ValueError, match=rf"^{name} must be at least 1, not 0$"):
            simulate(net, images(1), ARRAYS, **{name: 0})


@pytest.mark.parametrize("name", sorted(path.stem for path in embedded.path(".").glob("*.lutra")))
def test_every_network_of_the_package_has_machines_that_hold_all_of_it(name: str) -> None:
    """One with multipliers beside table cells is cut where either alone would not be."""
    network = embedded.network(name)
    nodes = [node.name for stage in stages(network, fit.arrays(network)) for node in stage.nodes]
    assert nodes == [node.name for node in network.nodes]

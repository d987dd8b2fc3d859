"""lutra_sim.network: a small network of every kind of node, on two machines."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.network import Add, AvgPool, Flatten, MaxPool, Network, Node, Product, Window
from lutra_model.params import Array
from lutra_sim import network as simulation
from lutra_sim.network import machines_for, simulate

ARRAYS = {"lut-nn": Array(rows=4, columns=5, encoders=3, length=9, entries=8, codebooks=24, block_rows=8,
                          index_words=12),
          "int8": Array.mac(rows=4, columns=5, encoders=4, codebooks=50, block_rows=16, index_words=13)}
RNG = np.random.default_rng(7)


def product(name: str, source: str, reduction: int, columns: int, window: Window | None = None) -> Product:
    """A product layer of random numbers: a lookup where there is a window, else dense."""
    finisher: dict[str, Any] = {
        "bias": RNG.integers(-500, 500, columns), "multiplier": RNG.integers(2**15, 2**16, columns),
        "shift": np.full(columns, 18 if window else 25), "table_scale": np.ones(columns)}
    centroids = RNG.integers(-128, 128, (reduction // 9, 8, 9), np.int8) if window else None
    table = RNG.integers(-128, 128, (reduction // 9, 8, columns) if window else (reduction, 1, columns), np.int8)
    return Product(name=name, inputs=(source,), scale=1.0, low=0 if window else -128, table=table,
                   centroids=centroids, reduction=reduction, window=window, **finisher)


def small() -> Network:
    same = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    nodes: tuple[Node, ...] = (
        product("first", "input", 3 * 9, 6, same), product("second", "first", 6 * 9, 6, same),
        Add(name="sum", inputs=("first", "second"), scale=1.0, multipliers=(30000, 20000), shift=16),
        MaxPool(name="largest", inputs=("sum",), scale=1.0, window=Window(kernel=(2, 2), stride=(2, 2))),
        product("third", "largest", 6 * 9, 8, Window(kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))),
        AvgPool(name="mean", inputs=("third",), scale=1.0, multiplier=2**14, shift=16),
        Flatten(name="flat", inputs=("mean",), scale=1.0), product("fourth", "flat", 8, 10))
    return Network(name="small", input_shape=(8, 8, 3), input_scale=1.0, nodes=nodes)


def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).integers(-128, 128, (count, 8, 8, 3), np.int8)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_equals_golden_in_bits_and_cycles(batch: int) -> None:
    network = small()
    run = simulate(network, images(3), ARRAYS, batch=batch)
    assert np.array_equal(run.outputs, golden.run(network, images(3))["fourth"])
    assert run.bit_exact
    assert run.cycles_exact
    assert list(run.layers) == ["first", "second", "third", "fourth"]
    assert run.layers["first"].schedule.layer.rows == 64 * min(batch, 3)
    assert len(run.layers["first"].simulated) == -(-3 // batch)


def test_one_wrong_table_entry_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    network, pack = small(), simulation.host.pack

    def spoiled(schedule: Any, node: Product, columns: Any) -> Any:
        table = node.table.copy()
        if node.name == "fourth":
            table[0, 0, 3] ^= -128
        return pack(schedule, replace(node, table=table), columns)

    monkeypatch.setattr(simulation.host, "pack", spoiled)
    run = simulate(network, images(1), ARRAYS)
    assert {name: layer.bit_exact for name, layer in run.layers.items()} == {
        "first": True, "second": True, "third": True, "fourth": False}
    assert not run.bit_exact


@pytest.mark.parametrize(("arrays", "sentence"), [
    ({}, "network small needs an array for scheme lut-nn, there are arrays for none"),
    ({"int8": ARRAYS["int8"]}, "network small needs an array for scheme lut-nn, there are arrays for int8")])
def test_a_missing_array_is_refused(arrays: dict[str, Array], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        machines_for(small(), arrays)


def test_wrong_numbers_of_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^batch must be at least 1, not 0$"):
        simulate(small(), images(1), ARRAYS, batch=0)
    with pytest.raises(ValueError, match=r"^x must hold at least one input, not 0$"):
        simulate(small(), images(0), ARRAYS)

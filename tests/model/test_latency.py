"""model.latency against a machine that is stepped cycle by cycle; tests/sim holds it to the RTL."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lutra import embedded
from lutra_model.fit import lookup_array, mac_array
from lutra_model.latency import CAUSES, STAGES, NetworkLatency, network_latency
from lutra_model.operation import Kind, Operation
from lutra_model.params import Array, Metric
from lutra_model.program import compile_network
from lutra_model.workloads import Work, bert_base, resnet18
from tests.model.cycle_reference import stepped


def machine(rng: np.random.Generator) -> Array:
    """Any small machine; memories do not matter."""
    rows = int(rng.choice([1, 2, 3, 4, 8, 16]))
    encoders = int(rng.choice([size for size in range(1, rows + 1) if rows % size == 0]))
    columns = int(rng.choice([1, 2, 4]))
    fill = int(rng.choice([size for size in range(1, rows + 1) if rows % size == 0]))
    if rng.random() < 0.25:
        length = int(rng.choice([1, 2, 4]))
        fill = rows if fill * length % 8 else fill
        if fill * length % 8 == 0:
            return Array(engine="lut-tc", rows=rows, columns=columns, encoders=encoders, fill=fill, length=length,
                         entries=int(rng.integers(1, 9)))
    if rng.random() < 0.4:
        return Array.mac(rows=rows, columns=columns, encoders=encoders, fill=fill, functions=int(rng.choice([0, 3])))
    if rng.random() < 0.3:
        return Array(engine=str(rng.choice(["dln-row", "dln-column"])), rows=rows, columns=columns, encoders=encoders,
                     fill=fill, length=1, entries=int(rng.choice([2, 8, 64])), weight_levels=8)
    return Array(rows=rows, columns=columns, encoders=encoders, fill=fill, length=int(rng.integers(1, 5)),
                 entries=int(rng.choice([2, 4, 8, 64])), metric=Metric(rng.choice(list(Metric))),
                 functions=int(rng.choice([0, 3])))


def operation(rng: np.random.Generator, array: Array, number: int) -> Operation:
    """Any operation; only what timing depends on is given a sense."""
    blocks, block = int(rng.choice([1, 1, 2, 3, 5])), int(rng.choice([1, 2, 5, 12, 30]))
    common: dict[str, Any] = {"name": f"o{number}", "blocks": blocks, "block": block,
                              "last_block": int(rng.integers(1, block + 1)),
                              "column_tiles": int(rng.choice([1, 2, 3, 6])), "to_stream": rng.random() < 0.3}
    kind = Kind(int(rng.choice([1, 1, 1, 2, 3, 4, 4] if array.functions else [1, 1, 1, 2, 3])))
    if kind is Kind.LOAD:
        return Operation(kind=kind, **common | {"to_stream": False})
    if kind is Kind.ROW:
        softmax = bool(rng.random() < 0.3)
        words = int(rng.choice([1, 2, 7, 40]))
        return Operation(kind=kind, **common | {"column_tiles": words}, parts_x=words, parts_y=3 if softmax else 2,
                         maximum=softmax, stream_tables=bool(not softmax and rng.random() < 0.5))
    if kind is Kind.POOL:
        parts = int(rng.integers(1, 4))
        return Operation(kind=kind, **common, parts_x=parts, row_tiles=parts, groups=common["column_tiles"])
    tiles, last = int(rng.choice([1, 2, 3, 7])), int(rng.integers(1, array.slots + 1))
    return Operation(kind=kind, **common, row_tiles=tiles, last_slots=last, groups=(tiles - 1) * array.slots + last,
                     entries=int(rng.integers(1, array.entries + 1)), stream_tables=bool(rng.random() < 0.4))


def gathering(rng: np.random.Generator, array: Array, number: int) -> Operation:
    """The same, now and then a gather."""
    found = operation(rng, array, number)
    if found.kind is not Kind.PRODUCT or array.engine != "lookup" or rng.random() < 0.3:
        return found
    block = int(rng.integers(1, min(array.entries, 12) + 1))
    return replace(found, gather=True, stream_tables=False, block=block, last_block=int(rng.integers(1, block + 1)))


@pytest.mark.parametrize("kind", [operation, gathering])
@pytest.mark.parametrize("seed", range(300))
def test_closed_form_equals_stepping(seed: int, kind: Any) -> None:
    rng = np.random.default_rng(seed)
    array = machine(rng)
    operations = [kind(rng, array, number) for number in range(rng.integers(1, 5))]
    how = {"runs": int(rng.integers(1, 3)), "activation_period": int(rng.choice([1, 1, 3])),
           "table_period": int(rng.choice([1, 1, 2, 5])), "encoder_clock": int(rng.choice([1, 1, 2, 3, 5]))}
    found = network_latency(operations, array, **how)
    assert [(item.start, item.done) for item in found.operations] == stepped(operations, array, **how)
    assert found.cycles == found.operations[-1].done + 1 == sum(found.causes.values())
    done = -1
    for item in found.operations:
        assert item.cycles == item.done - done
        assert min(item.causes.values()) >= 0
        assert set(item.causes) == set(CAUSES)
        assert set(item.busy) == set(STAGES)
        assert 0 < item.utilisation <= 1
        done = item.done


@pytest.mark.parametrize("seed", range(4))
def test_a_real_program_equals_stepping(seed: int) -> None:
    """The default network on small machines, resident and streamed."""
    network = embedded.network()
    array = lookup_array(network, rows=8, columns=16, encoders=[2, 4, 8, 8][seed], block_rows=100)
    program = compile_network(network, array, resident=seed != 3)
    found = network_latency(program.operations, array, runs=2, table_period=1 + seed)
    assert [(item.start, item.done) for item in found.operations] == stepped(program.operations, array, runs=2,
                                                                             table_period=1 + seed)


def test_a_product_spends_its_cycles_where_the_table_says() -> None:
    """3 rows, 2 row tiles of 2 slots, 1 column tile, codebooks and tables of 2 entries, on 4 x 1 cells, 2 encoders.

    The program's first operation is ready, and starts, 2 cycles after its words are read. Its first codebook comes in
    the 2 cycles after that, its first row next; slots follow every 4 cycles (one of waiting, 2 of codebook, one more),
    and an index word can be read fetch + encode + 1 = 11 cycles after its last slot was fed.
    """
    array = Array(rows=4, columns=1, encoders=2, entries=2, length=9, fill=4, word=1)
    assert array.lanes == 18
    operation = Operation(kind=Kind.PRODUCT, block=3, last_block=3, row_tiles=2, last_slots=2, groups=4, entries=2)
    (found,) = network_latency([operation], array).operations
    start = 28 + 18 + 2
    fed = start + 3             # codebook beats in start + 1 and start + 2
    first = fed + 4 + 11
    second = first + 8          # two slots later
    assert (found.start, found.done) == (start, second + 2 + 17)
    assert found.causes == {
        "lookup": 6, "pool": 0, "encode": 4 + (second - first - 3), "build": 0, "load": 0, "stream": 0,
        "fill": fed + 11 - start - 1, "drain": found.done - second - 2, "descriptor": start + 1}
    assert found.busy["load"] == 2 * 2 + 2
    assert found.busy["encode"] == 3 * 4
    assert (found.ragged(6 * 4), found.ragged(5 * 4), found.ragged(17)) == (0, 1, 1)
    assert found.cell_utilisation(12) == 12 / (4 * found.cycles)


def timed(works: tuple[Work, ...], array: Array) -> NetworkLatency:
    return network_latency([work.operation(array) for work in works], array)


@pytest.mark.parametrize("engine", ["lookup", "mac"])
def test_cells_are_busy_on_well_known_networks(engine: str) -> None:
    """ResNet-18's 3 x 3 convolutions and BERT-base's products, tables resident, on 16 rows x 32 columns."""
    for works in (resnet18(), bert_base()[:6]):
        if engine == "mac":
            works = tuple(work.as_dense() for work in works)
        array = Array(columns=32, encoders=8) if engine == "lookup" else Array.mac(columns=32)
        for work, item in zip(works, timed(works, array).operations, strict=True):
            assert work.layer is None or item.cycles < 1000 or item.utilisation >= 0.9, (work.name, item)
            if work.layer and (".conv" in work.name or works[0].layer):
                assert item.cell_utilisation(work.layer.lookups) >= 0.85, (work.name, item)


@pytest.mark.parametrize("engine", ["lookup", "mac"])
def test_the_default_network_keeps_its_stages_busy(engine: str) -> None:
    """Image load and logits included."""
    network = embedded.network("fashion-resnet8" if engine == "lookup" else "fashion-resnet8-int8")
    array = lookup_array(network) if engine == "lookup" else mac_array(network)
    found = network_latency(compile_network(network, array).operations, array)
    assert found.utilisation >= 0.85
    for item in found.operations:
        assert item.cycles < 1000 or item.utilisation >= 0.9, item


@pytest.mark.parametrize(("options", "message"), [
    ({"runs": 0}, "runs must be at least 1, not 0"),
    ({"activation_period": 0}, "activation_period must be at least 1, not 0"),
    ({"table_period": -1}, "table_period must be at least 1, not -1")])
def test_periods_and_runs_are_at_least_one(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        network_latency([Operation(kind=Kind.LOAD)], Array(), **options)


def test_a_program_has_an_operation() -> None:
    with pytest.raises(ValueError, match=r"^a program must have at least one operation$"):
        network_latency([], Array())

"""model.latency against a machine that is stepped cycle by cycle; tests/sim holds it to the RTL."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lutra_model.latency import CAUSES, STAGES, network_latency
from lutra_model.operation import Kind, Operation
from lutra_model.params import Array, Layer
from lutra_model.tiling import product
from tests.model.cycle_reference import stepped

LARGE = {"activation_words": 1 << 20, "table_words": 1 << 20, "codebook_words": 1 << 20, "program_words": 1 << 20}


def machine(rng: np.random.Generator) -> Array:
    """Any small machine; memories do not matter."""
    rows = int(rng.choice([1, 2, 3, 4, 8, 16]))
    encoders = int(rng.choice([size for size in range(1, rows + 1) if rows % size == 0]))
    columns = int(rng.choice([1, 2, 4]))
    fill = int(rng.choice([size for size in range(1, rows + 1) if rows % size == 0]))
    if rng.random() < 0.4:
        return Array.mac(rows=rows, columns=columns, encoders=encoders, fill=fill)
    return Array(rows=rows, columns=columns, encoders=encoders, fill=fill, length=int(rng.integers(1, 5)),
                 entries=int(rng.choice([2, 4, 8])))


def operation(rng: np.random.Generator, array: Array, number: int) -> Operation:
    """Any operation; only what timing depends on is given a sense."""
    blocks, block = int(rng.choice([1, 1, 2, 3, 5])), int(rng.choice([1, 2, 5, 12, 30]))
    common: dict[str, Any] = {"name": f"o{number}", "blocks": blocks, "block": block,
                              "last_block": int(rng.integers(1, block + 1)),
                              "column_tiles": int(rng.choice([1, 2, 3, 6])), "to_stream": rng.random() < 0.3}
    kind = Kind(int(rng.choice([1, 1, 1, 2, 3])))
    if kind is Kind.LOAD:
        return Operation(kind=kind, **common | {"to_stream": False})
    if kind is Kind.POOL:
        parts = int(rng.integers(1, 4))
        return Operation(kind=kind, **common, parts_x=parts, row_tiles=parts, groups=common["column_tiles"])
    tiles, last = int(rng.choice([1, 2, 3, 7])), int(rng.integers(1, array.slots + 1))
    return Operation(kind=kind, **common, row_tiles=tiles, last_slots=last, groups=(tiles - 1) * array.slots + last,
                     entries=int(rng.integers(1, array.entries + 1)), stream_tables=bool(rng.random() < 0.4))


@pytest.mark.parametrize("seed", range(300))
def test_closed_form_equals_stepping(seed: int) -> None:
    rng = np.random.default_rng(seed)
    array = machine(rng)
    operations = [operation(rng, array, number) for number in range(rng.integers(1, 5))]
    how = {"runs": int(rng.integers(1, 3)), "activation_period": int(rng.choice([1, 1, 3])),
           "table_period": int(rng.choice([1, 1, 2, 5]))}
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

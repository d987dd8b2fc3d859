"""Vec-LUT's events and cycles against walks and steps."""

from typing import Any

import numpy as np
import pytest

from lutra_model import passes_vector
from lutra_model.counting import count
from lutra_model.latency import network_latency
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer
from lutra_model.tiling import product
from lutra_sim.cases import random_case
from tests.model.vec_lut.layers import SMALL


def walk(operation: Operation, layer: Layer, array: Array) -> dict[str, int]:
    """Everything that is counted, one table, beat and cell at a time."""
    seen = dict.fromkeys(("issues", "reads", "adds", "words", "beats", "kept"), 0)
    for tokens in operation.block_sizes:
        for first in range(0, operation.column_tiles, operation.sweep):
            tiles = range(first, min(first + operation.sweep, operation.column_tiles))
            for tile in range(operation.row_tiles):
                used = min(array.rows, layer.codebooks - tile * array.rows)
                seen["words"] += tokens
                seen["adds"] += tokens * array.rows * 40
                for column in range(tiles[0] * array.columns, min((tiles[-1] + 1) * array.columns, layer.columns)):
                    assert column < layer.columns
                    seen["issues"] += 1
                    seen["beats"] += 1 + (2 if tile == operation.row_tiles - 1 else 0)
                    seen["reads"] += tokens * used
                    seen["kept"] += tile > 0
    return seen


@pytest.mark.parametrize(("rows", "reduction", "columns"), [(1, 4, 1), (3, 30, 9), (9, 64, 26), (17, 130, 13)])
@pytest.mark.parametrize("streamed", [False, True], ids=["resident", "streamed"])
def test_events_equal_a_walk(rows: int, reduction: int, columns: int, streamed: bool) -> None:
    shape = Layer(rows=rows, codebooks=-(-reduction // 4), columns=columns, length=4, entries=1, reduction=reduction,
                  engine="vec-lut", runs=True)
    operation = product(shape, reduction, SMALL, stream_tables=streamed)
    events, seen = count(operation, SMALL, shape), walk(operation, shape, SMALL)
    assert (events.issues, events.table_reads) == (seen["issues"], seen["reads"])
    assert seen["reads"] == shape.lookups
    assert events.encoder_add_bits == seen["adds"] * 11
    assert events.index_read_bits == seen["words"] * 4 * 32
    assert events.idle_cells == seen["issues"] * 16 - seen["reads"]
    assert events.accumulator_read_bits == events.accumulator_write_bits == seen["kept"] * 4 * (11 + 9)
    assert (events.table_read_bits, events.table_beats) == ((0, seen["beats"]) if streamed else (seen["beats"] * 32, 0))


def shapes(seed: int) -> tuple[Operation, Array, int]:
    rng = np.random.default_rng(seed)
    array = Array(engine="vec-lut", rows=int(rng.choice([1, 2, 4, 16])), columns=int(rng.choice([1, 2, 4])), encoders=1,
                  length=int(rng.integers(3, 6)), entries=1, block_rows=int(rng.choice([4, 16, 64])), index_words=4096)
    size = Layer(rows=int(rng.integers(1, 30)), codebooks=int(rng.integers(1, 60)), columns=int(rng.integers(1, 300)),
                 length=array.length, entries=1, engine="vec-lut", runs=True)
    operation = product(size, size.reduction, array.resized(codebooks=4096), stream_tables=bool(rng.integers(2)))
    return operation, array, int(rng.choice([1, 1, 2, 3, 9]))


@pytest.mark.parametrize("seed", range(150))
def test_skipped_tiles_equal_stepping_through_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, array, period = shapes(seed)
    (found,) = network_latency([operation], array, table_period=period).operations
    assert min(found.causes.values()) >= 0
    assert sum(found.causes.values()) == found.done + 1

    def every(state: Any, step: Any, times: int, cycles: int) -> Any:
        for _ in range(times):
            state = step(state)
        return state

    monkeypatch.setattr(passes_vector, "repeat", every)
    (stepped,) = network_latency([operation], array, table_period=period).operations
    assert (found.done, found.causes, found.busy) == (stepped.done, stepped.causes, stepped.busy)


def test_one_token_uses_one_lane() -> None:
    """Decoding: of four lanes three stand idle; the report shows a quarter at most."""
    for rows in (1, 4):
        shape = Layer(rows=rows, codebooks=256, columns=400, length=4, entries=1, engine="vec-lut", runs=True)
        (found,) = network_latency([product(shape, 1024, SMALL.resized(block_rows=512, index_words=256))],
                                   SMALL).operations
        assert 0.9 * rows / 4 < found.cell_utilisation(shape.lookups) < rows / 4


def test_random_networks_reach_every_order_of_work() -> None:
    operations = [item for seed in range(60) for item in random_case(SMALL, seed).program.operations if item.groups]
    for kind in ("blocks", "row_tiles", "sweeps", "sweep"):
        assert {getattr(item, kind) == 1 for item in operations} == {True, False}, kind
    for flag in ("residual", "stream_tables", "to_stream"):
        assert {getattr(item, flag) for item in operations} == {True, False}, flag

"""model.schedule and model.latency against a cycle-by-cycle naive machine; tests/sim holds them to the RTL."""

from collections import deque

import pytest

from lutra_model.latency import cycles, latency
from lutra_model.params import Array, Layer
from lutra_model.schedule import PARAMETER_BEATS, Pipeline, Schedule


def stepped(schedule: Schedule, activation_period: int, table_period: int) -> int:
    """The credits of docs/hardware.md, one cycle at a time."""
    pipeline, lookup = Pipeline(schedule.array), schedule.array.is_lookup
    tiles = [(b, c, r) for b in range(schedule.blocks) for c in range(schedule.column_tiles)
             for r in range(schedule.row_tiles)]
    last_row, last_column = schedule.row_tiles - 1, schedule.column_tiles - 1
    loads = deque()
    for b, c, r in tiles:
        loads += [("table", b, c, r)] * (schedule.used_rows[r] * schedule.layer.entries)
        loads += [("parameter", b, c, r)] * (PARAMETER_BEATS if r == last_row else 0)
    feeds = deque([("centroid", 0, 0, 0, 0)] * (sum(schedule.slots) * schedule.layer.entries if lookup else 0))
    for b, size in enumerate(schedule.block_sizes):
        for r, slots in enumerate(schedule.slots):
            feeds += [("vector", b, r, m, s == slots - 1) for m in range(size) for s in range(slots)]
    issues = deque((b, c, r, m) for b, c, r in tiles for m in range(schedule.block_sizes[b]))
    written, ready = {}, {}
    tile_free, parameter_free, half_free = {}, {}, {}
    number = {tile: i for i, tile in enumerate(tiles)}
    next_load = next_feed = 8
    now = 8
    while issues:
        if loads and now >= next_load:
            kind, b, c, r = loads[0]
            tile, column = number[b, c, r], b * schedule.column_tiles + c
            free = (tile_free.get(tile - 2, 0 if tile < 2 else None) if kind == "table"
                    else parameter_free.get(column - 2, 0 if column < 2 else None))
            if free is not None and free <= now:
                loads.popleft()
                next_load = now + table_period
                if not loads or loads[0][1:] != (b, c, r):
                    ready[b, c, r] = now + 1
        if feeds and now >= next_feed:
            kind, b, r, m, final = feeds[0]
            if kind == "centroid" or half_free.get(b - 2, 0 if b < 2 else now + 1) <= now:
                feeds.popleft()
                next_feed = now + activation_period
                if kind == "vector" and final:
                    written[b, r, m] = now + pipeline.encode + 1
        b, c, r, m = issues[0]
        if ready.get((b, c, r), now + 1) <= now and written.get((b, r, m), now + 1) <= now:
            issues.popleft()
            if m == schedule.block_sizes[b] - 1:
                tile_free[number[b, c, r]] = now + 1
                if r == last_row:
                    parameter_free[b * schedule.column_tiles + c] = now + pipeline.release
                    if c == last_column:
                        half_free[b] = now + 1
        now += 1
    return now - 1 + pipeline.output + 1


ARRAYS = [Array(rows=1, columns=1, encoders=1, entries=2, length=2, index_words=64),
          Array(rows=4, columns=3, encoders=3, entries=4, length=3, block_rows=5, index_words=12),
          Array(rows=8, columns=8, encoders=2, block_rows=16, index_words=16),
          Array.mac(rows=4, columns=4, encoders=2, block_rows=7, index_words=40),
          Array.mac(rows=1, columns=2, block_rows=3, index_words=64)]
SHAPES = [(1, 1, 1), (1, 9, 7), (5, 4, 3), (17, 11, 8), (40, 24, 10), (2, 33, 2)]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.engine}-{a.rows}x{a.columns}e{a.encoders}")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("periods", [(1, 1), (3, 1), (1, 4), (2, 5)], ids=str)
def test_closed_form_equals_stepping(array: Array, shape: tuple[int, int, int], periods: tuple[int, int]) -> None:
    rows, codebooks, columns = shape
    layer = Layer(rows=rows, codebooks=codebooks, columns=columns, length=array.length, entries=array.entries)
    schedule = Schedule(layer, array)
    got = latency(schedule, activation_period=periods[0], table_period=periods[1])
    assert got.cycles == stepped(schedule, *periods)


def test_one_activation_row_a_cycle_once_tables_are_loaded() -> None:
    array = Array(rows=16, columns=16, encoders=16)
    short, long = (cycles(Layer(rows=rows, codebooks=16, columns=16), array) for rows in (300, 900))
    assert long - short == 600


def test_binding_stage_is_named() -> None:
    wide = Layer(rows=4000, codebooks=16, columns=512)
    assert latency(Schedule(wide, Array(encoders=16))).binding == "lookup"
    narrow = Layer(rows=800, codebooks=16, columns=16)
    assert latency(Schedule(narrow, Array(encoders=1))).binding == "encode"
    assert latency(Schedule(Layer(rows=4, codebooks=64, columns=64), Array())).binding == "load"


@pytest.mark.parametrize(("layer", "array", "message"), [
    (Layer(name="a", rows=1, codebooks=600, columns=1), Array(),
     "layer a needs codebooks 600, the array holds at most 512"),
    (Layer(name="a", rows=1, codebooks=6, columns=1, entries=32), Array(),
     "layer a needs entries 32, the array holds at most 16"),
    (Layer(name="a", rows=1, codebooks=6, columns=1), Array.mac(),
     "layer a looks up, so the array's engine must not be mac"),
    (Layer.dense(name="a", rows=1, reduction=6, columns=1), Array(),
     "layer a multiplies, so the array's engine must not be lookup")])
def test_a_layer_that_the_machine_cannot_hold_is_refused(layer: Layer, array: Array, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message + "$"):
        Schedule(layer, array)

"""Cycles of the whole machine, against the table of docs/hardware.md applied by hand."""

from functools import cache

import pytest

from lutra_model.layout import Layout, packed
from lutra_model.network import Window
from lutra_model.operation import Kind, Operation, descriptor_words
from lutra_model.params import Array, Layer
from lutra_model.schedule import Pipeline
from lutra_model.tiling import load, pool, product
from tests.hw.network import Program, Trace, simulate

SMALL = {"program_words": 512, "table_words": 1024, "codebook_words": 512, "activation_words": 256, "block_rows": 32,
         "index_words": 128, "codebooks": 64}
LOOKUP = Array(rows=4, columns=4, encoders=2, length=3, entries=4, word=2, **SMALL)
NARROW = Array(rows=4, columns=4, encoders=1, length=3, entries=16, word=1, fill=1, **SMALL)
MAC = Array.mac(rows=4, columns=4, encoders=2, word=2, **SMALL)
RUNS = 2
ARRAYS = {"lookup": LOOKUP, "narrow": NARROW, "mac": MAC}


def layer(array: Array, rows: int, reduction: int, columns: int) -> Layer:
    if not array.is_lookup:
        return Layer.dense(rows=rows, reduction=reduction, columns=columns)
    return Layer(rows=rows, codebooks=-(-reduction // 3), columns=columns, entries=array.entries, length=3,
                 reduction=reduction)


class Clock:
    """When things happen in a program whose products have one block and one column tile, with inputs always there."""

    def __init__(self, array: Array):
        self.array, self.stages, self.words = array, Pipeline(array), descriptor_words(array)
        self.done, self.ready = 0, self.words + 2  # of the operation before; of the next
        self.table, self.codebook = 0, 0           # last beats
        self.tiles: list[int] = []                 # last issue of every table tile
        self.columns: list[int] = []               # of every column tile
        self.loaded: list[int] = []                # last codebook beat of every slot; first row fed
        self.fed: list[int] = []

    def run(self, op: Operation) -> None:
        start = max(self.ready, self.done)
        self.table, self.codebook = max(self.ready, self.table + 1), max(self.ready, self.codebook + 1)  # taken
        self.ready = start + self.words + 2
        if op.kind is Kind.LOAD:
            self.done = start + op.rows * op.column_tiles + self.stages.load
        elif op.kind is Kind.POOL:
            fed = start + op.rows * op.parts_x * op.parts_y * op.groups
            self.done = fed + self.stages.pool + self.stages.finish + self.stages.add + 1
        else:
            self.done = self._product(op, start) + self.stages.output

    def _feed(self, op: Operation, start: int) -> list[int]:
        """First row fed of every slot."""
        result, free = [], start + 1
        for _ in range(op.slots):
            first = free
            if self.array.is_lookup:
                begin = max(self.codebook + 1, self.fed[-1] + 2 if self.fed else 0)
                self.codebook = begin + op.entries - 1
                first = max(first, self.codebook + 1)
            self.fed.append(first)
            result.append(first)
            free = first + op.rows
        return result

    def _product(self, op: Operation, start: int) -> int:
        """The last issue."""
        array, fed, slot, issue = self.array, self._feed(op, start), 0, 0
        for tile, slots in enumerate(op.tile_slots(array)):
            self.table = max(self.table, self.tiles[-2] if len(self.tiles) > 1 else 0)
            self.table += -(-slots * array.encoders // array.fill) * op.entries
            if tile == op.row_tiles - 1:
                free = self.columns[-2] + self.stages.release - 1 if len(self.columns) > 1 else 0
                self.table = max(self.table, free) + -(-7 // array.fill)
            slot += slots
            first = max(issue + 1, self.table + 1, fed[slot - 1] + self.stages.fetch + self.stages.encode + 1)
            issue = first + op.rows - 1
            self.tiles.append(issue)
        self.columns.append(issue)
        return issue


def programs(array: Array) -> dict[str, list[Operation]]:
    """Kinds in turn; prefetched tables; many short layers; loads that hide nothing."""
    words = 4 // array.word  # of a pixel; the gap after a row keeps a pool's words in different banks
    image, other = (Layout(side=side, pitch_y=4 * words + 1, pitch_x=words, height=4, width=4, channels=4)
                    for side in range(2))
    conv = product(layer(array, 16, 36, 4), 4, array, source=image, target=other,
                   window=Window(kernel=(3, 3), padding=(1, 1, 1, 1)))
    point, back = (product(layer(array, 16, 4, 4), 4, array, source=a, target=b) for a, b in
                   [(image, other), (other, image)])
    tiny = product(layer(array, 1, 6, 3), 6, array)
    image_load, pools = load("image", 4, array, height=4, width=4, target=image), [
        pool("pool", 4, array, source=image, target=packed(2, 2, 4, array, side=1),
             window=Window(kernel=(2, 2), stride=(2, 2))),
        pool("sum", 4, array, source=image, target=packed(1, 1, 4, array, side=1), window=Window(kernel=(4, 4)),
             maximum=False)]
    return {"load": [image_load], "loads": [image_load] * 3, "pools": [image_load, *pools], "conv": [image_load, conv],
            "points": [point, back, point, back], "mixed": [image_load, conv, back, pools[0], tiny, tiny, conv],
            "tiny": [tiny] * 5}


@cache
def traces(array: Array) -> dict[str, Trace]:
    """All programs, one after the other on one machine."""
    jobs = [Program(array, operations, runs=RUNS).streams() for operations in programs(array).values()]
    return dict(zip(programs(array), simulate(array, jobs), strict=True))


@pytest.mark.parametrize("name", ["load", "loads", "pools", "conv", "points", "mixed", "tiny"])
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_every_cycle_is_that_of_the_contract(array: Array, name: str) -> None:
    program, clock, trace = Program(array, programs(array)[name], runs=RUNS), Clock(array), traces(array)[name]
    ends = []
    for _ in range(RUNS):
        for op in program.operations:
            clock.run(op)
        ends.append(clock.done)
    zero = trace.times["s_axis_cmd"][-1]
    counts = [value >> 8 for value in trace.status]
    assert [counts.index(run + 1, zero + 1) - zero - 1 for run in range(RUNS)] == ends
    assert trace.ran == list(range(zero + 1, zero + clock.done + 1))

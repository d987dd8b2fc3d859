"""The whole machine's softmax, norm and functions, in Amaranth's simulator, against the interpreter."""

import random
from dataclasses import replace
from typing import Any

import pytest

from lutra_model.latency import network_latency
from lutra_model.layout import Layout, packed
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer
from lutra_model.tiling import load, pool, product
from tests.hw.network import Program, simulate
from tests.hw.rows import exponential, gentle, reciprocal, root, row_fields

SMALL = {"program_words": 512, "table_words": 512, "codebook_words": 256, "activation_words": 256, "block_rows": 5,
         "index_words": 16, "codebooks": 64}
ARRAYS = {
    "lookup": Array(rows=4, columns=4, encoders=2, length=2, entries=4, word=2, functions=4, **SMALL),
    "mac": Array.mac(rows=4, columns=4, word=4, fill=2, functions=5, **SMALL),
    "narrow": Array.mac(rows=1, columns=1, word=1, functions=15, **SMALL),
}
SOFTMAX = {"function": 1, "second": 2, "multiplier": 2**15, "shift": 22}
NORM = {"function": 3, "epsilon": 1000}


def functions(seed: int) -> list[Any]:
    return [exponential(0.05), reciprocal(), root(), gentle(random.Random(seed))]


def layer(array: Array, rows: int, reduction: int, columns: int) -> Layer:
    if not array.is_lookup:
        return Layer.dense(rows=rows, reduction=reduction, columns=columns)
    return Layer(rows=rows, codebooks=-(-reduction // 2), columns=columns, length=2, entries=4, reduction=reduction)


def row(array: Array, source: Layout, target: Layout | None, softmax: bool, **more: Any) -> Operation:
    fields = row_fields(array, source, softmax) | (SOFTMAX if softmax else NORM) | {"name": "row"} | more
    if target is None:
        return Operation(**fields, to_stream=True)
    return Operation(**fields, side=target.side, target=target.base, target_step=target.pitch_x,
                     target_jump=target.jump)


def network(array: Array, channels: int, streamed: bool) -> list[Operation]:
    """A norm, a product with a function, a softmax, one norm after the other, a pool with a function, a last ROW."""
    here, there = (packed(2, 4, channels, array, side=side) for side in range(2))
    products = product(layer(array, 8, channels, channels), channels, array, source=there, target=here, height=2,
                       width=4, stream_tables=streamed)
    norms = [row(array, here, there, False, stream_tables=streamed), row(array, there, here, False)]
    pools = pool("pool", channels, array, source=here, target=there, multiplier=2**15, shift=9)
    return [load("image", channels, array, target=here), norms[0], replace(products, function=4), *norms,
            replace(pools, function=4), row(array, there, here, True), norms[0],
            row(array, there, None, bool(channels % 2))]


CASES = [("lookup", 7, False), ("lookup", 4, True), ("mac", 9, False), ("mac", 6, True), ("narrow", 3, False),
         ("narrow", 2, True)]


@pytest.mark.parametrize(("name", "channels", "streamed"), CASES)
def test_outputs_and_cycles_are_exact(name: str, channels: int, streamed: bool) -> None:
    array = ARRAYS[name]
    program = Program(array, network(array, channels, streamed), seed=channels, runs=2, functions=functions(channels))
    trace, = simulate(array, [program.streams()])
    assert trace.beats == program.expected()
    assert len({beat for beat, _, _ in trace.beats}) > min(len(trace.beats) // 4, 5), "results must differ"
    latency = network_latency(program.operations, array, runs=2)
    assert len(trace.ran) == latency.cycles - 1
    assert sum(latency.causes.values()) == latency.cycles


@pytest.mark.parametrize("name", ARRAYS)
def test_stalls_change_nothing(name: str) -> None:
    array = ARRAYS[name]
    program = Program(array, network(array, 5, True), seed=1, runs=2, functions=functions(1))
    trace, = simulate(array, [program.streams()], stalls=2)
    assert trace.beats == program.expected()

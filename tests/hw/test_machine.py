"""The whole machine, in Amaranth's simulator, against an interpreter of docs/hardware.md."""


import pytest

from lutra_model.latency import network_latency
from lutra_model.layout import packed
from lutra_model.network import Window
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer, Metric
from lutra_model.tiling import Addend, load, pool, product
from tests.hw.network import Program, simulate

SMALL = {"program_words": 512, "table_words": 512, "codebook_words": 256, "activation_words": 256, "block_rows": 32,
         "index_words": 128, "codebooks": 64}
LOOKUP = Array(rows=4, columns=4, encoders=2, length=3, entries=4, word=2, **SMALL)
MAC = Array.mac(rows=4, columns=4, word=2, **SMALL)


def layer(array: Array, rows: int, reduction: int, columns: int, length: int = 3, entries: int = 4) -> Layer:
    if not array.is_lookup:
        return Layer.dense(rows=rows, reduction=reduction, columns=columns)
    return Layer(rows=rows, codebooks=-(-reduction // length), columns=columns, length=length, entries=entries,
                 reduction=reduction)


def network(array: Array, streamed: bool = False) -> list[Operation]:
    """Convolution, pool, a residual, a last layer: everything that operations can do."""
    same = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    image, first = packed(5, 4, 3, array), packed(5, 4, 6, array, side=1)
    pooled, added = packed(3, 2, 6, array), packed(3, 2, 6, array, side=1)
    addend = Addend(source=added, own_factor=40000, factor=25000, shift=16, low=-100, high=90)
    return [
        load("image", 3, array, height=5, width=4, target=image),
        product(layer(array, 20, 27, 6), 3, array, window=same, source=image, target=first, low=0, block=11,
                stream_tables=streamed),
        pool("pool", 6, array, window=Window(kernel=(2, 2), stride=(2, 2), padding=(0, 0, 1, 0)), source=first,
             target=pooled),
        pool("copy", 6, array, source=pooled, target=added),
        product(layer(array, 6, 6, 6), 6, array, source=pooled, target=None, to_stream=True, addend=addend,
                stream_tables=streamed),
        pool("sum", 6, array, window=Window(kernel=(3, 2)), source=added, maximum=False, multiplier=50000, shift=18,
             to_stream=True)]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("streamed", [False, True], ids=["resident", "streamed"])
@pytest.mark.parametrize("array", [LOOKUP, MAC], ids=lambda a: a.engine)
def test_networks_are_exact(array: Array, streamed: bool, seed: int) -> None:
    program = Program(array, network(array, streamed), seed=seed, runs=1 + seed)
    trace, = simulate(array, [program.streams()])
    assert trace.beats == program.expected()
    assert trace.status[-1] == (1 + seed) << 8
    assert len(trace.ran) == network_latency(program.operations, array, runs=1 + seed).cycles - 1


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("array", [LOOKUP, MAC], ids=lambda a: a.engine)
def test_stalls_change_nothing(array: Array, seed: int) -> None:
    program = Program(array, network(array, seed % 2 == 0), seed=seed, runs=2)
    trace, = simulate(array, [program.streams()], stalls=seed)
    assert trace.beats == program.expected()


SHAPES = {
    "cell": Array(rows=1, columns=1, encoders=1, length=1, entries=2, lanes=1, **SMALL),
    "fill": Array(rows=6, columns=3, encoders=3, length=2, entries=8, metric=Metric.L1, fill=2, word=3, **SMALL),
    "one-row-fill": Array(rows=4, columns=2, encoders=1, length=3, entries=4, fill=1, metric=Metric.CHEBYSHEV, **SMALL),
    "mac": Array.mac(rows=6, columns=4, encoders=2, fill=3, **SMALL)}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", SHAPES)
def test_machines_of_other_shapes_are_exact(name: str, seed: int) -> None:
    array = SHAPES[name]
    image, middle = packed(1, 7, 5, array), packed(1, 7, 4, array, side=1)
    addend = Addend(source=image, own_factor=30000, factor=60000, shift=15)
    program = Program(array, [
        load("vectors", 5, array, width=7, target=image),
        product(layer(array, 7, 5, 4, array.length, array.entries), 5, array, source=image, target=middle, block=3),
        product(layer(array, 7, 4, 5, 1, array.entries), 4, array, source=middle, to_stream=True, block=5,
                stream_tables=True, addend=addend)], seed=seed, runs=2)
    trace, = simulate(array, [program.streams()], stalls=seed or None)
    assert trace.beats == program.expected()

"""model.tiling: fields of operations by hand, and what an array refuses."""

from typing import Any

import pytest

from lutra_model.layout import Layout
from lutra_model.network import Window
from lutra_model.operation import Kind, Lane, Operation
from lutra_model.params import Array, Layer
from lutra_model.tiling import Addend, load, pool, product

SAME = Window(kernel=(3, 3), padding=(1, 1, 1, 1))


def fields(operation: Operation, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(operation, name) for name in names)


def test_a_strided_convolution_by_hand() -> None:
    # 10 channels = 3 words (pitch 4), 9 x 7 pixels, stride (2, 1): 5 x 7 outputs; 18 columns = 2 tiles of 16
    source = Layout(side=1, base=100, pitch_y=29, pitch_x=4, height=9, width=7, channels=10)
    target = Layout(side=0, base=7, pitch_y=36, pitch_x=5, height=5, width=7, channels=18)
    layer = Layer(name="conv", rows=35, codebooks=10, columns=18, length=9, entries=16)
    window = Window(kernel=(3, 3), stride=(2, 1), padding=(1, 1, 1, 1))
    found = product(layer, 10, Array(), window=window, source=source, target=target, low=0, block=16)
    assert fields(found, "kind", "source_side", "side", "to_stream") == (Kind.PRODUCT, 1, 0, False)
    assert found.source == 100 - 29 - 4
    assert fields(found, "step_x", "step_y") == (4, 2 * 29 - 6 * 4)
    assert fields(found, "height", "width", "stride_y", "stride_x", "top", "left") == (9, 7, 2, 1, 1, 1)
    assert fields(found, "out_width", "blocks", "block", "last_block") == (7, 3, 16, 3)
    assert fields(found, "groups", "parts_y", "parts_x", "group_step") == (3, 1, 1, 1)
    assert fields(found, "row_tiles", "last_slots", "column_tiles", "last_columns") == (1, 3, 2, 2)
    assert fields(found, "target", "target_step", "target_jump", "tile_step") == (7, 5, 36 - 6 * 5, 4)
    assert fields(found, "entries", "length", "low", "high") == (16, 9, 0, 127)
    assert found.lanes == tuple(Lane(offset=dy * 29 + dx * 4, dy=dy, dx=dx, enabled=True, enabled_last=True)
                                for dy in range(3) for dx in range(3))


def test_the_add_stage_by_hand() -> None:
    other = Layout(side=1, base=50, pitch_y=21, pitch_x=4, height=5, width=5, channels=16)
    found = product(Layer(rows=25, codebooks=16, columns=16), 16, Array(), height=5, width=5, window=SAME,
                    addend=Addend(source=other, own_factor=3, factor=5, shift=4, low=-7, high=9))
    assert found.residual
    assert fields(found, "own_factor", "residual_factor", "add_shift", "add_low", "add_high") == (3, 5, 4, -7, 9)
    assert fields(found, "residual_source", "residual_step", "residual_jump") == (50, 4, 5)


def test_a_pool_by_hand() -> None:
    # 4 x 4 window, 9 lanes: two rows of four pixels in a beat, two beats; 6 channels = 2 groups
    found = pool("p", 6, Array(), height=8, width=8, window=Window(kernel=(4, 4), stride=(4, 4)), maximum=False,
                 multiplier=40000, shift=19, to_stream=True)
    assert fields(found, "kind", "maximum", "to_stream", "multiplier", "shift") == (Kind.POOL, False, True, 40000, 19)
    assert fields(found, "parts_y", "parts_x", "part_y_dy", "part_y_step") == (2, 1, 2, 2 * 16)
    assert fields(found, "row_tiles", "column_tiles", "last_columns", "tile_step") == (2, 2, 2, 1)
    assert fields(found, "out_width", "blocks", "block", "last_block") == (2, 1, 4, 4)
    assert [lane.offset for lane in found.lanes] == [0, 2, 4, 6, 16, 18, 20, 22]


@pytest.mark.parametrize(("channels", "pitch_y", "pitch_x", "expected"), [
    # word_bytes, column_tiles, last_columns, pixels, target_step, target_jump, tile_step
    (3, 12, 1, (4, 15, 16, 1, 12, 0, 4)),   # 5 x 12 pixels of a word each lie one after the other
    (1, 12, 1, (1, 4, 12, 1, 12, 0, 16)),   # 60 bytes, 16 in a beat
    (3, 13, 1, (4, 3, 16, 5, 13, 0, 4)),    # rows of 12 words with a gap
    (3, 24, 2, (4, 1, 4, 60, 2, 2, 4)),     # single pixels
    (20, 72, 6, (4, 2, 4, 60, 6, 6, 4)),    # five words of each, one beat and a quarter
])
def test_loads_by_hand(channels: int, pitch_y: int, pitch_x: int, expected: tuple[int, ...]) -> None:
    target = Layout(pitch_y=pitch_y, pitch_x=pitch_x, height=5, width=12, channels=channels)
    found = load("x", channels, Array(), target=target)
    assert fields(found, "word_bytes", "column_tiles", "last_columns", "rows", "target_step", "target_jump",
                  "tile_step") == expected


@pytest.mark.parametrize(("rows", "block_rows", "blocks"), [(10, 4, (4, 4, 2)), (9, 4, (3, 3, 3)), (4, 4, (4,)),
                                                            (1, 1, (1,)), (8, 3, (3, 3, 2))])
def test_blocks_are_few_and_even(rows: int, block_rows: int, blocks: tuple[int, ...]) -> None:
    array = Array(block_rows=block_rows)
    assert pool("p", 4, array, height=1, width=rows).block_sizes == blocks


@pytest.mark.parametrize(("layer", "array", "words"), [
    (Layer(name="l", rows=4, codebooks=3, columns=4, length=9), Array(length=4), "sub-vector length 9, the array holds "
                                                                                "at most 4"),
    (Layer(name="l", rows=4, codebooks=3, columns=4, length=3, entries=16), Array(entries=8),
     "entries 16, the array holds at most 8"),
    (Layer(name="l", rows=4, codebooks=99, columns=4, length=1), Array(codebooks=96), "codebooks 100, the array holds "
                                                                                     "at most 96"),
    (Layer(name="l", rows=4, codebooks=99, columns=4, length=1), Array(index_words=6), "row tiles 7, the array holds "
                                                                                      "at most 6"),
])
def test_what_an_array_does_not_hold(layer: Layer, array: Array, words: str) -> None:
    with pytest.raises(ValueError, match=f"^layer l needs {words}$"):
        product(layer, layer.reduction, array)


def test_what_an_array_does_not_do() -> None:
    dense = Layer.dense(name="fc", rows=1, reduction=4, columns=4)
    with pytest.raises(ValueError, match=r"^layer fc needs the engine mac, the array's is lookup$"):
        product(dense, 4, Array())
    with pytest.raises(ValueError, match=r"^layer fc must have 25 rows, not 1$"):
        product(dense, 4, Array.mac(), height=5, width=5)
    with pytest.raises(ValueError, match=r"^block must be 1 to 1024, not 1025$"):
        product(dense, 4, Array.mac(), block=1025)

"""model.windows: what every encoder of every beat sees, worked out lane by lane, is the sub-vector that it should."""

from itertools import product

import numpy as np
import pytest

from lutra_model.operation import Arrange
from lutra_model.params import Array, Layer
from lutra_model.windows import Former, pool_former, product_former

LOOKUP = [Array(), Array(rows=16, encoders=16), Array(rows=4, columns=2, encoders=2, word=1),
          Array(rows=8, columns=8, encoders=8, word=2, lanes=40), Array(rows=6, columns=3, encoders=3)]
SHAPES = [((3, 3), 9), ((3, 3), 3), ((3, 3), 1), ((1, 1), 1), ((1, 1), 4), ((1, 1), 9), ((7, 7), 7), ((2, 4), 2),
          ((5, 5), 5), ((4, 2), 4), ((1, 3), 3)]


def seen(former: Former, array: Array, length: int) -> dict[int, list[list[tuple[int, int, int] | None]]]:
    """``(channel, y, x)`` of each scalar, or None for padding, for each codebook number."""
    found: dict[int, list[list[tuple[int, int, int] | None]]] = {}
    beats = product(range(former.groups), range(former.parts_y), range(former.parts_x))
    for slot, (group, part_y, part_x) in enumerate(beats):
        for encoder in range(array.encoders):
            scalars: list[tuple[int, int, int] | None] = []
            for v in range(length):
                g, b = encoder // array.word, encoder % array.word
                lane, byte = {Arrange.WINDOW: (g * array.length + v, b),
                              Arrange.RUN: (g * array.length + (b * length + v) // array.word,
                                            (b * length + v) % array.word),
                              Arrange.TAPS: (encoder * length + v, group)}[former.arrange]
                place = former.lanes[lane] if lane < len(former.lanes) else None
                if place is None or not (place.enabled_last if group == former.groups - 1 else place.enabled):
                    scalars.append(None)
                    continue
                word = place.word + group * former.group_words
                scalars.append((word * array.word + byte, place.dy + part_y * former.part_dy,
                                place.dx + part_x * former.part_dx))
            found.setdefault(int(former.codebooks[slot, encoder]), []).append(scalars)
    return found


@pytest.mark.parametrize("array", LOOKUP, ids=lambda a: f"{a.rows}x{a.columns}e{a.encoders}w{a.word}l{a.lanes}")
@pytest.mark.parametrize(("channels", "kernel", "length"), [
    (channels, kernel, length) for channels in (1, 3, 4, 7, 16, 37) for kernel, length in SHAPES
    if length <= channels * kernel[0] * kernel[1]])
def test_encoders_see_their_sub_vectors(array: Array, channels: int, kernel: tuple[int, int], length: int) -> None:
    reduction = channels * kernel[0] * kernel[1]
    layer = Layer(rows=1, codebooks=-(-reduction // length), columns=1, length=length, reduction=reduction)
    found = seen(product_former(layer, channels, kernel, array), array, length)
    for codebook in range(layer.codebooks):
        (scalars,) = found[codebook]
        for v, scalar in enumerate(scalars):
            number = codebook * length + v
            channel, tap = divmod(number, kernel[0] * kernel[1])
            if number < reduction:
                assert scalar == (channel, *divmod(tap, kernel[1]))
            else:
                assert scalar is None or channels <= scalar[0] < -(-channels // array.word) * array.word  # 0 there


@pytest.mark.parametrize(("kernel", "length", "channels", "array", "arrange", "slots"), [
    ((3, 3), 9, 64, Array(), Arrange.WINDOW, 16),      # four channels a beat
    ((7, 7), 7, 3, Array(), Arrange.WINDOW, 7),        # a row of the window, three channels
    ((1, 1), 4, 64, Array(), Arrange.RUN, 4),          # 16 channels a beat
    ((3, 3), 3, 1, Array(encoders=4), Arrange.TAPS, 1),  # nine lanes hold the window, three encoders a row of it each
    ((3, 3), 9, 16, Array(encoders=16), Arrange.WINDOW, 1),
])
def test_beats_of_one_pixel(kernel: tuple[int, int], length: int, channels: int, array: Array, arrange: Arrange,
                            slots: int) -> None:
    reduction = channels * kernel[0] * kernel[1]
    former = product_former(Layer(rows=1, codebooks=reduction // length, columns=1, length=length), channels, kernel,
                            array)
    assert (former.arrange, former.slots) == (arrange, slots)


def test_sub_vectors_across_rows_of_the_window_are_refused() -> None:
    layer = Layer(name="conv", rows=1, codebooks=9, columns=1, length=4)
    with pytest.raises(ValueError, match=r"^layer conv must have sub-vectors of whole rows of the 3x3 kernel "
                                         r"\(or of a divisor of a row\) to have its windows formed on chip, not of 4$"):
        product_former(layer, 4, (3, 3), Array())


@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 3), (7, 7), (5, 2), (1, 11)])
@pytest.mark.parametrize("channels", [1, 4, 9])
@pytest.mark.parametrize("array", LOOKUP[:3], ids=lambda a: f"l{a.lanes}w{a.word}")
def test_a_pool_sees_every_place_once(kernel: tuple[int, int], channels: int, array: Array) -> None:
    former = pool_former(channels, kernel, array)
    places = [(place.dy + py * former.part_dy, place.dx + px * former.part_dx) for py in range(former.parts_y)
              for px in range(former.parts_x) for place in former.lanes]
    assert sorted(places) == list(product(range(kernel[0]), range(kernel[1])))
    assert former.groups == int(np.ceil(channels / array.word))
    assert len(former.lanes) <= array.lanes

"""model.layout: no beat needs two words of one bank, and no smaller layout would do."""

import pytest

from lutra_model.layout import Layout, packed, pitches
from lutra_model.params import Array, Layer
from lutra_model.windows import Former, pool_former, product_former

ARRAYS = [Array(), Array(rows=16, encoders=16), Array(rows=4, columns=2, encoders=2, word=1), Array(lanes=21)]


def formers(channels: int, array: Array) -> list[Former]:
    three = Layer(rows=1, codebooks=channels, columns=1, length=9)
    run = Layer(rows=1, codebooks=-(-channels // 4), columns=1, length=4, reduction=channels)
    return [product_former(three, channels, (3, 3), array), product_former(run, channels, (1, 1), array),
            pool_former(channels, (2, 2), array)]


def clashes(former: Former, pitch_y: int, pitch_x: int, banks: int) -> bool:
    for last in (False, True):
        taken = set()
        for place in former.lanes:
            if place.enabled_last if last else place.enabled:
                bank = (place.word + place.dy * pitch_y + place.dx * pitch_x) % banks
                if bank in taken:
                    return True
                taken.add(bank)
    return False


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"e{a.encoders}w{a.word}b{a.banks}")
@pytest.mark.parametrize("channels", [4, 12, 32, 64])
@pytest.mark.parametrize("width", [5, 8])
def test_the_smallest_layout_without_conflicts(array: Array, channels: int, width: int) -> None:
    readers, words, height = formers(channels, array), -(-channels // array.word), 6
    found = pitches(height, width, channels, array, readers)
    assert found is not None
    assert found[1] >= words
    assert found[0] >= width * found[1]
    assert not any(clashes(reader, *found, array.banks) for reader in readers)
    size = (height - 1) * found[0] + (width - 1) * found[1]
    for pitch_x in range(words, found[1] + 2):
        for pitch_y in range(width * pitch_x, found[0] + 1):
            if (height - 1) * pitch_y + (width - 1) * pitch_x < size:
                assert any(clashes(reader, pitch_y, pitch_x, array.banks) for reader in readers)


def test_pitches_by_hand() -> None:
    # 16 banks. 16 channels: columns at 0, 4, 8, so rows must not lie a multiple of 4 apart (or of 2: 2 * 2 = 4).
    # 32 channels: columns at 0, 8, 16 = 0 clash; 9 apart they do not.
    array = Array()
    assert pitches(5, 5, 16, array, formers(16, array)[:1]) == (21, 4)
    found = pitches(5, 5, 32, array, formers(32, array)[:1])
    assert found is not None
    assert found[1] == 9


def test_a_gapless_layout_or_none() -> None:
    array = Array()
    assert pitches(5, 5, 16, array, [], gapless=True) == (20, 4)
    assert pitches(5, 5, 16, array, formers(16, array)[:1], gapless=True) is None


def test_words_and_jump() -> None:
    array = Array()
    layout = Layout(pitch_y=21, pitch_x=4, height=5, width=5, channels=14)
    assert layout.words(array) == 4 * 21 + 4 * 4 + 4
    assert layout.jump == 21 - 16
    assert packed(5, 5, 14, array, side=1) == Layout(side=1, pitch_y=20, pitch_x=4, height=5, width=5, channels=14)

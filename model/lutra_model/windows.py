"""How the window former cuts a layer's input into beats: lanes, parts and groups, before addresses are known.

A beat gathers one word for each lane. The choice here is the one with the fewest beats; docs/hardware.md says what
each arrangement makes of the gathered words.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .operation import Arrange
from .params import Array, Layer

__all__ = ["Former", "Place", "pool_former", "product_former"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one lane reads: a word and a pixel relative to the beat's; in groups before the last, and in the last."""

    word: int = 0
    dy: int = 0
    dx: int = 0
    enabled: bool = True
    enabled_last: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Former:
    """Beats of one output pixel: ``for group: for part_y: for part_x``.

    Parameters
    ----------
    lanes : one for each of the machine's lanes that is used, from lane 0 on.
    parts_y, parts_x, groups : their numbers.
    part_dy, part_dx : pixels from one part to the next.
    group_words : words from one group to the next.
    codebooks : int ``(slots, encoders)``, the layer's codebook that each encoder sees in each slot, -1 for none;
        without meaning in a pool.
    """

    arrange: Arrange
    lanes: tuple[Place, ...]
    parts_y: int = 1
    parts_x: int = 1
    groups: int = 1
    part_dy: int = 0
    part_dx: int = 0
    group_words: int = 0
    codebooks: NDArray[np.int64]

    @property
    def slots(self) -> int:
        """Beats of one output pixel."""
        return self.parts_y * self.parts_x * self.groups


def _up(count: int, size: int) -> int:
    return -(-count // size)


def _rectangle(kernel: tuple[int, int], length: int) -> tuple[int, int] | None:
    """Rows and columns of the window that a sub-vector covers, or None where it is no rectangle of whole parts."""
    height, width = kernel
    if length <= width:
        return (1, length) if width % length == 0 else None
    rows, rest = divmod(length, width)
    return (rows, width) if not rest and height % rows == 0 else None


def _numbers(former: Former, array: Array, parts: tuple[int, int], channels: int,
             channel: NDArray[np.int64], part_y: NDArray[np.int64], part_x: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codebook numbers from the channel and part that each encoder of each slot sees."""
    known = (channel < channels) & (part_y < parts[0]) & (part_x < parts[1])
    number = (channel * parts[0] + part_y) * parts[1] + part_x
    return np.where(known, number, -1).reshape(former.slots, array.encoders)


def _divisor(count: int, most: int) -> int:
    return max(size for size in range(1, min(count, most) + 1) if count % size == 0)


def _share(parts: int, most: int, layer: Layer) -> int:
    """Parts of a window that one beat covers; a layer without blank table words needs whole beats."""
    return min(parts, most) if layer.blank else _divisor(parts, most)


def _windowed(layer: Layer, channels: int, kernel: tuple[int, int], array: Array) -> Former | None:
    """Every encoder sees one channel: ``word`` channels side by side, words and parts of the window over groups."""
    cut = _rectangle(kernel, layer.length)
    if cut is None:
        return None
    parts = kernel[0] // cut[0], kernel[1] // cut[1]
    words = _up(channels, array.word)
    wide = min(array.groups, words)
    tall = _share(parts[0], array.groups // wide, layer)
    side = _share(parts[1], array.groups // wide // tall, layer)
    groups = _up(words, wide)
    rest = words - (groups - 1) * wide
    lanes = []
    for number in range(array.groups):
        word, row, column = number % wide, number // wide % tall, number // wide // tall
        used = column < side
        for v in range(array.length):
            on = used and v < layer.length
            lanes.append(Place(word=word, dy=row * cut[0] + v // cut[1], dx=column * cut[1] + v % cut[1],
                               enabled=on, enabled_last=on and word < rest) if on else
                         Place(enabled=False, enabled_last=False))
    former = Former(arrange=Arrange.WINDOW, lanes=tuple(lanes), parts_y=_up(parts[0], tall),
                    parts_x=_up(parts[1], side), groups=groups, part_dy=tall * cut[0], part_dx=side * cut[1],
                    group_words=wide, codebooks=np.empty(0, np.int64))
    group, py, px, number, byte = np.indices((groups, former.parts_y, former.parts_x, array.groups, array.word))
    channel = (group * wide + number % wide) * array.word + byte
    row, column = number // wide % tall, number // wide // tall
    channel = np.where(column < side, channel, channels)
    return replace(former, codebooks=_numbers(former, array, parts, channels, channel, py * tall + row,
                                              px * side + column))


def _run(layer: Layer, channels: int, kernel: tuple[int, int], array: Array) -> Former | None:
    """Every encoder sees ``length`` channels of one pixel, one after the other; groups of encoders see other taps."""
    if (kernel != (1, 1) and not layer.runs) or layer.length > array.longest_run:
        return None
    words = _up(channels, array.word)
    runs = _up(words, layer.length)  # groups of encoders that one pixel takes
    wide = min(array.groups, runs)
    tall = _share(kernel[0], array.groups // wide, layer)
    side = _share(kernel[1], array.groups // wide // tall, layer)
    groups = _up(runs, wide)
    rest = words - (groups - 1) * wide * layer.length
    lanes = []
    for number in range(array.groups):
        place, row, column = number % wide, number // wide % tall, number // wide // tall
        for v in range(array.length):
            word, on = place * layer.length + v, column < side and v < layer.length
            lanes.append(Place(word=word, dy=row, dx=column, enabled=on, enabled_last=on and word < rest) if on else
                         Place(enabled=False, enabled_last=False))
    former = Former(arrange=Arrange.RUN, lanes=tuple(lanes), parts_y=_up(kernel[0], tall), parts_x=_up(kernel[1], side),
                    groups=groups, part_dy=tall, part_dx=side, group_words=wide * layer.length,
                    codebooks=np.empty(0, np.int64))
    each = _up(channels, layer.length)  # codebooks of a tap
    group, py, px, number, byte = np.indices((groups, former.parts_y, former.parts_x, array.groups, array.word))
    run = (group * wide + number % wide) * array.word + byte
    y, x = py * tall + number // wide % tall, px * side + number // wide // tall
    known = (run < each) & (y < kernel[0]) & (x < kernel[1]) & (number // wide // tall < side)
    codebook = (y * kernel[1] + x) * each + run
    return replace(former, codebooks=np.where(known, codebook, -1).reshape(former.slots, array.encoders))


def _taps(layer: Layer, channels: int, kernel: tuple[int, int], array: Array) -> Former | None:
    """Every encoder sees another part of the window of the same channel: for images of few channels."""
    cut = _rectangle(kernel, layer.length)
    most = min(array.encoders, array.lanes // layer.length)
    if cut is None or channels > array.word or not most or layer.length > array.longest_run:
        return None
    parts = kernel[0] // cut[0], kernel[1] // cut[1]
    side = _share(parts[1], most, layer)
    tall = _share(parts[0], most // side, layer)
    lanes = tuple(Place(dy=e // side * cut[0] + v // cut[1], dx=e % side * cut[1] + v % cut[1])
                  for e in range(side * tall) for v in range(layer.length))
    former = Former(arrange=Arrange.TAPS, lanes=lanes, parts_y=_up(parts[0], tall), parts_x=_up(parts[1], side),
                    groups=channels, part_dy=tall * cut[0], part_dx=side * cut[1],
                    codebooks=np.empty(0, np.int64))
    channel, py, px, encoder = np.indices((channels, former.parts_y, former.parts_x, array.encoders))
    row, column = encoder // side, encoder % side
    channel = np.where(row < tall, channel, channels)
    return replace(former, codebooks=_numbers(former, array, parts, channels, channel, py * tall + row,
                                              px * side + column))


def product_former(layer: Layer, channels: int, kernel: tuple[int, int], array: Array) -> Former:
    """The former of a product on an image of so many channels; a linear layer has a 1 x 1 kernel.

    Raises ``ValueError`` where no arrangement makes the layer's sub-vectors.
    """
    ways = (_run,) if layer.runs else (_windowed, _run, _taps)
    found = [former for make in ways if (former := make(layer, channels, kernel, array))]
    if not found:
        raise ValueError(f"layer {layer.name} must have sub-vectors of whole rows of the {kernel[0]}x{kernel[1]} "
                         f"kernel (or of a divisor of a row) to have its windows formed on chip, not of {layer.length}")
    best = min(found, key=lambda former: former.slots)
    seen = np.sort(best.codebooks[best.codebooks >= 0])
    assert np.array_equal(seen, np.arange(layer.codebooks)), layer.name
    return best


def row_former(channels: int, passes: int, array: Array) -> Former:
    """The former of a row operation: one word of channels in a beat, all of them in each pass."""
    return Former(arrange=Arrange.WINDOW, lanes=(Place(),), parts_y=passes, parts_x=_up(channels, array.word),
                  codebooks=np.empty((0, 0), np.int64))


def pool_former(channels: int, kernel: tuple[int, int], array: Array) -> Former:
    """The former of a pool: a rectangle of the window in a beat, one word of channels after the other."""
    side = _divisor(kernel[1], array.pool_lanes)
    tall = _divisor(kernel[0], array.pool_lanes // side)
    lanes = tuple(Place(dy=n // side, dx=n % side) for n in range(side * tall))
    return Former(arrange=Arrange.WINDOW, lanes=lanes, parts_y=kernel[0] // tall, parts_x=kernel[1] // side,
                  groups=_up(channels, array.word), part_dy=tall, part_dx=side, group_words=1,
                  codebooks=np.empty((0, 0), np.int64))

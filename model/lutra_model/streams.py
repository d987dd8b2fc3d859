"""What the host puts on a program's input stream, and makes of its output stream."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .operation import Kind, Operation
from .params import Array

__all__ = ["input_beats", "output_image"]


def _order(operation: Operation) -> Iterator[tuple[slice, int]]:
    """Pixels and column tile of each run of beats."""
    first = 0
    for size in operation.block_sizes:
        for tile in range(operation.column_tiles):
            yield slice(first, first + size), tile
        first += size


def input_beats(operation: Operation, array: Array, images: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Beats ``(count * beats, columns)`` of a LOAD for images ``(count, pixels, channels)``."""
    count, pixels, channels = images.shape
    padded = np.zeros((count, pixels, -(-channels // operation.word_bytes) * operation.word_bytes), np.int8)
    padded[:, :, :channels] = images
    wide = np.zeros((count, operation.rows, operation.column_tiles * array.columns), np.int8)
    flat = padded.reshape(count, operation.rows, -1)
    wide[:, :, :flat.shape[2]] = flat
    tiles = wide.reshape(count, operation.rows, operation.column_tiles, array.columns)
    beats = np.concatenate([tiles[:, some, tile] for some, tile in _order(operation)], axis=1)
    return beats.reshape(-1, array.columns).view(np.uint8)


def output_image(operation: Operation, array: Array, beats: NDArray[np.uint8]) -> NDArray[np.int8]:
    """``(count, pixels, channels)`` from the beats ``(count * beats, columns)`` of the last operation."""
    size = array.word if operation.kind in (Kind.POOL, Kind.ROW) else array.columns
    each = operation.rows * operation.column_tiles
    if len(beats) % each:
        raise ValueError(f"outputs must be a multiple of {each} beats, not {len(beats)}")
    runs = beats.reshape(-1, each, array.columns)[:, :, :size].view(np.int8)
    found = np.zeros((len(runs), operation.rows, operation.column_tiles, size), np.int8)
    place = 0
    for some, tile in _order(operation):
        found[:, some, tile] = runs[:, place:place + some.stop - some.start]
        place += some.stop - some.start
    channels = (operation.column_tiles - 1) * size + operation.last_columns
    return found.reshape(len(runs), operation.rows, -1)[:, :, :channels]

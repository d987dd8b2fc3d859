"""What the host sends to the machine and makes of its answer: beats packed in the order of docs/hardware.md."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .network import Product
from .schedule import PARAMETER_BEATS, Schedule

__all__ = ["Traffic", "pack", "unpack"]

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Traffic:
    """The beats of one layer: ``(beats, bytes)`` for each input stream, eight words for the command stream."""

    command: list[int]
    activations: Bytes
    tables: Bytes


def _slotted(symbols: NDArray[np.int8], schedule: Schedule) -> NDArray[np.int8]:
    """``(row tiles, slots, encoders, ...)`` from ``(codebooks, ...)``, zeros where no codebook is."""
    array = schedule.array
    slots = -(-array.rows // array.encoders)
    full = np.zeros((schedule.row_tiles, slots * array.encoders, *symbols.shape[1:]), np.int8)
    for tile, used in enumerate(schedule.used_rows):
        full[tile, :used] = symbols[tile * array.rows:tile * array.rows + used]
    return full.reshape(schedule.row_tiles, slots, array.encoders, *symbols.shape[1:])


def _wide(symbols: NDArray[np.int8], length: int) -> NDArray[np.int8]:
    """The last axis padded with zeros to ``length``."""
    return np.pad(symbols, [(0, 0)] * (symbols.ndim - 1) + [(0, length - symbols.shape[-1])])


def _centroid_beats(schedule: Schedule, centroids: NDArray[np.int8]) -> list[Bytes]:
    array = schedule.array
    slotted = _slotted(_wide(centroids, array.length), schedule)  # tile, slot, encoder, entry, lane
    return [slotted[tile, :slots].transpose(0, 2, 1, 3).reshape(-1, array.encoders * array.length).view(np.uint8)
            for tile, slots in enumerate(schedule.slots)]


def _activation_beats(schedule: Schedule, columns: NDArray[np.int8]) -> list[Bytes]:
    layer, array = schedule.layer, schedule.array
    padded = np.zeros((layer.codebooks * layer.length, layer.rows), np.int8)
    padded[:len(columns)] = columns
    vectors = padded.reshape(layer.codebooks, layer.length, layer.rows).transpose(0, 2, 1)
    slotted = _slotted(_wide(vectors, array.length), schedule)  # tile, slot, encoder, row, lane
    beats, start = [], 0
    for size in schedule.block_sizes:
        for tile, slots in enumerate(schedule.slots):
            part = slotted[tile, :slots, :, start:start + size].transpose(2, 0, 1, 3)
            beats.append(part.reshape(-1, array.encoders * array.length).view(np.uint8))
        start += size
    return beats


def _parameters(node: Product) -> Bytes:
    """``(PARAMETER_BEATS, columns)``: bias, multiplier and shift, bytewise."""
    words = np.zeros((node.table.shape[2], PARAMETER_BEATS), np.uint8)
    words[:, :4] = node.bias.astype("<i4")[:, None].view(np.uint8)
    words[:, 4:6] = node.multiplier.astype("<u2")[:, None].view(np.uint8)
    words[:, 6] = node.shift
    return words.T


def _table_beats(schedule: Schedule, node: Product) -> list[Bytes]:
    array = schedule.array
    wide = schedule.column_tiles * array.columns
    table = np.zeros((*node.table.shape[:2], wide), np.uint8)
    table[:, :, :node.table.shape[2]] = node.table.view(np.uint8)
    parameters = np.zeros((PARAMETER_BEATS, wide), np.uint8)
    parameters[:, :node.table.shape[2]] = _parameters(node)
    beats = []
    for column in range(0, wide, array.columns):
        beats.append(table[:, :, column:column + array.columns].reshape(-1, array.columns))
        beats.append(parameters[:, column:column + array.columns])
    return beats * schedule.blocks


def pack(schedule: Schedule, node: Product, columns: NDArray[np.int8]) -> Traffic:
    """Everything the host sends for one layer; ``columns`` is ``(reduction, rows)``, as ``golden.windows`` gives it."""
    assert columns.shape == (schedule.layer.reduction, schedule.layer.rows)
    centroids = [] if node.centroids is None else _centroid_beats(schedule, node.centroids)
    return Traffic(schedule.descriptor(low=node.low, high=node.high),
                   np.concatenate(centroids + _activation_beats(schedule, columns)),
                   np.concatenate(_table_beats(schedule, node)))


def unpack(schedule: Schedule, beats: Bytes) -> NDArray[np.int8]:
    """``(rows, columns)`` from the output beats ``(beats, bytes)``."""
    layer, array = schedule.layer, schedule.array
    out = np.zeros((layer.rows, schedule.column_tiles * array.columns), np.int8)
    position = row = 0
    for size in schedule.block_sizes:
        for tile in range(schedule.column_tiles):
            part = beats[position:position + size].view(np.int8)
            out[row:row + size, tile * array.columns:(tile + 1) * array.columns] = part
            position += size
        row += size
    assert position == len(beats)
    return out[:, :layer.columns]

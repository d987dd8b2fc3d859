"""Images of the table and codebook memories, in the order in which docs/hardware.md loads them."""

import numpy as np
from numpy.typing import NDArray

from . import ternary
from .network import LayerNorm, Product
from .operation import Kind, Operation
from .params import Array
from .whole import up

__all__ = ["codebook_words", "row_beats", "table_beats", "table_words"]

Bytes = NDArray[np.uint8]


def table_words(operation: Operation, array: Array) -> int:
    """Table beats of one block of a product, its finisher's parameters included; a norm has nothing else."""
    if array.cell.vector:
        return operation.features(array) * (operation.row_tiles + array.parameter_beats)
    each = array.cell.group_beats(operation.entries)
    tables = 0 if operation.kind is Kind.ROW else operation.row_groups(array) * each
    return operation.column_tiles * (tables + array.parameter_beats)


def codebook_words(operation: Operation, array: Array) -> int:
    """Codebook words of a product."""
    return array.cell.codebook_words(operation, array)


def _by_row(node: Product, order: NDArray[np.int64], operation: Operation, array: Array) -> NDArray[np.int8]:
    """Tables ``(row tiles * rows, words, column tiles * columns)`` by array row; unused rows and columns are 0."""
    wide = operation.column_tiles * array.columns
    found = np.zeros((operation.row_tiles * array.rows, node.table.shape[1], wide), np.int8)
    numbers = order.reshape(-1)
    rows = np.flatnonzero(numbers >= 0)
    found[rows, :, :node.table.shape[2]] = node.table[numbers[rows]]
    return found


def _parameters(node: Product, wide: int, array: Array) -> Bytes:
    """Finisher parameters ``(beats, bytes, wide)``: byte ``q`` in word ``q mod words`` of beat ``q div words``."""
    count = node.table.shape[2]
    found = np.zeros((array.parameter_beats * array.parameter_words, wide), np.uint8)
    found[:4, :count] = node.bias.astype("<i4")[:, None].view(np.uint8).T
    found[4:6, :count] = node.multiplier.astype("<u2")[:, None].view(np.uint8).T
    found[6, :count] = node.shift
    for number, row in enumerate(node.coding.parameters(node), start=7):
        found[number, :count] = row
    return found.reshape(-1, array.parameter_words, wide)


def row_beats(node: LayerNorm, operation: Operation, array: Array) -> Bytes:
    """``(beats, beat bytes)`` of a norm: the parameters of the channels of each word, in its first columns.

    Byte 6 is the shift, and 128 more where the multiplier is negative.
    """
    wide = operation.column_tiles * array.word
    found = np.zeros((array.parameter_beats * array.parameter_words, wide), np.uint8)
    count = len(node.bias)
    found[:4, :count] = node.bias.astype("<i4")[:, None].view(np.uint8).T
    found[4:6, :count] = np.abs(node.multiplier).astype("<u2")[:, None].view(np.uint8).T
    found[6, :count] = node.shift + 128 * (node.multiplier < 0)
    tiles = found.reshape(array.parameter_beats, array.parameter_words, operation.column_tiles, array.word)
    beats = np.zeros((operation.column_tiles, array.parameter_beats, array.parameter_words, array.columns), np.uint8)
    beats[..., :array.word] = tiles.transpose(2, 0, 1, 3)
    return beats.reshape(-1, array.parameter_words * array.columns)


def _packed(words: Bytes, bits: int) -> Bytes:
    """The low ``bits`` of each word ``(beats, words)``, one after the other, least significant first, as bytes."""
    if bits == 8:
        return words
    places = (words[:, :, None] >> np.arange(bits, dtype=np.uint8)) & 1
    return np.packbits(places.reshape(len(words), -1), axis=1, bitorder="little")


def _features(node: Product, order: NDArray[np.int64], operation: Operation, array: Array) -> Bytes:
    """Code words of a vector machine: for sweep, row tile, feature; in the last row tile after its parameters."""
    codes = _by_row(node, order, operation, array).view(np.uint8)[:, 0, :operation.features(array)]
    known = (order.reshape(-1) >= 0)[:, None]
    words = np.zeros_like(codes)
    words[:len(known)] = np.where(known, ternary.sign_ranks(array.length)[codes[:len(known)]], 0)
    tiles = words.reshape(operation.row_tiles, array.rows, -1).transpose(0, 2, 1)
    parameters = _parameters(node, operation.features(array), array).transpose(2, 0, 1)
    last = np.concatenate([parameters, tiles[-1][:, None]], axis=1)
    beats, each = [], operation.sweep * array.columns
    for first in range(0, operation.features(array), each):
        beats += [tile[first:first + each] for tile in tiles[:-1]]
        beats.append(last[first:first + each].reshape(-1, array.rows))
    return np.concatenate(beats)


def table_beats(node: Product, order: NDArray[np.int64], operation: Operation, array: Array) -> Bytes:
    """``(beats, beat bytes)``: for column tile, row tile, group of fill rows, entry; then the parameters.

    In a vector machine: for sweep, row tile, feature, a code word; in the last row tile after the feature's parameters.

    ``order`` is the codebook that each encoder of each slot sees, as in `Former`.
    """
    if array.cell.vector:
        return _features(node, order, operation, array)
    tables, columns = _by_row(node, order, operation, array).view(np.uint8), array.columns
    parameters = _parameters(node, tables.shape[2], array)
    beats = []
    for first in range(0, tables.shape[2], columns):
        for tile, slots in enumerate(operation.tile_slots(array)):
            groups = up(slots * array.encoders, array.fill)
            start = tile * array.rows
            part = tables[start:start + groups * array.fill, :, first:first + columns]
            part = part.reshape(groups, array.fill, tables.shape[1], columns).transpose(0, 2, 1, 3)
            beats.append(_packed(part.reshape(-1, array.fill * columns), array.cell_bits))
        beats.append(parameters[:, :, first:first + columns].reshape(-1, array.parameter_words * columns))
    return np.concatenate(beats)

"""A matrix product on a bare array: the passes that make it, the sums that they give, and the board that does both."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lutra_model import link, ternary
from lutra_model.bare import FIRST, LAST, LEARN, LOAD, Bare, command
from lutra_model.codings import BitPlanes, Coding, Levels, Nearest, Tree
from lutra_model.codings.base import sub_vectors
from lutra_model.exchange import Exchange

from .host import Jobs

__all__ = ["BareHost", "Pass", "passes", "symbols", "totals"]

Beats = NDArray[np.uint8]
Int8 = NDArray[np.int8]
Streams = tuple[tuple[str, Beats], ...]  # name of a channel of the link, and its beats, uint8 ``(beats, bytes)``


@dataclass(frozen=True)
class Pass:
    """One command and the beats that it takes, in their order.

    Parameters
    ----------
    word : of the command stream.
    streams : beats of activations and tables.
    block, tile : of the product's rows and columns, where sums that leave go.
    leaves : whether they do.
    cycles : what it takes where no stream waits.
    """

    word: int
    streams: Streams
    block: slice
    tile: slice
    leaves: bool
    cycles: int


def symbols(coding: Coding, table: Int8, columns: Int8) -> NDArray[np.int64]:
    """What the array's rows are told, ``(codebooks, rows, scalars)``, by activations ``(reduction, rows)``."""
    if isinstance(coding, Nearest | Tree):
        return coding.encode(columns).astype(np.int64)[..., None]
    if isinstance(coding, Levels):
        return coding.codes(columns).astype(np.int64)[..., None]
    return sub_vectors(columns, len(table), coding.length).swapaxes(1, 2).astype(np.int64)


def _packed(values: NDArray[np.int64], bits: int, size: int) -> Beats:
    """Beats of ``size`` bytes of ``values``, ``(beats, numbers)``, of so many bits each, the first lowest."""
    places = (values[..., None] >> np.arange(bits)) & 1
    found = np.packbits(places.reshape(len(values), values.shape[1] * bits).astype(np.uint8), axis=1, bitorder="little")
    return np.pad(found, ((0, 0), (0, size - found.shape[1])))


def _table(array: Bare, table: NDArray[np.int64]) -> Beats:
    """Table beats of a tile ``(rows, entries, columns)``: ``for group: for entry``."""
    rows, entries, columns = table.shape
    padded = np.zeros((array.rows, entries, array.columns), np.int64)
    padded[:rows, :, :columns] = table
    beats = padded.reshape(-1, array.fill, entries, array.columns).swapaxes(1, 2)
    return _packed(beats.reshape(-1, array.fill * array.columns), array.cell_bits, array.beat_bytes)


def _activations(array: Bare, told: NDArray[np.int64]) -> Beats:
    """Activation beats of ``(codebooks, rows, scalars)``: one for each row."""
    padded = np.pad(told, ((0, array.rows - len(told)), (0, 0), (0, 0))).swapaxes(0, 1)
    bits = 8 if padded.shape[2] > 1 else array.cell.symbol_bits(array)
    return _packed(padded.reshape(len(padded), -1), bits, array.activation_bytes)


def _learnt(array: Bare, coding: Coding, tile: slice) -> Beats:
    """What comes once for a tile: an encoder's codebook, or the layer's table of levels."""
    order = np.pad(np.arange(tile.start, tile.stop), (0, array.rows - (tile.stop - tile.start)), constant_values=-1)
    beats = coding.codebook_beats(order[None], array)
    return np.pad(beats, ((0, 0), (0, array.activation_bytes - beats.shape[1])))


def _slices(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def passes(array: Bare, coding: Coding, table: Int8, columns: Int8) -> Iterator[Pass]:
    """The passes of a product of activations ``columns``, int8 ``(reduction, rows)``, by a layer's table.

    ``for block: for column tile: for row tile``. The table is one group's, ``(codebooks, entries, columns)``.
    """
    told = sub_vectors(columns, len(table), array.length).swapaxes(1, 2).astype(np.int64) if array.encoded else \
        symbols(coding, table, columns)
    (codebooks, _, outputs), rows = table.shape, columns.shape[1]
    vector = array.cell.vector
    words = ternary.sign_ranks(array.length)[table[:, 0].view(np.uint8)].astype(np.int64)[:, None] if vector else \
        table.astype(np.int64)
    tiles = _slices(codebooks, array.rows)
    block, width = (array.columns, array.block_rows) if vector else (array.block_rows, array.columns)
    entries, learns = coding.entries(table), array.encoded or isinstance(coding, Levels)
    for part in _slices(rows, block):
        for tile in _slices(outputs, width):
            for row in tiles:
                flags = LOAD | LEARN * learns | FIRST * (row is tiles[0]) | LAST * (row is tiles[-1])
                activations = _activations(array, told[row, part])
                if vector:
                    codes = np.pad(words[row, 0, tile], ((0, array.rows - (row.stop - row.start)), (0, 0)))
                    count, entries = tile.stop - tile.start, part.stop - part.start
                    streams: Streams = (("activations", activations), ("tables", codes.T.astype(np.uint8)))
                else:
                    count = part.stop - part.start
                    streams = (("tables", _table(array, words[row, :, tile])), ("activations", activations))
                    if learns:
                        streams = (("activations", _learnt(array, coding, row)), *streams)
                yield Pass(command(count, entries, flags), streams, part, tile, bool(flags & LAST),
                           array.pass_cycles(count, entries, flags))


def totals(array: Bare, coding: Coding, columns: Int8, made: list[Pass], beats: Beats, outputs: int) -> \
        NDArray[np.int64]:
    """The product's sums, int64 ``(rows, outputs)``, of the beats of all passes, ``(beats, output bytes)``.

    The host adds what only the activations say: a zero point's share, in bit planes.
    """
    size = array.sum_bytes
    raw = beats.reshape(len(beats), array.columns, size).astype(np.int64)
    sums = (raw << 8 * np.arange(size)).sum(axis=2)
    sums -= (sums >> 8 * size - 1 & 1) << 8 * size
    found, at = np.zeros((columns.shape[1], outputs), np.int64), 0
    for one in made:
        if one.leaves:
            block, tile = one.block.stop - one.block.start, one.tile.stop - one.tile.start
            count = tile if array.cell.vector else block
            part = sums[at:at + count]
            found[one.block, one.tile] = part[:, :block].T if array.cell.vector else part[:, :tile]
            at += count
    if isinstance(coding, BitPlanes):
        found -= columns.sum(axis=0, dtype=np.int64)[:, None] * coding.zero.astype(np.int64)
    return found


class BareHost(Jobs):
    """A board that holds a bare array."""

    def product(self, array: Bare, coding: Coding, table: Int8, columns: Int8) -> NDArray[np.int64]:
        """A layer's sums, int64 ``(rows, outputs)``, of activations ``columns``, int8 ``(reduction, rows)``.

        Each block of rows is a job. Raises as `lutra_sim.fpga.host.Host.run` does.
        """
        made = list(passes(array, coding, table, columns))
        beats: list[Beats] = []
        job: list[bytes] = []
        for one in made:
            job += link.frames("command", np.array([[one.word]], "<u4").view(np.uint8))
            for channel, stream in one.streams:
                job += link.frames(channel, stream)
            if one.leaves:
                beats.append(self._repeat(partial(self._job, array, job)).beats)
                job = []
        return totals(array, coding, columns, made, np.concatenate(beats), table.shape[2])

    def _job(self, array: Bare, frames: list[bytes]) -> Exchange:
        return self._exchange(array, [link.hello(secrets.token_bytes(link.NONCE_BYTES)), *frames,
                                      *link.frames("status")])

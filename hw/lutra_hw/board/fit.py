"""The machine of an engine, or of a network, on a board: cells and memory as its own array has them."""

from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from math import gcd
from typing import Any

from lutra_model import fit
from lutra_model.bare import Bare
from lutra_model.engines import engine_of
from lutra_model.network import Network
from lutra_model.params import Array

from .boards import Board

__all__ = ["bare_array", "engine_array", "network_array"]

WHOLE = 256  # words: the two halves of the index memory share block RAMs of 512
CHANNELS = 4  # in a word of activation memory, at most
NOTHING: Mapping[str, Any] = {}


def engine_array(board: Board, engine: str, *, rows: int | None = None, columns: int | None = None,
                 encoders: int | None = None, **fields: Any) -> Array:
    """A machine of the engine with the board's cells, and with as many bytes in each memory as its own array has.

    Other ``rows`` and ``columns`` leave the memories' depths. ``fields`` are others of `Array`. Raises ``ValueError``
    for an unknown engine, or sizes that make no machine.
    """
    own = _plain(board.array)
    made = _shaped(own.resized(engine=engine, **engine_of(engine).typical | fields), board, None)
    full = replace(made, **_memories(own, made) | fields)
    return _shaped(full.resized(rows=rows or own.rows, columns=columns or own.columns, encoders=1), board, encoders)


def bare_array(board: Board, engine: str, *, rows: int | None = None, columns: int | None = None,
               encoders: int | None = None, **fields: Any) -> Bare:
    """The bare array of the engine's machine; with encoders, as many as rows, where ``encoders`` says so.

    Tables lie in block RAM where the part has no other; INT8 cells take the part's multipliers first. Raises
    ``ValueError`` as :func:`engine_array` does.
    """
    made = engine_array(board, engine, rows=rows, columns=columns, **fields)
    block = engine == "lookup" and not board.part.ramw
    hard = min(board.part.dsp, made.cells) if (engine, made.weight_bits) == ("mac", 8) else -1
    sizes = _sizes(made) | {"encoders": encoders or 1, "lanes": 0, "word": 0}
    return Bare(**sizes, encoded=bool(encoders), block_tables=block, multipliers=hard)


def network_array(board: Board, network: Network, *, rows: int | None = None, columns: int | None = None,
                  encoders: int | None = None, **fields: Any) -> Array:
    """The machine that runs the network, with the board's cells and memories just large enough.

    Tables beyond those of the board's own array are streamed. ``fields`` are others of `Array`; of memories only
    ``block_rows`` and ``index_words``, as the most that there may be. Raises ``ValueError`` for a network whose layers
    ask for several machines, or sizes that make none.
    """
    own = _plain(board.array)
    found = fit.arrays(network, rows=rows or own.rows, columns=columns or own.columns, encoders=1)
    if not found:
        raise ValueError(f"network {network.name} must have a layer that runs on an array")
    if len({*found.values()}) > 1:
        raise ValueError(f"network {network.name} must need one machine, for a board holds one, not a machine for "
                         f"each of {', '.join(sorted(found))}; convert it to one scheme")
    made = replace(_shaped(next(iter(found.values())), board, encoders, fields),
                   **{"block_rows": own.block_rows, "index_words": own.index_words} | fields)
    return fit.sized(network, made, table_bytes=own.table_words * own.beat_bytes)


def _sizes(array: Array) -> dict[str, Any]:
    """The fields that a machine and a bare array have in common."""
    return {field.name: getattr(array, field.name) for field in fields_of(Array)}


def _plain(array: Array) -> Array:
    """The machine of a bare array's sizes; a machine as it is."""
    return Array(**_sizes(array))


def _shaped(array: Array, board: Board, encoders: int | None, given: Mapping[str, Any] = NOTHING) -> Array:
    """The same cells with what feeds and fills them as it is given, or else as the board has it.

    Encoders that hold codebooks are as many as the board's; others, which cost little, take a word of channels.
    """
    own = _plain(board.array)
    few = own.encoders if array.cell.slot_words(array, 1) else gcd(CHANNELS, array.rows, array.columns)
    made = array.resized(encoders=encoders or min(few, array.rows), **given)
    fill = gcd(own.fill, made.rows)
    whole = array.cell.vector or fill * made.cell_bits % 8
    ours = {"fill": made.rows if whole else fill, "lanes": max(own.lanes, made.length * made.groups)}
    return replace(made, **ours | dict(given))


def _memories(own: Array, array: Array) -> dict[str, int]:
    """Depths at which the array's memories have the bytes of the board's own array of as many cells."""
    def depth(words: int, width: int, other: int) -> int:
        return max(WHOLE, words * width // other // WHOLE * WHOLE)

    return {"codebooks": own.codebooks * own.length // array.length,
            "index_words": depth(own.index_words, own.cell.symbol_bits(own), array.cell.symbol_bits(array)),
            "activation_words": depth(own.activation_words, own.word, array.word),
            "table_words": depth(own.table_words, own.beat_bytes, array.beat_bytes),
            "codebook_words": depth(own.codebook_words, own.codebook_bytes, array.codebook_bytes or own.codebook_bytes)}

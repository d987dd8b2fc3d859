"""Encoders and cells by the name of a machine's engine, with the widths that the machine around them needs.

`lutra_model.engines` holds the model's side of the same names; widths are derived here once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from amaranth.hdl import Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .signals import bits

__all__ = ["ENGINES", "Engine", "beat_width", "cells_signature", "centroid_width", "encoder_signature", "engine_of",
           "lane_width", "register", "sum_width", "symbol_width", "tree_width"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One kind of encoder and cell.

    Parameters
    ----------
    symbol : bits of what a row is told.
    term : bits of what a cell adds to its column's sum.
    encoder, cells : components of `encoder_signature` and `cells_signature`.
    cell : bits of a cell's table word.
    slot : codebook words that a slot loads, from the signal that holds its operation's entries less one; None: the
        encoders have no codebooks.
    hold : cycles that a loaded codebook must stay after ``turn``.
    parameters : parameter bytes of a column.
    planes : a row is issued once for each of its operation's entries, which are planes of the weights.
    gain : bits that a column's sum has beyond that of its terms.
    lane : bits of what one row of cells adds to the sum lane, see `SumLane`; None: there is none.
    codebook : bytes of a word of codebook memory.
    levels : what the loader does with a layer's table of levels, which lies in codebook memory: ``expand`` each table
        beat by it, ``preload`` it before an operation's first tile; "": there is none.
    beat : bits of a table beat; None: a table word of every column for each of ``fill`` rows.
    core : component of `Core`'s ports, where another order of work asks for one.
    """

    symbol: Callable[[Array], int]
    term: Callable[[Array], int]
    encoder: Callable[[Array], wiring.Component]
    cells: Callable[[Array], wiring.Component]
    cell: Callable[[Array], int] = lambda array: 8
    slot: Callable[[Array, Value], Value] | None = None
    hold: Callable[[Array], int] = lambda array: 0
    parameters: int = 7
    planes: bool = False
    gain: Callable[[Array], int] = lambda array: 0
    lane: Callable[[Array], int] | None = None
    codebook: Callable[[Array], int] = lambda array: array.encoders * array.length
    levels: Literal["", "expand", "preload"] = ""
    beat: Callable[[Array], int] | None = None
    core: Callable[[Array], wiring.Component] | None = None


ENGINES: dict[str, Engine] = {}


def register(name: str, engine: Engine) -> None:
    """Add an engine under the name that its model has."""
    ENGINES[name] = engine


def engine_of(array: Array) -> Engine:
    """The engine of a machine."""
    from . import kinds  # noqa: F401  registers what the project has

    return ENGINES[array.engine]


def symbol_width(array: Array) -> int:
    """Bits of what a row is told: an index, an activation, a sub-vector."""
    return engine_of(array).symbol(array)


def sum_width(array: Array, codebooks: int) -> int:
    """Bits of a column's sum over so many codebooks."""
    return engine_of(array).term(array) + engine_of(array).gain(array) + (codebooks - 1).bit_length()


def tree_width(array: Array) -> int:
    """Bits of a column's sum over the rows."""
    return sum_width(array, array.rows)


def lane_width(array: Array, codebooks: int) -> int:
    """Bits of the sum lane's sum over so many codebooks."""
    lane = engine_of(array).lane
    return lane(array) + (codebooks - 1).bit_length() if lane else 0


def centroid_width(array: Array) -> int:
    """Bits of an encoder's share of a codebook word."""
    engine = engine_of(array)
    return 8 * (engine.codebook(array) // array.encoders if engine.slot else array.length)


def beat_width(array: Array) -> int:
    """Bits of a table beat."""
    if beat := engine_of(array).beat:
        return beat(array)
    return engine_of(array).cell(array) * array.columns * array.fill


def encoder_signature(array: Array) -> wiring.Signature:
    """Ports of an encoder.

    load, entry, centroid : codebook word ``entry`` of the slot that comes next. turn : that slot begins, with the
    sub-vector that comes in this cycle. vector, data : a sub-vector. entry_mask : entries that the operation's tables
    have, one bit each. zero, last : of the operation's table of levels, the zero level and the last. o : its symbol,
    ``Pipeline.encode`` cycles later.
    """
    return wiring.Signature({
        "load": In(1), "entry": In(bits(array.entries)), "centroid": In(centroid_width(array)), "turn": In(1),
        "vector": In(1), "data": In(8 * array.length), "entry_mask": In(array.entries), "zero": In(6), "last": In(6),
        "o": Out(symbol_width(array))})


def cells_signature(array: Array) -> wiring.Signature:
    """Ports of an array of cells with its adder trees.

    load : write of a table word of every column for a group of rows, one cycle after its beat was taken. turn : the
    loaded tile is that of the rows issued from the next cycle on. valid, bank, used, symbols : a row, one cycle after
    its issue: bank of its tile, array rows used, what they are told. o : the sums, signed, column 0 lowest,
    ``1 + Pipeline.tree`` cycles after ``valid``. plane, opens : of an engine with planes, number of the plane, whether
    it is the row's first. lane : of an engine with a sum lane, its sum.
    """
    from .loader import table_write

    planes = {"plane": In(bits(array.entries)), "opens": In(1)} if engine_of(array).planes else {}
    lane = {"lane": Out(signed(lane_width(array, array.rows)))} if engine_of(array).lane else {}
    return wiring.Signature({
        "load": In(table_write(array)), "turn": In(1), "valid": In(1), "bank": In(1), "used": In(array.rows),
        "symbols": In(symbol_width(array) * array.rows), "o": Out(tree_width(array) * array.columns), **planes, **lane})

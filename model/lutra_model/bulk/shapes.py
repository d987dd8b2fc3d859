"""The steps of a workload on many machines: tiles and blocks, and the memories that they need."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines.base import rectangles
from ..params import Array, Layer
from ..whole import least, most, up
from ..workloads import Work
from .designs import Designs, Layers, Operations

__all__ = ["Formed", "Kinds", "Step", "blocks", "cut", "formed", "in_blocks", "kinds", "nameless", "step"]

CONSTANT = ("kind", "arrange", "maximum", "to_stream", "residual", "final", "function", "second")
NUMBERS = ("lane_reads", "used_lanes", "words_inside", "parts_x", "parts_y", "groups", "row_tiles", "last_slots",
           "column_tiles", "last_columns", "blocks", "block", "last_block", "word_bytes", "entries", "length")


@dataclass(frozen=True)
class Step:
    """One work on each machine.

    Parameters
    ----------
    layer : of a product.
    operation : in one block.
    fits : whether the index memory holds a row of each, and its cells a table.
    """

    work: Work
    layer: Layer | None
    operation: Operations
    fits: NDArray[np.bool_]


@dataclass(frozen=True)
class Kinds:
    """Machines that form windows in so many ways (with tables of so many entries); which of them each machine is."""

    each: tuple[tuple[Array, int], ...]
    which: NDArray[np.int64]


@dataclass(frozen=True)
class Formed:
    """One work on each kind of machine: its layer, its operation's constant fields, and its numbers."""

    work: Work
    layer: Layer | None
    constant: dict[str, Any]
    numbers: dict[str, Any]        # a number that all kinds share, or an array (kinds,)
    layer_numbers: dict[str, Any]  # of the layer, where each machine cuts its own


def cut(work: Work, length: int, entries: int) -> Work:
    """The work with tables of so many entries for the longest sub-vectors that are not longer than ``length``.

    They are not longer than the work's own, either, and whole rows of its window or parts of one.
    """
    if work.layer is None or work.layer.is_dense:
        return work
    assert work.window
    size = rectangles(work.window.kernel, min(length, work.layer.length))[-1]
    return replace(work, layer=replace(work.layer, codebooks=up(work.layer.reduction, size), length=size,
                                       entries=entries))


@lru_cache(maxsize=1 << 14)
def _on(work: Work, array: Array) -> tuple[dict[str, Any], tuple[int, ...]]:
    """A work on a machine that forms windows so: `CONSTANT` fields, `NUMBERS`; in blocks of a row, whatever follows."""
    operation = work.operation(array, block=1)
    return ({name: getattr(operation, name) for name in CONSTANT},
            tuple(getattr(operation, name) for name in NUMBERS))


def kinds(designs: Designs, recut: bool) -> Kinds:
    """The kinds of machines among many; with their entries where layers are cut by them."""
    formers, which = designs.formers
    if not recut:
        return Kinds(tuple((former, 0) for former in formers), which)
    sizes, entry = np.unique(np.broadcast_to(designs.entries, len(designs)), return_inverse=True)
    return Kinds(tuple((former, int(size)) for former in formers for size in sizes), which * len(sizes) + entry)


def _shared(values: Sequence[int]) -> Any:
    return values[0] if len(set(values)) == 1 else np.array(values)


def formed(work: Work, some: Kinds) -> Formed:
    """The work on each kind of machine, cut by it where its entries are given."""
    works = [cut(work, former.length, entries) if entries else work for former, entries in some.each]
    found, layer = [_on(one, former) for one, (former, _) in zip(works, some.each, strict=True)], works[0].layer
    numbers = zip(NUMBERS, zip(*(numbers for _, numbers in found), strict=True), strict=True)
    own = ("codebooks", "length", "entries") if layer and any(one.layer != layer for one in works) else ()
    return Formed(work, layer, found[0][0], {name: _shared(values) for name, values in numbers},
                  {name: _shared([getattr(one.layer, name) for one in works]) for name in own})


def nameless(work: Work) -> Work:
    """The work without names: equal ones are alike."""
    return replace(work, name="", layer=work.layer and replace(work.layer, name=""))


def step(shape: Formed, designs: Designs, which: NDArray[np.int64]) -> Step:
    """The work on machines of such kinds, a product in one block."""
    def each(numbers: dict[str, Any]) -> dict[str, Any]:
        return {name: value[which] if isinstance(value, np.ndarray) else value for name, value in numbers.items()}

    numbers, layer = each(shape.numbers), shape.layer
    if layer is None:
        return Step(shape.work, None, Operations(**numbers, **shape.constant), np.ones(len(designs), bool))
    if shape.layer_numbers:
        layer = Layers(**{field.name: getattr(layer, field.name) for field in fields(Layer)}
                       | each(shape.layer_numbers))
    slots = numbers["parts_x"] * numbers["parts_y"] * numbers["groups"]
    row_tiles, column_tiles = up(slots, designs.slots), up(layer.columns, designs.columns)
    numbers |= {"row_tiles": row_tiles, "last_slots": slots - (row_tiles - 1) * designs.slots,
                "column_tiles": column_tiles, "last_columns": layer.columns - (column_tiles - 1) * designs.columns,
                "blocks": 1, "block": layer.rows, "last_block": layer.rows}
    fits = (designs.index_words >= row_tiles) & (designs.entries >= layer.entries)
    return Step(shape.work, layer, Operations(**numbers, **shape.constant), np.broadcast_to(fits, len(designs)))


def in_blocks(one: Step, designs: Designs) -> Step:
    """A product whose tables are streamed: as few blocks as can be, of one size but for the last."""
    if one.layer is None:
        return one
    rows, operation = one.layer.rows, one.operation
    room = most(least(designs.block_rows, designs.index_words // operation.row_tiles), 1)
    return replace(one, operation=replace(operation, **blocks(rows, up(rows, up(rows, room))), stream_tables=True))


def blocks(rows: int, size: Any) -> dict[str, Any]:
    """Blocks of so many rows, the last one smaller."""
    count = up(rows, size)
    return {"blocks": count, "block": size, "last_block": rows - (count - 1) * size}

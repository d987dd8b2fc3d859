"""The steps of a workload on many machines: tiles and blocks, and the memories that they need."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines.base import rectangles
from ..operation import Kind, Operation
from ..params import Array, Layer
from ..whole import least, most, up
from ..workloads import Work
from .designs import Designs, Layers, Operations

__all__ = ["Step", "cut", "in_blocks", "steps"]

OF_LANES = ("lane_reads", "used_lanes", "words_inside")
NUMBERS = ("parts_x", "parts_y", "groups", "row_tiles", "last_slots", "column_tiles", "last_columns", "blocks", "block",
           "last_block", "word_bytes", "entries", "length", "function", "second")


@dataclass(frozen=True)
class Step:
    """One work on each machine.

    Parameters
    ----------
    layer : of a product.
    operation : in one block.
    fits : whether the index memory holds a row of each.
    """

    work: Work
    layer: Layer | None
    operation: Operations
    fits: NDArray[np.bool_]


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
def _formed(work: Work, array: Array) -> tuple[Layer | None, Operation, dict[str, int]]:
    """A work on a machine that forms windows so, and its numbers; a row in a block, which nothing here depends on."""
    operation = work.operation(array, block=1)
    return work.layer, operation, {name: getattr(operation, name) for name in (*NUMBERS, *OF_LANES)}


def _stacked(values: list[Any], which: NDArray[np.int64]) -> Any:
    """Numbers by kind of machine as one for each; a number that all share stays one."""
    return values[0] if all(value == values[0] for value in values) else np.array(values)[which]


def _shapes(designs: Designs, length: int | None) -> tuple[list[tuple[Array, int]], NDArray[np.int64]]:
    """Kinds of machines with the entries of each, and which each place is."""
    formers, which = designs.formers
    if length is None or not isinstance(designs.entries, np.ndarray):
        entries = int(np.max(designs.entries))
        return [(former, entries) for former in formers], which
    sizes, entry = np.unique(designs.entries, return_inverse=True)
    return [(former, int(size)) for former in formers for size in sizes], which * len(sizes) + entry


def _step(work: Work, designs: Designs, recut: bool) -> Step:
    kinds, which = _shapes(designs, 1 if recut else None)
    found = [_formed(cut(work, former.length, entries) if recut else work, former) for former, entries in kinds]
    numbers = {name: _stacked([each[name] for *_, each in found], which) for name in (*NUMBERS, *OF_LANES)}
    first = found[0][1]
    rest = {name: getattr(first, name) for name in ("kind", "arrange", "maximum", "to_stream", "residual", "final")}
    operation, layer = Operations(name=work.name, **(numbers | rest)), found[0][0]
    if layer is None or first.kind is not Kind.PRODUCT:
        return Step(work, None, operation, np.ones(len(designs), bool))
    if recut:
        shapes = [layer for layer, *_ in found if layer]
        layer = Layers(name=layer.name, rows=layer.rows, columns=layer.columns, reduction=layer.reduction,
                       engine=layer.engine, runs=layer.runs, blank=layer.blank,
                       **{name: _stacked([getattr(shape, name) for shape in shapes], which)
                          for name in ("codebooks", "length", "entries")})
    return _tiled(Step(work, layer, operation, np.ones(len(designs), bool)), designs, numbers)


def _tiled(step: Step, designs: Designs, numbers: dict[str, Any]) -> Step:
    """A product in tiles, in one block."""
    layer = step.layer
    assert layer
    slots = numbers["parts_x"] * numbers["parts_y"] * numbers["groups"]
    row_tiles, column_tiles = up(slots, designs.slots), up(layer.columns, designs.columns)
    operation = replace(step.operation, row_tiles=row_tiles, last_slots=slots - (row_tiles - 1) * designs.slots,
                        column_tiles=column_tiles, last_columns=layer.columns - (column_tiles - 1) * designs.columns,
                        blocks=1, block=layer.rows, last_block=layer.rows)
    return replace(step, operation=operation, fits=np.broadcast_to((designs.index_words >= row_tiles) & (designs.entries >= layer.entries), len(designs)))


def steps(works: Sequence[Work], designs: Designs, recut: bool) -> list[Step]:
    """The works on all machines; equal works share what is found.

    ``recut``: layers have as many entries as the machine, and sub-vectors as long as it takes.
    """
    known = dict[Work, Step]()
    for work in works:
        if work.row:
            raise ValueError(f"step {work.name} must be a product, a pool or an input to be estimated on many "
                             "machines at once, not a softmax or norm")
        shape = _nameless(work)
        if shape not in known:
            known[shape] = _step(shape, designs, recut)
    return [known[_nameless(work)] for work in works]


def _nameless(work: Work) -> Work:
    return replace(work, name="", layer=work.layer and replace(work.layer, name=""))


def in_blocks(step: Step, designs: Designs) -> Step:
    """A product whose tables are streamed: as few blocks as can be, of one size but for the last."""
    if step.layer is None:
        return step
    rows, operation = step.layer.rows, step.operation
    room = most(least(designs.block_rows, designs.index_words // operation.row_tiles), 1)
    return replace(step, operation=replace(operation, **blocks(rows, up(rows, up(rows, room))), stream_tables=True))


def blocks(rows: int, size: Any) -> dict[str, Any]:
    """Blocks of so many rows, the last one smaller."""
    count = up(rows, size)
    return {"blocks": count, "block": size, "last_block": rows - (count - 1) * size}


def largest(values: Sequence[Any]) -> Any:
    """The largest of several numbers, place by place."""
    return reduce(most, values)

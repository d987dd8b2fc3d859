"""Which machines are characterised for which blocks: enough of each kind to fit a model and to hold some out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lutra_model.params import Array, Metric

from .blocks import BLOCKS, Block

__all__ = ["PLAN", "Point", "points"]


@dataclass(frozen=True)
class Point:
    """A machine, the blocks of it that are measured, and what their storage is made of."""

    array: Array
    blocks: tuple[str, ...]
    storage: str = "flip-flop"


def _lookup(rows: int, columns: int, entries: int, length: int = 1, metric: Metric = Metric.L1) -> Array:
    return Array(rows=rows, columns=columns, encoders=1, entries=entries, length=length, metric=metric)


def _mac(rows: int, columns: int, bits: int = 8, **fields: Any) -> Array:
    return Array(engine="mac", rows=rows, columns=columns, encoders=rows, length=1, entries=1, weight_bits=bits,
                 **fields)


def _other(engine: str, rows: int, columns: int, encoders: int, length: int = 1, entries: int = 1,
           **fields: Any) -> Array:
    return Array(engine=engine, rows=rows, columns=columns, encoders=encoders, length=length, entries=entries, **fields)


def _encoders() -> Iterator[Point]:
    sizes = {Metric.L2: [(2, 8), (4, 8), (4, 16), (9, 8), (1, 8), (2, 32), (9, 16)],
             Metric.L1: [(2, 8), (4, 16), (9, 8), (4, 32), (2, 16)],
             Metric.CHEBYSHEV: [(2, 8), (4, 16), (9, 8)], Metric.TREE: [(4, 8), (4, 16), (9, 16), (9, 32)]}
    for metric, shapes in sizes.items():
        for length, entries in shapes:
            yield Point(_lookup(2, 2, entries, length, metric), ("encoder",))


def _tables() -> Iterator[Point]:
    for rows, columns, entries in [(2, 2, 16), (4, 2, 16), (4, 4, 8), (4, 4, 16), (2, 4, 32), (8, 4, 8), (8, 4, 16),
                                   (2, 2, 8), (2, 8, 16), (2, 2, 64), (1, 1, 256), (8, 8, 16)]:
        trees = ("trees",) if rows > 1 else ()  # one row has nothing to add
        yield Point(_lookup(rows, columns, entries), ("array", "cells", *trees, "accumulators", "way"))
    for entries in (16, 8, 64, 256, 32, 128):
        yield Point(_lookup(2, 2, entries), ("burnt-tables",))
    for rows, columns, entries in [(2, 2, 16), (4, 4, 16), (2, 2, 64), (1, 1, 256)]:
        yield Point(_lookup(rows, columns, entries), ("array", "cells"), "latch")


def _multipliers() -> Iterator[Point]:
    for rows, columns in [(2, 2), (4, 4), (4, 2), (2, 4), (8, 4), (8, 8), (16, 4)]:
        yield Point(_mac(rows, columns), ("array", "products", "accumulators"))
    for bits in (4, 2):
        for rows, columns in [(4, 4), (8, 4), (4, 8)]:
            yield Point(_mac(rows, columns, bits), ("array", "accumulators"))
    for rows, columns in [(4, 4), (8, 4), (8, 8)]:
        yield Point(_other("sign-flip", rows, columns, rows), ("array", "accumulators"))
    for rows, columns, bits in [(8, 4, 4), (8, 4, 2), (8, 8, 4)]:
        yield Point(_other("lut-tc", rows, columns, rows, 1, bits), ("array", "accumulators"))


def _online() -> Iterator[Point]:
    for rows, columns, bits in [(2, 4, 2), (2, 4, 4), (4, 4, 4), (4, 8, 2), (4, 2, 2), (2, 2, 4)]:
        yield Point(_other("lut-tc", rows, columns, rows, 4, bits), ("array", "builders", "accumulators"))
    for rows, columns, length in [(2, 2, 4), (4, 2, 4), (4, 4, 3), (2, 2, 3)]:
        yield Point(_other("vec-lut", rows, columns, 2, length), ("array", "vector-builder"))
    for engine in ("dln-row", "dln-column"):
        for rows, columns, levels in [(4, 2, 16), (4, 4, 8), (2, 2, 8), (2, 2, 16)]:
            yield Point(_other(engine, rows, columns, 2, 1, 8, weight_levels=levels), ("array", "level-encoder"))


def _common() -> Iterator[Point]:
    for rows, columns in [(2, 2), (4, 4), (4, 2), (2, 4), (4, 8)]:
        yield Point(_mac(rows, columns), ("finisher", "gather", "way", "control", "add", "pool"))
    for rows, columns in [(2, 2), (4, 4), (4, 2)]:
        yield Point(_mac(rows, columns, functions=1), ("function-unit", "row-unit"))
    for size in (1, 2, 4):
        rows = max(2, size)
        yield Point(Array(rows=rows, columns=rows, encoders=size, entries=8, length=4, metric=Metric.L1), ("gather",))


PLAN = (*_multipliers(), *_tables(), *_encoders(), *_common(), *_online())


def points(blocks: Sequence[str] = (), shapes: Iterable[tuple[int, int]] = ()) -> tuple[Point, ...]:
    """The plan's machines that have some of the blocks (all, if not given), of those numbers of rows and columns.

    Raises ``ValueError`` where there is none.
    """
    wanted, sizes = set(blocks or BLOCKS), set(shapes)
    found = tuple(Point(point.array, tuple(name for name in point.blocks if name in wanted), point.storage)
                  for point in PLAN if wanted & set(point.blocks)
                  and (not sizes or (point.array.rows, point.array.columns) in sizes))
    if not found:
        known = sorted({f"{point.array.rows}x{point.array.columns}" for point in PLAN if wanted & set(point.blocks)})
        raise ValueError(f"array must be one of {', '.join(known)} for {', '.join(blocks) or 'any block'}, not "
                         f"{', '.join(f'{rows}x{columns}' for rows, columns in sorted(sizes))}")
    return found


def block_list(point: Point) -> tuple[Block, ...]:
    """The blocks of a point."""
    return tuple(BLOCKS[name] for name in point.blocks)

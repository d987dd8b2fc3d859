"""Nearest-centroid or tree encoders and table cells: an index for each sub-vector, a table entry for each index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..codings import Nearest
from ..params import Metric
from ..whole import peak
from . import trees
from .base import Counts, Draw, Engine, Example, Parts, deep_bits, log2, rectangles, reduction_bits

if TYPE_CHECKING:
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["Lookup", "distance_bits", "lane_bits"]


def lane_bits(array: Array) -> int:
    """Bits of one lane's distance."""
    return 16 if array.metric is Metric.L2 else 8


def distance_bits(array: Array) -> int:
    """Bits of one centroid's distance."""
    return lane_bits(array) + (0 if array.metric is Metric.CHEBYSHEV else log2(array.length))


def _reduce(array: Array, length: int) -> int:
    """Bits of adders, or of comparators and multiplexers (Chebyshev), that make one distance of its lanes."""
    if array.metric is Metric.CHEBYSHEV:
        return (length - 1) * lane_bits(array)
    return reduction_bits(length, lane_bits(array))


def _deep(array: Array, length: int) -> int:
    """Bits of them that follow others in one cycle."""
    return deep_bits(length, lane_bits(array), 0 if array.metric is Metric.CHEBYSHEV else 1)


class Lookup(Engine):
    """Encoders search the nearest of ``entries`` centroids, or walk a tree; a cell owns a table of as many entries."""

    name = "lookup"
    typical: ClassVar[dict[str, Any]] = {}
    nearest = gathers = True

    def preparation(self, array: Array) -> str:
        """See `Engine.preparation`."""
        return "Walking decision trees" if array.metric is Metric.TREE else "Finding the nearest centroid"

    def check(self, array: Array) -> None:
        """See `Engine.check`."""
        if array.entries < 2 or array.entries & (array.entries - 1):
            raise ValueError(f"entries must be a power of two of at least 2, not {array.entries}")

    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """See `Engine.sizes`."""
        metrics = sorted({product.metric for product in products}) or [Metric.L2]
        if len(metrics) > 1:
            raise ValueError(f"layers must use one metric, not {' and '.join(metrics)}")
        layers = [product.layer() for product in products]
        return {"metric": metrics[0], "length": max(layer.length for layer in layers),
                "entries": max(2, 1 << log2(max(layer.entries for layer in layers)))}

    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """See `Engine.example`."""
        if array.metric is Metric.TREE:
            return trees.example(array, reduction, kernel, columns, draw)
        fits = rectangles(kernel, array.length)
        length = fits[draw.integer(0, len(fits) - 1)] if draw.integer(0, 3) == 0 else fits[-1]
        codebooks, entries = -(-reduction // length), draw.integer(2, array.entries)
        centroids = draw.encoder(codebooks, entries, length)
        return Example(draw.cells(codebooks, entries, columns), Nearest(centroids, array.metric))

    def symbol_bits(self, array: Array) -> int:
        """An index."""
        return log2(array.entries)

    def term_bits(self, array: Array) -> int:
        """A table entry."""
        return 8

    def encode_stages(self, array: Array) -> int:
        """Sub-vector register, lane distance, sum, then a level of the minimum tree for a doubling of the entries."""
        if array.metric is Metric.TREE:
            return trees.stages(array)
        return 3 + log2(array.entries)

    def tree_stages(self, array: Array) -> int:
        """One for two levels of adders."""
        return -(-log2(array.rows) // 2)

    def slot_words(self, array: Array, entries: int) -> int:
        """A centroid of every encoder in each word, or a part of its tree."""
        if array.metric is Metric.TREE:
            return trees.words(array)
        return entries

    def codebook_bytes(self, array: Array) -> int:
        """A centroid of every encoder; of trees, a byte."""
        return array.encoders if array.metric is Metric.TREE else super().codebook_bytes(array)

    def codebook_bits(self, array: Array, layer: Layer) -> int:
        """See `Engine.codebook_bits`; of trees, bytes."""
        if array.metric is Metric.TREE:
            return layer.codebooks * trees.words(array) * 8
        return super().codebook_bits(array, layer)

    def codebook_moves(self, array: Array) -> tuple[int, int]:
        """See `Engine.codebook_moves`; every byte of a tree moves on those before it, and is offered to no other."""
        return (trees.words(array), 0) if array.metric is Metric.TREE else super().codebook_moves(array)

    def encoder_words(self, array: Array) -> int:
        """See `Engine.encoder_words`; a tree that is loaded moves as one word."""
        return super().encoder_words(array) if array.metric is not Metric.TREE else 2 * self.encode_stages(array) + 1

    def hold(self, array: Array) -> int:
        """See `Engine.hold`."""
        return trees.hold(array) if array.metric is Metric.TREE else 0

    def encode_registers(self, array: Array) -> int:
        """See `Engine.encode_registers`."""
        if array.metric is Metric.TREE:
            return trees.registers(array)
        length, entries, distance = array.length, array.entries, distance_bits(array)
        tree = sum((entries >> level) * (distance + level) for level in range(1, peak(log2(entries)) + 1))
        return length * 8 + entries * (length * lane_bits(array) + distance) + tree

    def codebook_registers(self, array: Array) -> int:
        """The codebook in use and the one that is loaded."""
        if array.metric is Metric.TREE:
            return 2 * trees.codebook_bits(array)
        return 2 * array.entries * array.length * 8

    def encoder_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """See `Engine.encoder_events`."""
        array, encodes = structure.array, layer.rows * layer.codebooks
        if array.metric is Metric.TREE:
            return trees.events(layer, array)
        distances, reduce = encodes * layer.entries, _reduce(structure.array, layer.length)
        l2, chebyshev = array.metric is Metric.L2, array.metric is Metric.CHEBYSHEV
        lanes = distances * layer.length
        compared = encodes * (layer.entries - 1) * distance_bits(array) + (distances * reduce if chebyshev else 0)
        return {
            "distance_steps": lanes, "compares": encodes * (layer.entries - 1),
            "encoder_add_bits": lanes * (9 if l2 else 17) + (0 if chebyshev else distances * reduce),
            "encoder_multiply_bits": lanes * 81 if l2 else 0,
            "encoder_deep_bits": distances * _deep(array, layer.length),
            "encoder_compare_bits": compared, "encoder_mux_bits": compared}

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """See `Engine.cell_events`."""
        return {"table_reads": layer.lookups,
                "cell_mux_bits": layer.lookups * (structure.array.entries - 1) * 8}

    def cell_words(self, array: Array) -> int:
        """Both banks' tables."""
        return 2 * array.entries

    def encoder_parts(self, structure: Structure) -> Parts:
        """See `Engine.encoder_parts`."""
        if structure.array.metric is Metric.TREE:
            return trees.parts(structure.array)
        array, reduce = structure.array, _reduce(structure.array, structure.array.length)
        l2, chebyshev = array.metric is Metric.L2, array.metric is Metric.CHEBYSHEV
        lanes, nearest = array.entries * array.length, (array.entries - 1) * distance_bits(array)
        compared = nearest + (array.entries * reduce if chebyshev else 0)
        return {"add": lanes * (9 if l2 else 17) + (0 if chebyshev else array.entries * reduce),
                "multiply": lanes * 81 / 64 if l2 else 0, "compare": compared, "mux": compared,
                "register": self.encode_registers(array) + self.codebook_registers(array)}

    def cell_parts(self, structure: Structure) -> Parts:
        """See `Engine.cell_parts`."""
        entries = structure.array.entries
        return {"register": 2 * entries * 8, "mux": (entries - 1) * 8}

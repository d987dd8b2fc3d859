"""Levels of activations and of weights: Deep Lookup Network (arXiv 2509.13662), one table of two levels per layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from .. import kernels
from .base import Coding, Int8, Sums

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer
    from ..params import Array

__all__ = ["MOST_LEVELS", "Levels"]

MOST_LEVELS = 64


@dataclass(frozen=True, eq=False)
class Levels(Coding):
    """The layer's table ``T`` of an activation's level and a weight's; what is looked up is summed.

    An activation ``x`` has the level ``f = clamp(x + zero, 0, Nf - 1)``. The product's table holds the weights' codes,
    ``(reduction, 1, columns)``: code ``c`` is the level ``w = (c + middle) mod Nw``, ``middle = (Nw - 1) div 2``. Row
    ``zero`` and column ``middle`` of ``T`` are 0, so that a machine need not store them: a code of 0 adds nothing.

    Parameters
    ----------
    levels : ``T``, int8 ``(Nf, Nw)``, 2 to 64 levels each.
    zero : level of the activation 0.
    """

    levels: NDArray[np.int8]
    zero: int = 0

    kind = "levels"
    engine = "dln-row"  # and its sisters, see `Engine.runs`
    blank = 0
    ARRAYS = {"levels": np.int8}

    @property
    def scheme(self) -> str:
        """Deep Lookup Network."""
        return "dln"

    @property
    def length(self) -> int:
        """Every scalar is its own sub-vector."""
        return 1

    @property
    def middle(self) -> int:
        """Level of a weight with the code 0."""
        return (self.levels.shape[1] - 1) // 2

    @property
    def by_code(self) -> NDArray[np.int8]:
        """``T`` by codes: row 0 and column 0 are 0."""
        return np.roll(self.levels, (-self.zero, -self.middle), axis=(0, 1))

    def entries(self, table: Int8) -> int:
        """Levels of an activation that a cell, or a row of cells, has entries for."""
        return len(self.levels) - 1

    def fields(self) -> dict[str, int]:
        """See `Coding.fields`."""
        return {"zero": self.zero}

    def check(self, node: Product) -> None:
        """See `Coding.check`."""
        shape = self.levels.shape
        if len(shape) != 2 or not all(2 <= size <= MOST_LEVELS for size in shape):
            raise ValueError(f"the table of levels of layer {node.name} must be 2 to {MOST_LEVELS} levels of "
                             f"activations by as many of weights, not {shape}")
        if not 0 <= self.zero < shape[0]:
            raise ValueError(f"the zero level of layer {node.name} must be 0 to {shape[0] - 1}, not {self.zero}")
        for what, place, values in [("row", self.zero, self.levels[self.zero]),
                                    ("column", self.middle, self.levels[:, self.middle])]:
            if values.any():
                raise ValueError(f"{what} {place} of the table of levels of layer {node.name} must be 0, because no "
                                 f"machine stores it, but it holds {values[values != 0][0]}")
        if node.table.shape[1] != 1 or node.table.min(initial=0) < 0 or node.table.max(initial=0) >= shape[1]:
            raise ValueError(f"weights of layer {node.name} must be one code of 0 to {shape[1] - 1} each")

    def codes(self, columns: Int8) -> NDArray[np.uint8]:
        """Codes of activations: ``(f - zero) mod Nf``."""
        count = len(self.levels)
        levels = np.clip(columns.astype(np.int16) + self.zero, 0, count - 1)
        return ((levels - self.zero) % count).astype(np.uint8)

    def _tables(self, table: Int8) -> NDArray[np.int8]:
        """A table for each scalar of a row: ``(reduction, Nf, columns)``."""
        return np.ascontiguousarray(self.by_code.T[table[:, 0]].transpose(0, 2, 1))

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`."""
        return kernels.lookup(self._tables(table), self.codes(columns))

    def split(self, groups: int) -> Sequence[Self]:
        """The same for every group."""
        return [self] * groups

    def joined(self, others: Sequence[Self]) -> Self:
        """The same for all."""
        return self

    def float_sums(self, node: Product, columns: NDArray[np.float64], input_scale: float) -> NDArray[np.float64]:
        """``s * sum of T[idx_f, idx_w]``, with the nearest level of real activations."""
        nearest = np.clip(np.rint(columns / input_scale), -128, 127).astype(np.int8)
        tables, rows = np.split(node.table, node.groups), np.split(nearest.T, node.groups)
        sums = [self.sums(table, some) for table, some in zip(tables, rows, strict=True)]
        found: Any = np.concatenate(sums, axis=1) * node.table_scale
        return found

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """The level's clamp; every weight's column of ``T``; the level's entry of each."""
        (reduction, _, columns), count = node.table.shape, len(self.levels)
        levels = writer.op("Clip", writer.op("Add", rows, writer.constant(self.zero, np.int32)),
                           writer.constant(0, np.int32), writer.constant(count - 1, np.int32))
        weights = (node.table[:, 0].astype(np.int64) + self.middle) % self.levels.shape[1]
        table = writer.op("Gather", writer.constant(self.levels.T, np.int8), writer.constant(weights, np.int64), axis=0)
        table = writer.reshape(writer.op("Transpose", table, perm=[0, 2, 1]), reduction * count, columns)
        places = writer.op("Add", writer.cast(levels, TensorProto.INT64),
                           writer.constant(np.arange(reduction) * count, np.int64))
        found = writer.cast(writer.op("Gather", table, places, axis=0), TensorProto.INT32)
        if node.groups == 1:
            return writer.sum(found, 1)
        grouped = writer.reshape(found, -1, node.groups, node.reduction, columns)
        return writer.reshape(writer.sum(grouped, 2), -1, node.columns)

    def refusal(self, node: Product, array: Array) -> str | None:
        """See `Coding.refusal`."""
        for what, count, most in [("activations", self.levels.shape[0], array.entries + 1),
                                  ("weights", self.levels.shape[1], array.weight_levels + 1)]:
            if count > most:
                return f"layer {node.name} has {count} levels of {what}, the array's hold at most {most}"
        return None

    def codebook_beats(self, order: NDArray[np.int64], array: Array) -> NDArray[np.uint8]:
        """Rows of ``T`` but the zero one, ``(Nf - 1, weight levels)``; a weight's code ``c`` is byte ``c mod`` them."""
        table, places = self.by_code, np.arange(1, self.levels.shape[1])
        found = np.zeros((len(table) - 1, array.weight_levels), np.int8)
        found[:, places % array.weight_levels] = table[1:, places]
        return found.view(np.uint8)

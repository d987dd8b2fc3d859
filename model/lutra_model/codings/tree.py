"""Decision trees: MADDNESS (Blalock and Guttag, ICML 2021), the cheapest encoder of a lookup network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from .. import kernels, trees
from ..params import Metric
from .base import Coding, Int8, Sums, sub_vectors
from .nearest import picked, pieces

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer
    from ..params import Array

__all__ = ["Tree"]

Real = NDArray[np.float64]
NEVER = 127  # no int8 is above it


@dataclass(frozen=True, eq=False)
class Tree(Coding):
    """A sub-vector's index is the leaf of a balanced tree: ``index = 2 * index + (x[dim] > threshold)`` at each level.

    Parameters
    ----------
    dims : uint8 ``(codebooks, levels)``, the scalar that each level compares.
    thresholds : int8 ``(codebooks, 2^levels - 1)``, the root first, then level by level.
    scalars : of a sub-vector.
    label : name of the scheme.
    by_tap : a sub-vector is a run of channels of one tap, not of taps of one channel.
    """

    dims: NDArray[np.uint8]
    thresholds: NDArray[np.int8]
    scalars: int
    label: str = "lut-dla"
    by_tap: bool = False

    kind = "tree"
    engine = "lookup"
    blank = 0
    metric = Metric.TREE
    ARRAYS = {"dims": np.uint8, "thresholds": np.int8}

    @property
    def runs(self) -> bool:
        """See `Layer.runs`."""
        return self.by_tap

    @property
    def scheme(self) -> str:
        """LUT-DLA, with another encoder."""
        return self.label

    @property
    def length(self) -> int:
        """Scalars of a sub-vector."""
        return self.scalars

    def check(self, node: Product) -> None:
        """See `Coding.check`."""
        codebooks, entries, _ = node.table.shape
        try:
            levels = trees.levels_of(entries)
        except ValueError as error:
            raise ValueError(f"layer {node.name}: {error}") from None
        for name, size in [("dims", levels), ("thresholds", entries - 1)]:
            if getattr(self, name).shape != (codebooks, size):
                raise ValueError(f"{name} of layer {node.name} must have shape ({codebooks}, {size}), "
                                 f"not {getattr(self, name).shape}")
        if self.dims.max() >= self.scalars:
            raise ValueError(f"dims of layer {node.name} must be 0 to {self.scalars - 1}, not {self.dims.max()}")

    def encode(self, columns: Int8) -> NDArray[np.uint8]:
        """Leaf of every sub-vector of one group, ``(codebooks, rows)``."""
        return trees.descend(sub_vectors(columns, len(self.dims), self.scalars), self.dims, self.thresholds)

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`."""
        return kernels.lookup(table, self.encode(columns))

    def float_sums(self, node: Product, columns: Real, input_scale: float) -> Real:
        """Real thresholds and table entries."""
        rows, codebooks = len(columns), len(self.dims) // node.groups
        grouped = columns.reshape(rows, node.groups, -1)
        padded = np.pad(grouped, ((0, 0), (0, 0), (0, codebooks * self.scalars - grouped.shape[2])))
        vectors = padded.reshape(rows, len(self.dims), self.scalars)
        total = np.zeros((rows, node.groups, node.table.shape[2]))
        scales = node.table_scale.reshape(node.groups, -1)
        for k in range(len(self.dims)):
            index = np.zeros(rows, np.intp)
            for level, dim in enumerate(self.dims[k]):
                above = vectors[:, k, dim] > self.thresholds[k, (1 << level) - 1 + index] * input_scale
                index = 2 * index + above
            total[:, k // codebooks] += node.table[k, index] * scales[k // codebooks]
        return total.reshape(rows, -1)

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """A gathered scalar, a gathered threshold and a comparison for each level."""
        codebooks, nodes = self.thresholds.shape
        vectors = writer.reshape(pieces(writer, node, rows, self.scalars), -1, codebooks * self.scalars)
        first, table = np.arange(codebooks), writer.constant(self.thresholds.ravel(), np.int32)
        index = ""
        for level, dim in enumerate(self.dims.T.astype(np.int64)):
            scalar = writer.op("Gather", vectors, writer.constant(first * self.scalars + dim, np.int64), axis=1)
            place = writer.constant(first * nodes + (1 << level) - 1, np.int64)
            threshold = writer.op("Gather", table, writer.op("Add", place, index) if index else place, axis=0)
            above = writer.cast(writer.op("Greater", scalar, threshold), TensorProto.INT64)
            index = writer.op("Add", writer.op("Mul", index, writer.constant(2, np.int64)), above) if index else above
        return picked(writer, node, index)

    def refusal(self, node: Product, array: Array) -> str | None:
        """Its encoder is another one."""
        if array.metric is not Metric.TREE:
            return f"layer {node.name} must use the array's metric {array.metric}, not {Metric.TREE}"
        return None

    def codebook_beats(self, order: NDArray[np.int64], array: Array) -> NDArray[np.uint8]:
        """``(slots * slot words, encoders)``: for each encoder the tree's bits, cut into bytes.

        Thresholds, a byte each, then the compared scalars. A tree of fewer levels than the machine's lies below the
        lowest path: no scalar is above the thresholds of the levels before it. An encoder without one gives 0.
        """
        depth, own = array.entries.bit_length() - 1, self.dims.shape[1]
        thresholds = np.full((len(self.dims) + 1, array.entries - 1), NEVER, np.int8)  # the last one: of no codebook
        dims = np.zeros((len(self.dims) + 1, depth), np.uint8)
        dims[:-1, depth - own:] = self.dims
        for level in range(own):
            node, first = (1 << level) - 1, (1 << level + depth - own) - 1
            thresholds[:-1, first:first + (1 << level)] = self.thresholds[:, node:node + (1 << level)]
        width, words = (array.length - 1).bit_length(), array.cell.slot_words(array, array.entries)
        numbers = (dims[:, :, None] >> np.arange(width, dtype=np.uint8) & 1).reshape(len(dims), depth * width)
        bits = np.concatenate([np.unpackbits(thresholds.view(np.uint8), axis=1, bitorder="little"), numbers], axis=1)
        packed = np.packbits(np.pad(bits, ((0, 0), (0, 8 * words - bits.shape[1]))), axis=1, bitorder="little")
        return packed[order].transpose(0, 2, 1).reshape(-1, array.encoders)

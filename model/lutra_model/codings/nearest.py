"""Nearest centroids: LUT-NN (Tang et al., MobiCom 2023) and LUT-DLA (Li et al., HPCA 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from .. import kernels
from ..params import Metric
from .base import Coding, Int8, Sums, sub_vectors

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer
    from ..params import Array

__all__ = ["Nearest"]

Real = NDArray[np.float64]


def _distance(difference: Real, metric: Metric) -> Real:
    match metric:
        case Metric.L1:
            return np.abs(difference).sum(axis=-1)
        case Metric.CHEBYSHEV:
            return np.abs(difference).max(axis=-1)
    return (difference**2).sum(axis=-1)


def picked(writer: Writer, node: Product, codes: str) -> str:
    """The sums of the table entries at indices ``(rows, codebooks)``."""
    codebooks, entries, columns = node.table.shape
    places = writer.op("Add", codes, writer.constant(np.arange(codebooks) * entries, np.int64))
    table = writer.constant(node.table.reshape(codebooks * entries, columns), np.int8)
    found = writer.cast(writer.op("Gather", table, places, axis=0), TensorProto.INT32)
    if node.groups == 1:
        return writer.sum(found, 1)
    grouped = writer.reshape(found, -1, node.groups, codebooks // node.groups, columns)
    return writer.reshape(writer.sum(grouped, 2), -1, node.columns)


def pieces(writer: Writer, node: Product, rows: str, length: int) -> str:
    """Rows cut into sub-vectors, ``(rows, codebooks, 1, length)``; the last one of each group padded with zeros."""
    each = len(node.table) // node.groups
    if each * length > node.reduction:
        rows = writer.op("Pad", writer.reshape(rows, -1, node.groups, node.reduction),
                         writer.constant([0, 0, 0, 0, 0, each * length - node.reduction], np.int64),
                         writer.constant(0, np.int32), mode="constant")
    return writer.reshape(rows, -1, len(node.table), 1, length)


@dataclass(frozen=True, eq=False)
class Nearest(Coding):
    """A sub-vector's index is its nearest centroid; the lowest index wins a tie.

    Parameters
    ----------
    centroids : int8 ``(codebooks, entries, length)`` on the scale of the input, codebooks of all groups.
    metric : the distance.
    label : name of the scheme: ``lut-nn`` or ``lut-dla``.
    by_tap : a sub-vector is a run of channels of one tap, not of taps of one channel.
    """

    centroids: NDArray[np.int8]
    metric: Metric = Metric.L2
    label: str = "lut-nn"
    by_tap: bool = False

    kind = "nearest"
    engine = "lookup"
    blank = 0
    ARRAYS = {"centroids": np.int8}

    @property
    def runs(self) -> bool:
        """See `Layer.runs`."""
        return self.by_tap

    @property
    def scheme(self) -> str:
        """LUT-NN, or LUT-DLA with its metrics."""
        return self.label

    @property
    def length(self) -> int:
        """Scalars of a centroid."""
        return self.centroids.shape[2]

    def check(self, node: Product) -> None:
        """See `Coding.check`."""
        if self.centroids.shape[:2] != node.table.shape[:2]:
            raise ValueError(f"centroids of layer {node.name} must be {node.table.shape[0]} codebooks of "
                             f"{node.table.shape[1]}, not {self.centroids.shape[:2]}")

    def encode(self, columns: Int8) -> NDArray[np.uint8]:
        """Index of the nearest centroid of every sub-vector of one group, ``(codebooks, rows)``."""
        codebooks, _, length = self.centroids.shape
        return kernels.nearest(sub_vectors(columns, codebooks, length), self.centroids, self.metric)

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`."""
        return kernels.lookup(table, self.encode(columns))

    def float_sums(self, node: Product, columns: Real, input_scale: float) -> Real:
        """Real centroids and table entries."""
        parts = np.split(columns, node.groups, axis=1)
        scales, tables = np.split(node.table_scale, node.groups), np.split(node.table, node.groups)
        return np.concatenate([coding._float(part, table * scale, input_scale) for coding, part, table, scale
                               in zip(self.split(node.groups), parts, tables, scales, strict=True)], axis=1)

    def _float(self, rows: Real, table: Real, input_scale: float) -> Real:
        codebooks, _, length = self.centroids.shape
        padded = np.pad(rows, ((0, 0), (0, codebooks * length - rows.shape[1]))).reshape(-1, codebooks, length)
        total = np.zeros((len(rows), table.shape[2]))
        for k, centroids in enumerate(self.centroids * input_scale):
            distance = _distance(padded[:, k, None] - centroids, self.metric)
            total += table[k, distance.argmin(axis=1)]
        return total

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """Distances to all centroids, the first of the smallest, gathered entries."""
        difference = writer.op("Sub", pieces(writer, node, rows, self.length),
                               writer.constant(self.centroids[None], np.int32))
        if self.metric is Metric.L2:
            distance = writer.sum(writer.op("Mul", difference, difference), 3)
        elif self.metric is Metric.L1:
            distance = writer.sum(writer.op("Abs", difference), 3)
        else:
            distance = writer.op("ReduceMax", writer.op("Abs", difference), axes=[3], keepdims=0)
        return picked(writer, node, writer.op("ArgMin", distance, axis=2, keepdims=0, select_last_index=0))

    def refusal(self, node: Product, array: Array) -> str | None:
        """An encoder has one metric."""
        if self.metric != array.metric:
            return f"layer {node.name} must use the array's metric {array.metric}, not {self.metric}"
        return None

    def codebook_beats(self, order: NDArray[np.int64], array: Array) -> NDArray[np.uint8]:
        """``(slots * entries, encoders * length)``: centroid ``entry`` of every encoder; 0 where there is none."""
        _, entries, length = self.centroids.shape
        found = np.zeros((len(order), entries, array.encoders, array.length), np.int8)
        slots, encoders = np.nonzero(order >= 0)
        found[slots, :, encoders, :length] = self.centroids[order[slots, encoders]]
        return found.reshape(-1, array.encoders * array.length).view(np.uint8)

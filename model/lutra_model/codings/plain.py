"""Weights as they are: INT8 multiplication, the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .base import Coding, Int8, Sums

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer

__all__ = ["Plain"]


@dataclass(frozen=True, eq=False)
class Plain(Coding):
    """The table is the weights, ``(reduction, 1, columns)``."""

    kind = "plain"
    engine = "mac"
    blank = 0

    @property
    def scheme(self) -> str:
        """INT8 multiplication."""
        return "int8"

    @property
    def length(self) -> int:
        """Every scalar is its own sub-vector."""
        return 1

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`."""
        return kernels.multiply(columns, table[:, 0])

    def all_sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.all_sums`."""
        return self.sums(table[0], columns[0]) if len(table) == 1 else kernels.multiply_groups(columns, table[:, :, 0])

    def split(self, groups: int) -> Sequence[Self]:
        """The same for every group."""
        return [self] * groups

    def joined(self, others: Sequence[Self]) -> Self:
        """The same for all."""
        return self

    def float_sums(self, node: Product, columns: NDArray[np.float64], input_scale: float) -> NDArray[np.float64]:
        """Exact products of the dequantised weights."""
        weights = (node.table[:, 0].reshape(node.groups, node.reduction, -1)
                   * (node.table_scale / input_scale).reshape(node.groups, 1, -1))
        grouped: Any = columns.reshape(len(columns), node.groups, node.reduction)
        return np.einsum("rgd,gdc->rgc", grouped, weights).reshape(len(columns), -1)

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """One product, or one for each group."""
        if node.groups == 1:
            return writer.op("MatMul", rows, writer.constant(node.table[:, 0], np.int32))
        vectors = writer.reshape(rows, -1, node.groups, 1, node.reduction)
        weights = node.table.reshape(node.groups, node.reduction, node.table.shape[2])
        return writer.reshape(writer.op("MatMul", vectors, writer.constant(weights, np.int32)), -1, node.columns)

"""Weights as they are: multiplication by 1 to 8 bits, and by -1, 0 and 1: the baselines."""

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
    from ..params import Array

__all__ = ["Plain", "SignFlip"]


@dataclass(frozen=True, eq=False)
class Plain(Coding):
    """The table is the weights, ``(reduction, 1, columns)``, of ``bits`` bits; of one bit, 0 is +1 and -1 is -1."""

    bits: int = 8

    kind = "plain"
    engine = "mac"

    @property
    def blank(self) -> int | None:  # type: ignore[override]
        """A weight of 0."""
        return None if self.bits == 1 else 0

    @property
    def scheme(self) -> str:
        """Multiplication by so many bits."""
        return f"int{self.bits}"

    @property
    def weight_levels(self) -> int:
        """See `Coding.weight_levels`."""
        return self.limits[1] - self.limits[0] + 1

    def check(self, node: Product) -> None:
        """See `Coding.check`."""
        low, high = self.limits
        if node.table.min(initial=0) < low or node.table.max(initial=0) > high:
            raise ValueError(f"weights of layer {node.name} must be {low} to {high}, "
                             f"not {node.table.min()} to {node.table.max()}")

    @property
    def limits(self) -> tuple[int, int]:
        """Least and largest table word."""
        return -(1 << self.bits - 1), (1 << self.bits - 1) - 1

    def weights(self, table: Int8) -> Int8:
        """What the table's words multiply by."""
        return 2 * table + np.int8(1) if self.bits == 1 else table

    def refusal(self, node: Product, array: Array) -> str | None:
        """Signs and numbers do not go together, and a weight must fit its cell."""
        if self.bits > array.weight_bits or (self.bits == 1) != (array.weight_bits == 1):
            return f"layer {node.name} has weights of {self.bits} bits, the array's have {array.weight_bits}"
        return None

    @property
    def length(self) -> int:
        """Every scalar is its own sub-vector."""
        return 1

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`."""
        return kernels.multiply(columns, self.weights(table[:, 0]))

    def all_sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.all_sums`."""
        if len(table) == 1:
            return self.sums(table[0], columns[0])
        return kernels.multiply_groups(columns, self.weights(table[:, :, 0]))

    def split(self, groups: int) -> Sequence[Self]:
        """The same for every group."""
        return [self] * groups

    def joined(self, others: Sequence[Self]) -> Self:
        """The same for all."""
        return self

    def float_sums(self, node: Product, columns: NDArray[np.float64], input_scale: float) -> NDArray[np.float64]:
        """Exact products of the dequantised weights."""
        weights = (self.weights(node.table[:, 0]).reshape(node.groups, node.reduction, -1)
                   * (node.table_scale / input_scale).reshape(node.groups, 1, -1))
        grouped: Any = columns.reshape(len(columns), node.groups, node.reduction)
        return np.einsum("rgd,gdc->rgc", grouped, weights).reshape(len(columns), -1)

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """One product, or one for each group."""
        if node.groups == 1:
            return writer.op("MatMul", rows, writer.constant(self.weights(node.table[:, 0]), np.int32))
        vectors = writer.reshape(rows, -1, node.groups, 1, node.reduction)
        weights = self.weights(node.table).reshape(node.groups, node.reduction, node.table.shape[2])
        products = writer.op("MatMul", vectors, writer.constant(weights, np.int32))
        return writer.reshape(products, -1, node.columns)


@dataclass(frozen=True, eq=False)
class SignFlip(Plain):
    """Weights of -1, 0 and 1 on an array that adds, subtracts or leaves out."""

    bits: int = 2

    kind = "sign-flip"
    engine = "sign-flip"

    @property
    def scheme(self) -> str:
        """The baseline of ternary schemes."""
        return "sign-flip"

    @property
    def limits(self) -> tuple[int, int]:
        """See `Plain.limits`."""
        return -1, 1

    def refusal(self, node: Product, array: Array) -> str | None:
        """None."""
        return None

"""Packed ternary weights, looked up in tables of activations: Vec-LUT (Cipherxzc/vlut.cpp, 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels, ternary
from .base import Coding, Int8, Sums

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer
    from ..params import Array

__all__ = ["Trits"]


@dataclass(frozen=True, eq=False)
class Trits(Coding):
    """The table ``(codebooks, 1, columns)`` holds a code for each group of ternary weights, see `lutra_model.ternary`.

    Codes go up to 242; the table is their int8 view. The tables that they select from are sums of activations, made
    while the layer runs, so nothing is rounded.

    Parameters
    ----------
    group : weights of a code: 3, 4 or 5.
    """

    group: int = 4

    kind = "trits"
    engine = "vec-lut"

    def __post_init__(self) -> None:
        if self.group not in ternary.GROUPS:
            raise ValueError(f"group must be 3, 4 or 5 ternary weights, not {self.group}")

    @property
    def runs(self) -> bool:
        """A group is of one tap."""
        return True

    @property
    def scheme(self) -> str:
        """Vec-LUT."""
        return "vec-lut"

    @property
    def weight_levels(self) -> int:
        """See `Coding.weight_levels`."""
        return 3

    @property
    def length(self) -> int:
        """Activations that a code tells the signs of."""
        return self.group

    def check(self, node: Product) -> None:
        """See `Coding.check`."""
        codes = node.table.view(np.uint8)
        if node.table.shape[1] != 1 or codes.max(initial=0) >= 3**self.group:
            raise ValueError(f"table of layer {node.name} must hold one code below {3**self.group} for each group and "
                             f"column, not {node.table.shape[1]} up to {codes.max(initial=0)}")

    def weights(self, table: Int8) -> Int8:
        """The ternary weights ``(codebooks * group, columns)``."""
        codebooks, _, columns = table.shape
        found = ternary.unpack(np.ascontiguousarray(table[:, 0]).view(np.uint8), self.group)
        return found.swapaxes(1, 2).reshape(codebooks * self.group, columns)

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`: exact ternary products."""
        return kernels.multiply(columns, self.weights(table))

    def float_sums(self, node: Product, columns: NDArray[np.float64], input_scale: float) -> NDArray[np.float64]:
        """Real ternary weights ``-s, 0, s`` of each column."""
        parts = [part @ self.weights(table) for part, table in zip(
            np.split(columns, node.groups, axis=1), np.split(node.table, node.groups), strict=True)]
        return np.concatenate(parts, axis=1) * (node.table_scale / input_scale)

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """One product, or one for each group, with weights that the model itself unpacks from the codes."""
        codes = node.table.view(np.uint8).reshape(node.groups, -1, 1, node.table.shape[2])
        powers = writer.constant((3 ** np.arange(self.group))[:, None], np.int32)
        digits = writer.op("Mod", writer.op("Div", writer.constant(codes, np.int32), powers),
                           writer.constant(3, np.int32))
        weights = writer.reshape(writer.op("Sub", digits, writer.constant(1, np.int32)), node.groups, -1,
                                 node.table.shape[2])
        vectors = writer.reshape(rows, -1, node.groups, 1, codes.shape[1] * self.group)
        return writer.reshape(writer.op("MatMul", vectors, weights), -1, node.columns)

    def refusal(self, node: Product, array: Array) -> str | None:
        """A machine builds tables of one size."""
        if self.group != array.length:
            return f"layer {node.name} must use the array's group of {array.length} ternary weights, not {self.group}"
        return None

    def bits_per_weight(self, node: Product) -> float:
        """Bits of packed codes for each weight, padding of tails included."""
        packed: Any = node.table.nbytes * 8
        return float(packed / (node.groups * node.reduction * node.table.shape[2]))

"""Bit planes: LUT Tensor Core (Mo et al., ISCA 2025), and the bit-serial adders that are its baseline.

A weight is ``s (q - z)`` with ``q`` of B bits. Reinterpreted (its section 3.2) ``q' = 2q - (2^B - 1)`` is a sum of
planes ``2^b t_b`` with every ``t_b`` 1 or -1, and ``z' = 2z + 1 - 2^B``, so that
``2 sum a (q - z) = sum a q' - z' sum a``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from .. import kernels
from .base import Coding, Int8, Sums, sub_vectors

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer
    from ..params import Array

__all__ = ["BitPlanes", "folded", "half_table", "levels", "rounded", "shifts"]

Ints = NDArray[np.signedinteger[Any]]
Real = NDArray[np.float64]
GROUPS = (1, 2, 4)
MOST = 8      # planes
LARGEST = 127  # of a rounded table entry
SHIFTS = 3    # most places that an entry is shifted


def folded(q: NDArray[np.integer[Any]], bits: int) -> Int8:
    """Patterns ``(codebooks, bits, columns)`` of weights ``(codebooks, group, columns)``, most significant plane first.

    The last scalar's bit is the sign (the paper's fold). Where it is 1 the other bits are inverted (its Eq. 6), so that
    a cell reads the entry at the index and negates it by the sign, nothing else.
    """
    planes = (q[:, None] >> np.arange(bits)[::-1, None, None]) & 1  # (codebooks, bits, group, columns)
    sign, last = planes[:, :, -1:], q.shape[1] - 1
    indices = np.concatenate([planes[:, :, :-1] ^ sign, sign], axis=2)
    found: Int8 = (indices << np.arange(last + 1)[:, None]).sum(axis=2).astype(np.int8)
    return found


def levels(table: Int8, group: int) -> NDArray[np.int16]:
    """The reinterpreted weights ``q'`` ``(codebooks, group, columns)`` that the patterns hold."""
    places = (table[:, :, None] >> np.arange(group)[:, None]) & 1  # (codebooks, bits, group, columns)
    sign = places[:, :, -1:]
    signs = 2 * np.concatenate([places[:, :, :-1] ^ sign, sign], axis=2).astype(np.int16) - 1
    weights = np.zeros((len(table), group, table.shape[2]), np.int16)
    for plane in range(table.shape[1]):
        weights = 2 * weights + signs[:, plane]
    return weights


def _signs(group: int) -> NDArray[np.int16]:
    """Of each scalar in each entry of the half table, ``(entries, group)``: the last scalar's is always -1."""
    places = (np.arange(1 << group - 1)[:, None] >> np.arange(group)) & 1
    return (2 * places - 1).astype(np.int16)


def half_table(vectors: Int8) -> NDArray[np.int16]:
    """Table ``(codebooks, 2^(group-1), rows)`` of sub-vectors ``(codebooks, group, rows)``.

    >>> half_table(np.array([[[3], [-5], [7], [2]]], np.int8)).ravel().tolist()
    [-7, -1, -17, -11, 7, 13, -3, 3]
    """
    found: NDArray[np.int16] = np.einsum("eg,kgr->ker", _signs(vectors.shape[1]), vectors.astype(np.int16))
    return found


def shifts(table: NDArray[np.int16]) -> NDArray[np.int16]:
    """Places ``(codebooks, 1, rows)`` by which a table's entries are shifted to have 8 bits: as few as can be."""
    largest: NDArray[np.int16] = np.abs(table).max(axis=1, keepdims=True)
    places = np.zeros_like(largest)
    for t in range(SHIFTS):
        places += (largest + (1 << t >> 1)) >> t > LARGEST
    return places


def rounded(table: NDArray[np.int16]) -> NDArray[np.int16]:
    """The table that INT8 entries stand for: each rounded half up to the places of `shifts`, and shifted back."""
    places = shifts(table)
    return ((table + (1 << places >> 1)) >> places) << places


def _selected(table: Int8, group: int) -> NDArray[np.int16]:
    """How often each entry of the half table is added, ``(codebooks, 2^(group-1), columns)``, planes weighed."""
    entries, planes = 1 << group - 1, table.shape[1]
    index, sign = table & (entries - 1), 1 - 2 * (table >> group - 1).astype(np.int16)
    weights = np.zeros((len(table), entries, table.shape[2]), np.int16)
    for plane in range(planes):
        hot = index[:, plane, None] == np.arange(entries, dtype=np.int8)[:, None]
        weights += hot * (sign[:, plane, None] << planes - 1 - plane)
    return weights


@dataclass(frozen=True, eq=False)
class BitPlanes(Coding):
    """The table is patterns: ``(codebooks, bits, columns)``, of a plane's weights of a group; see `folded`.

    Parameters
    ----------
    bits : planes.
    zero : int8 ``(groups * columns,)``, the reinterpreted zero point ``z'`` of each column; 0 is between two levels.
    group : scalars of a group: 4; 1 in a bit-serial adder.
    quantised : table entries are rounded to 8 bits, see `rounded`; the sum of the activations is not.
    """

    zero: NDArray[np.int8]
    bits: int = 4
    group: int = 4
    quantised: bool = False

    kind = "bit-planes"
    engine = "lut-tc"
    ARRAYS = {"zero": np.int8}

    @property
    def runs(self) -> bool:
        """A group is of one tap."""
        return True

    @property
    def scheme(self) -> str:
        """LUT Tensor Core, or its baseline."""
        return "lut-tc" if self.group > 1 else "bit-serial"

    @property
    def weight_levels(self) -> int:
        """See `Coding.weight_levels`."""
        return 1 << self.bits

    @property
    def length(self) -> int:
        """Scalars of a group."""
        return self.group

    def check(self, node: Product) -> None:
        """See `Coding.check`."""
        if self.group not in GROUPS:
            raise ValueError(f"groups of weights of layer {node.name} must have {', '.join(map(str, GROUPS))} scalars, "
                             f"not {self.group}")
        if not 1 <= self.bits <= MOST or node.table.shape[1] != self.bits:
            raise ValueError(f"layer {node.name} must have 1 to {MOST} planes, {self.bits} as its coding says, "
                             f"not {node.table.shape[1]}")
        if self.zero.shape != (node.columns,):
            raise ValueError(f"zero of layer {node.name} must have shape ({node.columns},), not {self.zero.shape}")
        if node.table.min() < 0 or node.table.max() >= 1 << self.group:
            raise ValueError(f"patterns of layer {node.name} must be 0 to {(1 << self.group) - 1}, "
                             f"not {node.table.min()} to {node.table.max()}")

    def weights(self, table: Int8, zero: NDArray[np.int8]) -> NDArray[np.int16]:
        """What an activation is multiplied by, ``2 (q - z)``: ``(codebooks * group, columns)``."""
        return levels(table, self.group).reshape(-1, table.shape[2]) - zero.astype(np.int16)

    def sums(self, table: Int8, columns: Int8) -> Sums:
        """See `Coding.sums`."""
        if not self.quantised:
            return kernels.multiply(columns, self.weights(table, self.zero))
        vectors = sub_vectors(columns, len(table), self.group)
        entries = rounded(half_table(vectors)).reshape(-1, columns.shape[1]).astype(np.float64)
        hot = _selected(table, self.group).reshape(len(entries), -1).astype(np.float64)
        total = columns.sum(axis=0, dtype=np.int64)[:, None] * self.zero.astype(np.int64)
        return (entries.T @ hot).astype(np.int64) - total

    def parameters(self, node: Product) -> NDArray[np.uint8]:
        """The zero point."""
        return self.zero[None].view(np.uint8)

    def _parts(self, node: Product) -> list[NDArray[np.int16]]:
        """Weights of each group of the layer, ``(reduction with padding, columns)``."""
        tables, zeros = np.split(node.table, node.groups), np.split(self.zero, node.groups)
        return [self.weights(table, zero) for table, zero in zip(tables, zeros, strict=True)]

    def float_sums(self, node: Product, columns: Real, input_scale: float) -> Real:
        """Exact products of the dequantised weights."""
        scales, rows = np.split(node.table_scale, node.groups), np.split(columns, node.groups, axis=1)
        return np.concatenate([row @ (weights * (scale / input_scale)) for row, weights, scale
                               in zip(rows, self._parts(node), scales, strict=True)], axis=1)

    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """One product for each group of the layer, of activations or of their tables."""
        vectors = writer.reshape(rows, -1, node.groups, 1, self.group * len(node.table) // node.groups)
        if not self.quantised:
            weights = writer.constant(np.stack(self._parts(node)), np.int32)
            return writer.reshape(writer.op("MatMul", vectors, weights), -1, node.columns)
        hot = np.stack([_selected(part, self.group).reshape(-1, part.shape[2])
                        for part in np.split(node.table, node.groups)])
        tables = writer.reshape(self._onnx_tables(writer, node, rows), -1, node.groups, 1, hot.shape[1])
        sums = writer.op("MatMul", tables, writer.constant(hot, np.int32))
        zeros = writer.constant(self.zero.reshape(node.groups, 1, -1), np.int32)
        total = writer.op("Mul", writer.sum(vectors, 3, keepdims=1), zeros)
        return writer.reshape(writer.op("Sub", sums, total), -1, node.columns)

    def _onnx_tables(self, writer: Writer, node: Product, rows: str) -> str:
        """Rounded tables ``(rows, codebooks, entries)``; nothing that ``Div`` divides is negative."""
        def number(value: int) -> str:
            return writer.constant(value, np.int32)

        vectors = writer.reshape(rows, -1, len(node.table), self.group)
        table = writer.op("MatMul", vectors, writer.constant(_signs(self.group).T, np.int32))
        largest = writer.op("ReduceMax", writer.op("Abs", table), axes=[2], keepdims=1)
        unit = number(1)
        for t in range(SHIFTS):
            few = writer.op("Div", writer.op("Add", largest, number(1 << t >> 1)), number(1 << t))
            more = writer.cast(writer.op("Greater", few, number(LARGEST)), TensorProto.INT32)
            unit = writer.op("Mul", unit, writer.op("Add", more, number(1)))
        half = writer.op("Div", unit, number(2))
        lifted = writer.op("Add", writer.op("Add", table, half), number(1 << 16))
        return writer.op("Sub", writer.op("Mul", writer.op("Div", lifted, unit), unit), number(1 << 16))

    def refusal(self, node: Product, array: Array) -> str | None:
        """A cell has one length of group, and its tables are rounded or not."""
        if self.group != array.length:
            return f"layer {node.name} must have the array's groups of {array.length} scalars, not {self.group}"
        if self.quantised != array.quantised:
            wanted, given = ("8-bit" if flag else "whole" for flag in (array.quantised, self.quantised))
            return f"layer {node.name} must have the array's {wanted} table entries, not {given} ones"
        return None

"""Ternary weights as indices into tables that are made of activations: one index serves a lane for each token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import ternary
from ..codings import Trits
from ..schedule import Pipeline
from .base import Counts, Draw, Engine, Example, Parts, log2

if TYPE_CHECKING:
    from ..nodes import Product
    from ..operation import Operation
    from ..params import Array, Layer
    from ..structure import Structure

__all__ = ["VecLut"]

SCALAR = 8  # bits of an activation


def _entries(array: Array) -> int:
    """Entries of half a table beside zero."""
    return ternary.zero_code(array.length)


def _words(array: Array) -> int:
    """Words of both banks of a cell's table: a power of two, whether an entry comes to lie in them or not."""
    return 2 << log2(_entries(array) + 1)


def _builds(operation: Operation, array: Array) -> int:
    """Tables built: for every token, row tile and sweep one in each array row."""
    return operation.rows * operation.row_tiles * operation.sweeps * array.rows


class VecLut(Engine):
    """Encoders pass sub-vectors on; a cell builds half a table of its token's, in two banks, and reads it by code.

    Rows of the array are groups of weights, its columns tokens (output pixels); outputs are issued one after the other.
    """

    name = "vec-lut"
    vector = True
    typical: ClassVar[dict[str, Any]] = {"length": 3, "entries": 1}

    def preparation(self, array: Array) -> str:
        """See `Engine.preparation`."""
        return "Adding up tables of activations"

    def check(self, array: Array) -> None:
        """See `Engine.check`."""
        if array.length not in ternary.GROUPS or array.entries != 1:
            raise ValueError(f"a vec-lut array must have length 3, 4 or 5 and entries 1, not {array.length} and "
                             f"{array.entries}")
        if array.fill not in (0, array.rows):
            raise ValueError(f"a vec-lut array must fill all {array.rows} rows, not {array.fill}")
        if array.functions:
            raise ValueError(f"a vec-lut array must have no function slots, not {array.functions}")
        if array.block_rows < array.columns:
            raise ValueError(f"block_rows of a vec-lut array must be at least its {array.columns} columns, "
                             f"not {array.block_rows}")

    def sizes(self, products: Sequence[Product]) -> dict[str, Any]:
        """See `Engine.sizes`."""
        groups = sorted({product.coding.length for product in products})
        if len(groups) > 1:
            raise ValueError(f"layers must use one group of ternary weights, not {' and '.join(map(str, groups))}")
        return {"length": groups[0], "entries": 1}

    def example(self, array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
        """See `Engine.example`: the ends of what is drawn are the ends of the codes."""
        taps = kernel[0] * kernel[1]
        codebooks = taps * -(-(reduction // taps) // array.length)
        codes = (draw.cells(codebooks, 1, columns).astype(np.int64) + 128) * (3**array.length - 1) // 255
        return Example(codes.astype(np.uint8).view(np.int8), Trits(array.length))

    def beat_bytes(self, array: Array) -> int:
        """A code word of each row, for one output."""
        return array.rows

    def symbol_bits(self, array: Array) -> int:
        """A sub-vector as it is."""
        return array.length * SCALAR

    def term_bits(self, array: Array) -> int:
        """A signed sum of ``length`` activations."""
        return (array.length << SCALAR - 1).bit_length() + 1

    def spread(self, array: Array) -> int:
        """See `Engine.spread`."""
        return array.length

    def encode_stages(self, array: Array) -> int:
        """One register."""
        return 1

    def tree_stages(self, array: Array) -> int:
        """One for two levels of adders."""
        return -(-log2(array.rows) // 2)

    def encode_registers(self, array: Array) -> int:
        """See `Engine.encode_registers`."""
        return array.length * SCALAR

    def encoder_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Tables built: one addition of a chosen activation for each entry."""
        array = structure.array
        added = _builds(operation, array) * _entries(array)
        return {"encoder_adds": added, "encoder_add_bits": added * structure.term_bits,
                "encoder_mux_bits": added * (array.length - 1) * SCALAR}

    def cell_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """An entry read and, where the code says so, negated; the builder. Beside: code words, transposer."""
        array, term, lookups = structure.array, structure.term_bits, layer.lookups
        built, outputs = _builds(operation, array), layer.rows * layer.columns
        features = operation.blocks * operation.features(array)
        beats = features * (operation.row_tiles + array.parameter_beats)
        late = features * 8 * self.parameter_bytes * Pipeline(array).sum  # parameters follow their sums
        return {"table_reads": lookups, "cell_mux_bits": lookups * (_words(array) - 1) * term,
                "cell_add_bits": lookups * term, "cell_wire_bits": built * _entries(array) * term * _words(array),
                "cell_register_bits": built * (array.length * SCALAR + 2 * _entries(array) * term),
                "beside_mux_bits": outputs * (array.columns - 1) * SCALAR,
                "beside_register_bits": beats * array.rows * 8 + late + outputs * 2 * SCALAR}

    def schedule_events(self, operation: Operation, layer: Layer, structure: Structure) -> Counts:
        """Outputs are issued one after the other, each for all tokens of a block."""
        array = structure.array
        features = operation.blocks * operation.features(array)
        issues, beats = features * operation.row_tiles, features * (operation.row_tiles + array.parameter_beats)
        words = operation.rows * operation.row_tiles * operation.sweeps
        kept = features * (operation.row_tiles - 1) * structure.accumulator_word_bits
        lanes = layer.rows * operation.features(array) * operation.row_tiles  # tokens of all issues
        return {"issues": issues, "idle_cells": issues * array.cells - layer.lookups,
                "index_read_bits": words * structure.index_word_bits,
                "accumulator_read_bits": kept, "accumulator_write_bits": kept,
                "issue_register_bits": lanes * self.tree_registers(array),
                "accumulator_register_bits": issues * structure.accumulator_registers,
                "table_writes": 0, "parameter_bits": features * 8 * self.parameter_bytes,
                "table_read_bits": 0 if operation.stream_tables else beats * structure.table_word_bits,
                "table_beats": beats if operation.stream_tables else 0}

    def parameter_registers(self, array: Array) -> int:
        """None: all columns share the output's parameters."""
        return 0

    def cell_words(self, array: Array) -> int:
        """Both banks' half tables, of every token."""
        return _words(array) * array.columns

    def encoder_parts(self, structure: Structure) -> Parts:
        """See `Engine.encoder_parts`."""
        return {"register": self.encode_registers(structure.array)}

    def cell_parts(self, structure: Structure) -> Parts:
        """Two banks of a table, their reader, the builder and its sub-vector."""
        array, term, words = structure.array, structure.term_bits, _words(structure.array)
        return {"register": (words + 1) * term + array.length * SCALAR,
                "mux": (words - 1) * term + (array.length - 1) * SCALAR, "add": 2 * term}

    def beside_parts(self, structure: Structure) -> Parts:
        """Transposer; code words; parameters that wait for their sums."""
        array = structure.array
        return {"register": 2 * SCALAR * array.columns**2 + 8 * array.rows
                + 8 * self.parameter_bytes * (1 + Pipeline(array).sum),
                "mux": SCALAR * array.columns * (array.columns - 1)}

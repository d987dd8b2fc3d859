"""Events of one layer on one machine: whole numbers, counted from the schedule, apart from any price."""

from dataclasses import dataclass, fields
from typing import Any

from .params import Metric
from .schedule import PARAMETER_BEATS, Schedule
from .structure import Number, Structure, reduction_bits

__all__ = ["DramBits", "Events", "count"]

COMMAND_BITS = 8 * 32


@dataclass(frozen=True, kw_only=True)
class DramBits:
    """Bits between the chip and its memory, for one layer."""

    activations: int
    centroids: int
    tables: int
    parameters: int
    outputs: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class Events:
    """How often everything that costs energy happens in one layer.

    Parameters
    ----------
    encodes : sub-vectors that pass an encoder, once in a layer (scalars in a MAC array).
    distance_steps : lanes of work in them: one difference, and its absolute value or square.
    distance_add_bits : adder (or maximum) bits that reduce the lanes to a distance.
    compares : distances compared in search of the nearest.
    centroid_read_bits, centroid_write_bits : centroid memory.
    index_read_bits, index_write_bits : index memory, whole words.
    issues : rows that the walker sends through the array.
    table_reads : table entries read; 0 in a MAC array.
    multiplies : products of the MAC array; 0 in a lookup array.
    table_writes : table entries (or weights) written into cells.
    turn_bits : weight bits that a MAC array moves from its loading to its working bank; a lookup array moves none.
    idle_cells : cells that an issue passes without work (ragged tiles).
    tree_adds, tree_add_bits : two-operand additions of the adder trees and their bits.
    accumulator_adds : additions of a tree's sum to an accumulator.
    accumulator_read_bits, accumulator_write_bits : accumulator memory, whole words.
    finishes : outputs finished: one bias addition, one 16-bit multiplication, one rounding addition each.
    encode_register_bits, issue_register_bits, finish_register_bits : register bits clocked by data.
    activation_beats, table_beats, output_beats : beats of the streams.
    window_read_bits, window_write_bits : buffer in which a convolution's windows are formed, before the machine.
    dram : bits from and to memory.
    """

    encodes: int
    distance_steps: int
    distance_add_bits: int
    compares: int
    centroid_read_bits: int
    centroid_write_bits: int
    index_read_bits: int
    index_write_bits: int
    issues: int
    table_reads: int
    multiplies: int
    table_writes: int
    turn_bits: int
    idle_cells: int
    tree_adds: int
    tree_add_bits: int
    accumulator_adds: int
    accumulator_read_bits: int
    accumulator_write_bits: int
    finishes: int
    encode_register_bits: int
    issue_register_bits: int
    finish_register_bits: int
    activation_beats: int
    table_beats: int
    output_beats: int
    window_read_bits: int
    window_write_bits: int
    dram: DramBits

    @property
    def operations(self) -> int:
        """Arithmetic done: distance lanes and their sums, compares, cell reads or products, additions, finishers."""
        lanes = 2 * self.distance_steps  # difference, and absolute value or square
        sums = max(self.distance_steps - self.compares - self.encodes, 0) if self.distance_steps else 0
        cells = self.table_reads + self.multiplies
        return lanes + sums + self.compares + cells + self.tree_adds + self.accumulator_adds + 3 * self.finishes


def _encoder(schedule: Schedule, structure: Structure) -> dict[str, int]:
    layer, array = schedule.layer, schedule.array
    encodes = layer.rows * layer.codebooks
    beats = layer.rows * sum(schedule.slots)
    slots = beats * array.encoders  # encoders without a codebook are clocked, too
    counts = {"encodes": encodes, "activation_beats": beats,
              "encode_register_bits": slots * structure.encode_registers}
    if not array.is_lookup:
        return counts | dict.fromkeys(("distance_steps", "distance_add_bits", "compares", "centroid_read_bits",
                                       "centroid_write_bits"), 0)
    distances = encodes * layer.entries
    if array.metric is Metric.CHEBYSHEV:
        add_bits = (layer.length - 1) * structure.lane_bits
    else:
        add_bits = reduction_bits(layer.length, structure.lane_bits)
    centroids = sum(schedule.slots) * layer.entries
    return counts | {
        "activation_beats": beats + centroids,
        "distance_steps": distances * layer.length,
        "distance_add_bits": distances * add_bits,
        "compares": encodes * (layer.entries - 1),
        "centroid_read_bits": slots * structure.centroid_word_bits,
        "centroid_write_bits": centroids * structure.beat_bits,
    }


def _array(schedule: Schedule, structure: Structure) -> dict[str, int]:
    layer, array = schedule.layer, schedule.array
    issues = layer.rows * schedule.row_tiles * schedule.column_tiles
    outputs = layer.rows * layer.columns
    output_words = layer.rows * schedule.column_tiles
    passes = schedule.row_tiles - 1
    tiles = schedule.blocks * schedule.column_tiles * schedule.row_tiles
    tree = sum(reduction_bits(used, structure.term_bits) for used in schedule.used_rows)
    return {
        "issues": issues,
        "index_write_bits": layer.rows * schedule.row_tiles * structure.index_word_bits,
        "index_read_bits": issues * structure.index_word_bits,
        "table_reads": layer.lookups if array.is_lookup else 0,
        "multiplies": 0 if array.is_lookup else layer.lookups,
        "table_writes": schedule.blocks * schedule.column_tiles * layer.codebooks * layer.entries * array.columns,
        "turn_bits": 0 if array.is_lookup else tiles * array.cells * structure.number.bits,
        "idle_cells": issues * array.cells - layer.lookups,
        "tree_adds": outputs * (layer.codebooks - schedule.row_tiles),
        "tree_add_bits": outputs * tree,
        "accumulator_adds": outputs * passes,
        "accumulator_read_bits": output_words * passes * structure.accumulator_word_bits,
        "accumulator_write_bits": output_words * passes * structure.accumulator_word_bits,
        "finishes": outputs,
        "issue_register_bits": issues * structure.issue_registers,
        "finish_register_bits": outputs * structure.finish_registers,
        "table_beats": schedule.blocks * schedule.column_tiles * (layer.codebooks * layer.entries + PARAMETER_BEATS),
        "output_beats": output_words,
    }


def _traffic(schedule: Schedule, structure: Structure, inputs: int) -> dict[str, Any]:
    layer, array, bits = schedule.layer, schedule.array, structure.number.bits
    scalars = layer.rows * layer.reduction
    dram = DramBits(
        activations=inputs * bits,
        centroids=layer.codebooks * layer.entries * layer.length * 8 if array.is_lookup else 0,
        tables=schedule.blocks * layer.codebooks * layer.entries * layer.columns * bits,
        parameters=schedule.blocks * layer.columns * (32 if structure.is_float else 8 * PARAMETER_BEATS)
        + COMMAND_BITS,
        outputs=layer.rows * layer.columns * bits)
    windowed = inputs < scalars
    return {"window_read_bits": scalars * bits if windowed else 0,
            "window_write_bits": inputs * bits if windowed else 0, "dram": dram}


def count(schedule: Schedule, *, inputs: int | None = None, number: Number = Number.INT8) -> Events:
    """Events of one scheduled layer.

    ``inputs`` is the number of different scalars in the layer's input (a convolution's windows repeat them);
    without it every scalar is different, as in a linear layer.
    """
    structure, layer = Structure(schedule.array, number), schedule.layer
    different = layer.rows * layer.reduction if inputs is None else inputs
    if different < 1:
        raise ValueError(f"inputs of layer {layer.name} must be at least 1, not {different}")
    counts: dict[str, Any] = _encoder(schedule, structure) | _array(schedule, structure)
    return Events(**counts, **_traffic(schedule, structure, min(different, layer.rows * layer.reduction)))

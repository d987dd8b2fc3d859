"""Events of a product: encoders, cells, trees and accumulators, tables."""

from .engines import over_tiles, reduction_bits
from .flow_events import feeder_counts, result_counts
from .operation import Operation
from .params import Array, Layer
from .structure import Structure
from .whole import most

__all__ = ["product_counts"]


def _encoder(operation: Operation, layer: Layer, structure: Structure) -> dict[str, int]:
    array = structure.array
    encodes = layer.rows * layer.codebooks
    passed = operation.rows * operation.slots * array.encoders  # encoders without a codebook are clocked, too
    counts = {"encodes": encodes, "encode_register_bits": passed * structure.encode_registers}
    words = array.cell.slot_words(array, operation.entries)
    loaded = operation.blocks * operation.slots * words * structure.beat_bits
    return counts | {"codebook_read_bits": loaded} | array.cell.encoder_events(operation, layer, structure)


def _array(operation: Operation, layer: Layer, structure: Structure) -> dict[str, int]:
    array = structure.array
    planes = array.cell.issue_cycles(operation.entries)
    walked = operation.rows * operation.row_tiles * operation.column_tiles
    issues = walked * planes
    outputs = layer.rows * layer.columns
    passes = operation.row_tiles - 1
    trees = over_tiles(operation, layer, array, lambda rows: reduction_bits(rows, structure.term_bits))
    accumulated = layer.rows * operation.column_tiles * passes * structure.accumulator_word_bits
    return {
        "issues": issues,
        "index_write_bits": layer.rows * operation.row_tiles * structure.index_word_bits,
        "index_read_bits": (_tile_beats(operation, array) if operation.gather else walked) * structure.index_word_bits,
        "cell_steps": layer.lookups, "idle_cells": issues * array.cells - layer.lookups,
        "tree_adds": outputs * planes * most(layer.codebooks - operation.row_tiles, 0),
        "tree_add_bits": outputs * planes * trees,
        "accumulator_adds": outputs * passes,
        "accumulator_read_bits": accumulated, "accumulator_write_bits": accumulated,
        "issue_register_bits": issues * structure.issue_registers,
        "accumulator_register_bits": walked * structure.accumulator_registers
    } | array.cell.cell_events(operation, layer, structure)


def _tile_beats(operation: Operation, array: Array) -> int:
    """Table beats of all blocks, parameters not included: those of all entries, or of the selected ones."""
    each = operation.rows if operation.gather else operation.blocks * array.cell.group_beats(operation.entries)
    return operation.column_tiles * operation.row_groups(array) * each


def _tables(operation: Operation, structure: Structure) -> dict[str, int]:
    """Beats of tables and parameters, from memory or stream into cells; in one image."""
    array = structure.array
    columns = operation.blocks * operation.column_tiles
    beats, parameters = _tile_beats(operation, array), columns * array.parameter_beats
    bits = (beats + parameters) * structure.table_word_bits
    return {"table_writes": beats * array.fill * array.columns,
            "parameter_bits": columns * array.cell.parameter_bytes * array.columns * 8,
            "table_read_bits": 0 if operation.stream_tables else bits,
            "table_beats": beats + parameters if operation.stream_tables else 0}


def product_counts(operation: Operation, layer: Layer, structure: Structure) -> dict[str, int]:
    """Counts of one image by the names of `Events`; what comes once for all images is not among them."""
    return (feeder_counts(operation, structure) | _encoder(operation, layer, structure)
            | _array(operation, layer, structure) | _tables(operation, structure)
            | result_counts(operation, structure, layer.rows * layer.columns)
            | structure.array.cell.schedule_events(operation, layer, structure))

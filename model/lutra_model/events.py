"""Events of one operation on one machine: whole numbers, counted from its fields, apart from any price."""

from dataclasses import dataclass, fields

import numpy as np

from .engines import log2, reduction_bits
from .function_events import FUNCTION_BITS, function_counts
from .images import table_words
from .operation import Kind, Operation, descriptor_words
from .params import Array, Layer
from .structure import Number, Structure

__all__ = ["DramBits", "Events", "count", "gathered_words"]

PARAMETER_BYTES = 7  # of a channel of a norm


@dataclass(frozen=True, kw_only=True)
class DramBits:
    """Bits between the chip and its memory; whatever stays on the chip is loaded once for all images.

    Zeros that fill up tiles, beats and words are not charged here: they need not come from memory.
    """

    inputs: int = 0
    codebooks: int = 0
    tables: int = 0
    parameters: int = 0
    program: int = 0
    outputs: int = 0

    def __add__(self, other: "DramBits") -> "DramBits":
        return DramBits(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def __rmul__(self, times: int) -> "DramBits":
        return DramBits(**{name: times * value for name, value in vars(self).items()})

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class Events:
    """How often everything that costs energy happens in one operation, for all its images.

    Parameters
    ----------
    encodes : sub-vectors that pass an encoder (scalars in a MAC array).
    distance_steps : lanes of work in them: one difference, and its absolute value or square.
    compares : distances (or scalars and thresholds) compared.
    encoder_add_bits, encoder_compare_bits, encoder_mux_bits : adder, comparator and two-input multiplexer bits of
        encoders and online table builders. encoder_multiply_bits : products of widths of what they multiply.
    codebook_read_bits, codebook_write_bits : codebook memory; what is read goes into the encoders' registers.
    gather_read_bits, activation_write_bits, residual_read_bits : activation memory.
    address_bits : adder bits of the lanes' addresses. gather_register_bits : register bits that a fed row passes.
    index_read_bits, index_write_bits : index memory, whole words.
    issues : rows that the walker sends through the array, once for each plane where weights have planes.
    table_reads : table entries read; 0 in a MAC array.
    multiplies : products of 8 x 8 bits that the cells form. multiply_bits : products of widths of other ones.
    cell_mux_bits, cell_add_bits : multiplexer and adder bits of the cells, before the trees.
    cell_register_bits : register bits clocked in cells or before them, beyond those that every issued row passes.
    table_writes : table entries (or weights) written into cells.
    table_read_bits, table_write_bits : table memory, parameters included.
    parameter_bits : finisher parameters written into their registers.
    turn_bits : weight bits that a MAC array moves from its loading to its working bank; a lookup array moves none.
    idle_cells : cells that an issue passes without work (ragged tiles).
    tree_adds, tree_add_bits : two-operand additions of the adder trees and their bits.
    accumulator_adds : additions of a tree's sum to an accumulator.
    accumulator_read_bits, accumulator_write_bits : accumulator memory, whole words.
    pool_add_bits : adder bits that reduce a pool's lanes; pool_compare_bits : comparator bits, for a maximum.
    finishes : outputs finished: one bias addition, one 16-bit multiplication, one rounding addition each.
    function_compare_bits, function_mux_bits, function_add_bits, function_multiply_bits, function_register_bits : of
        function units and of the row unit; ``multiply`` as products of widths.
    function_read_bits, function_write_bits : function memory; what is read goes into registers.
    row_read_bits, row_write_bits : the row unit's memories.
    residual_adds : outputs to which the add stage adds: two products of 16 x 8 bits, a sum, a rounding, a shift.
    encode_register_bits, issue_register_bits, finish_register_bits : register bits clocked by data.
    program_read_bits, program_write_bits : program memory.
    activation_beats, table_beats, output_beats : beats of the streams.
    dram : bits from and to memory.
    """

    encodes: int = 0
    distance_steps: int = 0
    compares: int = 0
    encoder_add_bits: int = 0
    encoder_compare_bits: int = 0
    encoder_mux_bits: int = 0
    encoder_multiply_bits: int = 0
    codebook_read_bits: int = 0
    codebook_write_bits: int = 0
    gather_read_bits: int = 0
    activation_write_bits: int = 0
    residual_read_bits: int = 0
    address_bits: int = 0
    gather_register_bits: int = 0
    index_read_bits: int = 0
    index_write_bits: int = 0
    issues: int = 0
    table_reads: int = 0
    multiplies: int = 0
    multiply_bits: int = 0
    cell_mux_bits: int = 0
    cell_add_bits: int = 0
    cell_register_bits: int = 0
    table_writes: int = 0
    table_read_bits: int = 0
    table_write_bits: int = 0
    parameter_bits: int = 0
    turn_bits: int = 0
    idle_cells: int = 0
    tree_adds: int = 0
    tree_add_bits: int = 0
    accumulator_adds: int = 0
    accumulator_read_bits: int = 0
    accumulator_write_bits: int = 0
    pool_add_bits: int = 0
    pool_compare_bits: int = 0
    finishes: int = 0
    function_compare_bits: int = 0
    function_mux_bits: int = 0
    function_add_bits: int = 0
    function_multiply_bits: int = 0
    function_register_bits: int = 0
    function_read_bits: int = 0
    function_write_bits: int = 0
    row_read_bits: int = 0
    row_write_bits: int = 0
    residual_adds: int = 0
    encode_register_bits: int = 0
    issue_register_bits: int = 0
    finish_register_bits: int = 0
    program_read_bits: int = 0
    program_write_bits: int = 0
    activation_beats: int = 0
    table_beats: int = 0
    output_beats: int = 0
    dram: DramBits = DramBits()

    def __add__(self, other: "Events") -> "Events":
        return Events(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def __rmul__(self, times: int) -> "Events":
        return Events(**{name: times * value for name, value in vars(self).items()})

    @property
    def operations(self) -> int:
        """Arithmetic done: distance lanes and their sums, compares, cell reads or products, additions, finishers."""
        lanes = 2 * self.distance_steps  # difference, and absolute value or square
        sums = max(self.distance_steps - self.compares - self.encodes, 0) if self.distance_steps else 0
        cells = self.table_reads + self.multiplies
        return (lanes + sums + self.compares + cells + self.tree_adds + self.accumulator_adds + 3 * self.finishes
                + 4 * self.residual_adds)


def gathered_words(operation: Operation) -> int:
    """Words that a product or pool gathers: those of enabled lanes inside the image."""
    rows = np.arange(operation.rows // operation.out_width) * operation.stride_y - operation.top
    columns = np.arange(operation.out_width) * operation.stride_x - operation.left
    total = 0
    for lane in operation.lanes:
        times = lane.enabled * (operation.groups - 1) + lane.enabled_last
        if times:
            y = rows[:, None] + np.arange(operation.parts_y) * operation.part_y_dy + lane.dy
            x = columns[:, None] + np.arange(operation.parts_x) * operation.part_x_dx + lane.dx
            inside = ((y >= 0) & (y < operation.height)).sum() * ((x >= 0) & (x < operation.width)).sum()
            total += times * int(inside)
    return total


def _feeder(operation: Operation, structure: Structure) -> dict[str, int]:
    """Addresses, gathered words, and the registers between memory and encoders; words of padding are addressed, too."""
    address = log2(structure.array.activation_words)
    lanes = sum(lane.enabled * (operation.groups - 1) + lane.enabled_last for lane in operation.lanes)
    reads = operation.rows * operation.parts_y * operation.parts_x * lanes
    return {"gather_read_bits": gathered_words(operation) * structure.word_bits, "address_bits": reads * address,
            "gather_register_bits": reads * (address + 2 * structure.word_bits)}


def _written(operation: Operation, array: Array) -> int:
    """Words of results, in memory or read as a residual."""
    size = array.columns if operation.kind is Kind.PRODUCT else array.word
    words = (operation.column_tiles - 1) * (size // array.word) + -(-operation.last_columns // array.word)
    return operation.rows * words


def _results(operation: Operation, structure: Structure, outputs: int) -> dict[str, int]:
    """Finisher, add stage, writer."""
    bits = _written(operation, structure.array) * structure.word_bits
    return {"finishes": outputs, "finish_register_bits": outputs * structure.finish_registers,
            **function_counts(operation, structure, outputs),
            "residual_adds": outputs if operation.residual else 0,
            "residual_read_bits": bits if operation.residual else 0,
            "activation_write_bits": 0 if operation.to_stream else bits,
            "output_beats": operation.rows * operation.column_tiles if operation.to_stream else 0}


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
    used = [min(slots * array.encoders, max(1, layer.codebooks - place * array.rows))
            for place, slots in enumerate(operation.tile_slots(array))]
    accumulated = layer.rows * operation.column_tiles * passes * structure.accumulator_word_bits
    return {
        "issues": issues,
        "index_write_bits": layer.rows * operation.row_tiles * structure.index_word_bits,
        "index_read_bits": (tile_beats(operation, array) if operation.gather else walked) * structure.index_word_bits,
        "idle_cells": issues * array.cells - layer.lookups,
        "tree_adds": outputs * planes * max(layer.codebooks - operation.row_tiles, 0),
        "tree_add_bits": outputs * planes * sum(reduction_bits(rows, structure.term_bits) for rows in used),
        "accumulator_adds": outputs * passes,
        "accumulator_read_bits": accumulated, "accumulator_write_bits": accumulated,
        "issue_register_bits": issues * structure.issue_registers
    } | array.cell.cell_events(operation, layer, structure)


def tile_beats(operation: Operation, array: Array) -> int:
    """Table beats of all blocks, parameters not included: those of all entries, or of the selected ones."""
    groups = sum(-(-slots * array.encoders // array.fill) for slots in operation.tile_slots(array))
    each = operation.rows if operation.gather else operation.blocks * array.cell.group_beats(operation.entries)
    return operation.column_tiles * groups * each


def _tables(operation: Operation, structure: Structure) -> dict[str, int]:
    """Beats of tables and parameters, from memory or stream into cells; in one image."""
    array = structure.array
    columns = operation.blocks * operation.column_tiles
    beats, parameters = tile_beats(operation, array), columns * array.parameter_beats
    bits = (beats + parameters) * structure.table_word_bits
    return {"table_writes": beats * array.fill * array.columns,
            "parameter_bits": columns * array.cell.parameter_bytes * array.columns * 8,
            "table_read_bits": 0 if operation.stream_tables else bits,
            "table_beats": beats + parameters if operation.stream_tables else 0}


def _product(operation: Operation, layer: Layer, structure: Structure) -> dict[str, int]:
    return (_feeder(operation, structure) | _encoder(operation, layer, structure)
            | _array(operation, layer, structure) | _tables(operation, structure)
            | _results(operation, structure, layer.rows * layer.columns)
            | structure.array.cell.schedule_events(operation, layer, structure))


def _pool(operation: Operation, structure: Structure) -> dict[str, int]:
    array = structure.array
    fed, outputs = operation.rows * operation.slots, operation.rows * operation.column_tiles * array.word
    lanes = len(operation.lanes)
    width = 8 + log2(max(2, array.lanes))
    bits = fed * array.word * ((lanes - 1) * 8 if operation.maximum else reduction_bits(lanes, 8))
    again = outputs * (operation.row_tiles - 1) * width
    return _feeder(operation, structure) | _results(operation, structure, outputs) | {
        "pool_compare_bits": bits + again if operation.maximum else 0,
        "pool_add_bits": 0 if operation.maximum else bits + again}


def _row(operation: Operation, structure: Structure) -> dict[str, int]:
    """Passes of the row unit; a norm's parameters come as those of a product do."""
    array = structure.array
    found = (_feeder(operation, structure)
             | _results(operation, structure, operation.rows * operation.column_tiles * array.word))
    if operation.maximum:
        return found
    columns = operation.blocks * operation.column_tiles
    bits = columns * array.parameter_beats * structure.table_word_bits
    return found | {"parameter_bits": columns * PARAMETER_BYTES * array.word * 8,
                    "table_read_bits": 0 if operation.stream_tables else bits,
                    "table_beats": columns * array.parameter_beats if operation.stream_tables else 0}


def _load(operation: Operation, structure: Structure) -> dict[str, int]:
    array = structure.array
    words = ((operation.column_tiles - 1) * (array.columns // operation.word_bytes)
             + -(-operation.last_columns // operation.word_bytes))
    return {"activation_write_bits": operation.rows * words * structure.word_bits,
            "activation_beats": operation.rows * operation.column_tiles}


def _dram(operation: Operation, layer: Layer | None, structure: Structure, images: int) -> DramBits:
    array, bits = structure.array, structure.number.bits
    size = array.word if operation.kind in (Kind.POOL, Kind.ROW) else array.columns
    values = operation.rows * ((operation.column_tiles - 1) * size + operation.last_columns) * bits
    found = {"inputs": images * values if operation.kind is Kind.LOAD else 0,
             "outputs": images * values if operation.to_stream else 0, "program": descriptor_words(array) * 32
             + ((operation.function > 0) + (operation.second > 0)) * FUNCTION_BITS}
    if operation.kind is Kind.ROW and not operation.maximum:
        channels = (operation.column_tiles - 1) * size + operation.last_columns
        times = images * operation.blocks if operation.stream_tables else 1
        found["parameters"] = times * channels * 8 * PARAMETER_BYTES
    if layer:
        words = layer.codebooks * array.cell.group_beats(layer.entries) * layer.columns
        times = images * operation.blocks if operation.stream_tables else 1
        found |= {"tables": times * words * structure.cell_bits,
                  "parameters": times * layer.columns * (32 if structure.is_float else 8 * array.cell.parameter_bytes),
                  "codebooks": array.cell.codebook_bits(array, layer)}
    return DramBits(**found)


def count(operation: Operation, array: Array, layer: Layer | None = None, *, number: Number = Number.INT8,
          images: int = 1) -> Events:
    """Events of an operation for so many images.

    ``layer`` is the shape of a product, None for others. Program, functions, codebooks and resident tables come on the
    chip once, whatever the number of images; functions that operations share once for each of them.
    """
    if images < 1:
        raise ValueError(f"images must be at least 1, not {images}")
    structure = Structure(array, number)
    match operation.kind:
        case Kind.PRODUCT:
            assert layer is not None
            counts = _product(operation, layer, structure)
        case Kind.POOL:
            counts = _pool(operation, structure)
        case Kind.ROW:
            counts = _row(operation, structure)
        case Kind.LOAD:
            counts = _load(operation, structure)
    counts["program_read_bits"] = descriptor_words(array) * 32
    norm = operation.kind is Kind.ROW and not operation.maximum
    resident = (operation.kind is Kind.PRODUCT or norm) and not operation.stream_tables
    codebooks = array.cell.codebook_words(operation, array) if operation.kind is Kind.PRODUCT else 0
    once = {"table_write_bits": table_words(operation, array) * structure.table_word_bits if resident else 0,
            "codebook_write_bits": codebooks * structure.beat_bits,
            "function_write_bits": counts.get("function_read_bits", 0),
            "program_write_bits": counts["program_read_bits"]}
    return Events(**{name: images * value for name, value in counts.items()}, **once,
                  dram=_dram(operation, layer, structure, images))

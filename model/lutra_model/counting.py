"""Counts the events of one operation on one machine: whole numbers, from its fields, apart from any price."""

from .engines import log2, reduction_bits
from .events import DramBits, Events
from .flow_events import feeder_counts, result_counts
from .function_events import FUNCTION_BITS
from .images import table_words
from .operation import Kind, Operation, descriptor_words
from .params import Array, Layer
from .product_events import product_counts
from .structure import Number, Structure
from .whole import most

__all__ = ["count"]

PARAMETER_BYTES = 7  # of a channel of a norm


def _pool(operation: Operation, structure: Structure) -> dict[str, int]:
    array = structure.array
    fed, outputs = operation.rows * operation.slots, operation.rows * operation.column_tiles * array.word
    lanes = operation.used_lanes
    width = 8 + log2(most(2, array.pool_lanes))
    bits = fed * array.word * ((lanes - 1) * 8 if operation.maximum else reduction_bits(lanes, 8))
    again = outputs * (operation.row_tiles - 1) * width
    return feeder_counts(operation, structure) | result_counts(operation, structure, outputs) | {
        "pool_compare_bits": bits + again if operation.maximum else 0,
        "pool_add_bits": 0 if operation.maximum else bits + again}


def _row(operation: Operation, structure: Structure) -> dict[str, int]:
    """Passes of the row unit; a norm's parameters come as those of a product do."""
    array = structure.array
    found = (feeder_counts(operation, structure)
             | result_counts(operation, structure, operation.rows * operation.column_tiles * array.word))
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
            counts = product_counts(operation, layer, structure)
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

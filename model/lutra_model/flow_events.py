"""Events of what all operations share: addresses, gathered words, finisher, add stage, writer."""

import numpy as np

from .engines import log2
from .function_events import function_counts
from .operation import Kind, Operation
from .params import Array
from .structure import Structure

__all__ = ["feeder_counts", "gathered_words", "result_counts"]


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


def feeder_counts(operation: Operation, structure: Structure) -> dict[str, int]:
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


def result_counts(operation: Operation, structure: Structure, outputs: int) -> dict[str, int]:
    """Finisher, functions, add stage, writer."""
    bits = _written(operation, structure.array) * structure.word_bits
    return {"finishes": outputs, "finish_register_bits": outputs * structure.finish_registers,
            **function_counts(operation, structure, outputs),
            "residual_adds": outputs if operation.residual else 0,
            "residual_read_bits": bits if operation.residual else 0,
            "activation_write_bits": 0 if operation.to_stream else bits,
            "output_beats": operation.rows * operation.column_tiles if operation.to_stream else 0}

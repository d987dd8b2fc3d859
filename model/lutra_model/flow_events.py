"""Events of what all operations share: addresses, gathered words, finisher, add stage, writer."""

from .function_events import function_counts
from .operation import Kind, Operation
from .params import Array
from .structure import Structure

__all__ = ["feeder_counts", "result_counts"]


def feeder_counts(operation: Operation, structure: Structure) -> dict[str, int]:
    """Addresses, gathered words, and the registers between memory and encoders; words of padding are addressed, too."""
    reads = operation.rows * operation.parts_y * operation.parts_x * operation.lane_reads
    fed = operation.rows * operation.slots
    return {"gather_read_bits": operation.words_inside * structure.word_bits,
            "address_bits": reads * structure.address_bits,
            "gather_register_bits": reads * structure.address_bits + fed * structure.lane_registers}


def _written(operation: Operation, array: Array) -> int:
    """Words of results, in memory or read as a residual."""
    size = array.columns if operation.kind is Kind.PRODUCT else array.word
    words = (operation.column_tiles - 1) * (size // array.word) + -(-operation.last_columns // array.word)
    return operation.rows * words


def result_counts(operation: Operation, structure: Structure, outputs: int) -> dict[str, int]:
    """Finisher, functions, add stage, writer; registers of all columns are clocked, whatever a row has of results."""
    array, bits = structure.array, _written(operation, structure.array) * structure.word_bits
    each = array.cell.vector and operation.kind is Kind.PRODUCT  # only the tokens that are there are clocked
    passed = outputs if each else operation.rows * operation.column_tiles * array.columns
    return {"finishes": outputs, "finish_register_bits": passed * structure.finish_registers,
            "add_register_bits": passed * structure.add_registers, **function_counts(operation, structure, outputs),
            "residual_adds": outputs if operation.residual else 0,
            "residual_read_bits": bits if operation.residual else 0,
            "activation_write_bits": 0 if operation.to_stream else bits,
            "output_beats": operation.rows * operation.column_tiles if operation.to_stream else 0}

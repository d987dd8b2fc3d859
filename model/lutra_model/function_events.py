"""What function units and the row unit do and are made of, in bits (docs/cost-model.md)."""

from .engines import Counts, Parts, log2
from .operation import Kind, Operation
from .piecewise import FUNCTION_WORDS, SEGMENTS
from .structure import Structure

__all__ = ["FUNCTION_BITS", "ROW_MEMORY_BITS", "function_counts", "lane_parts", "row_parts", "row_pipeline"]

FUNCTION_BITS = 32 * FUNCTION_WORDS  # of a slot
KNOWN_BITS, TOTAL_BITS, FACTOR_BITS = 19, 27, 15 + 6  # of a row: largest or sum; its squares; its factor and shift
ROW_MEMORY_BITS = KNOWN_BITS + TOTAL_BITS + FACTOR_BITS
UNIT: Parts = {  # one piecewise function of one value
    "compare": 16 * (SEGMENTS - 1) + 2 * 17,        # breakpoints; the user's clamp
    "mux": (SEGMENTS - 1) * (16 + 32) + 5 * 33,     # slope and intercept; shift
    "multiply": 16 * 16, "add": 33,
    "register": 15 + 16 + 16 + 16 + 32 + 32 + 32 + 33 + 17}
BYTE_REGISTERS = 8 + 9 + 20 + 15 + 20 + 35 + 20  # of a byte that passes the row unit, beside its unit
BYTE_ALWAYS = 2 * 8 + 5 * 8 + 8                 # of its way beside them, which no clock gate stops
WORD_REGISTERS = 19 + 19 + 27 + 27 + 6          # of a word: what its bytes come to, a row's numbers
WORD_ALWAYS = 12 * (5 + 1) + 9 * 19 + 11 + 5 * 6 + 2 * 3  # what goes with a word; a row's number; the factor's shift
ROW_ALWAYS = 12 + 11 + 2                        # stages that a row's place in its block passes beside them
FACTOR_REGISTERS = 5 * 37 + 14 + 15 + 6  # of a row that gets its factor
Work = dict[str, float]


def _plus(one: Work, other: Work, times: float = 1) -> Work:
    return {name: one.get(name, 0) + times * other.get(name, 0) for name in {*one, *other}}


def _byte(softmax: bool, number: int) -> Work:
    """Work of one byte in pass ``number``: bits of each kind; ``multiply`` in products of widths."""
    if softmax:
        passes: list[Work] = [{"compare": 8}, _plus(UNIT, {"add": 9 + TOTAL_BITS}),
                              _plus(UNIT, {"add": 9, "multiply": 15 * 15, "mux": 5 * 30})]
    else:
        passes = [{"add": KNOWN_BITS + TOTAL_BITS, "multiply": 8 * 8},
                  {"multiply": 8 * 12 + 20 * 15, "add": 20, "mux": 5 * 35}]
    return _plus(passes[number], {"register": BYTE_REGISTERS})


def _factor(softmax: bool) -> Work:
    """Work of one row's factor: leading one, shift, function; of a norm its two products before."""
    own: Work = {"mux": 5 * 27} if softmax else {"multiply": 12 * 27 + 19 * 19, "add": 2 * 37, "mux": 6 * 37}
    return _plus(_plus(own, UNIT), {"register": FACTOR_REGISTERS})


def _named(work: Work) -> Counts:
    return {f"function_{name}_bits": int(amount) for name, amount in work.items()}


def function_counts(operation: Operation, structure: Structure, outputs: int) -> Counts:
    """Events of an operation's functions: of its finisher's ``outputs`` values, or of all passes of a ROW."""
    slots = (operation.function > 0) + (operation.second > 0)
    if not slots and operation.kind is not Kind.ROW:
        return {}
    found: Counts = {"function_read_bits": slots * FUNCTION_BITS}
    if operation.kind is not Kind.ROW:
        return found | _named({name: outputs * amount for name, amount in UNIT.items()})
    words, passes = operation.rows * operation.parts_x, operation.parts_y
    work: Work = {}
    for number in range(passes):
        work = _plus(work, _byte(operation.maximum, number), words * structure.array.word)
    work = _plus(work, {"register": WORD_REGISTERS}, words * passes)
    reads = passes * KNOWN_BITS + TOTAL_BITS + FACTOR_BITS  # of a word in all passes
    writes = KNOWN_BITS + TOTAL_BITS
    return found | _named(_plus(work, _factor(operation.maximum), operation.rows)) | {
        "row_read_bits": words * reads, "row_write_bits": words * writes + operation.rows * FACTOR_BITS}


def row_pipeline(structure: Structure) -> int:
    """Register bits of the row unit that no clock gate stops: what only waits for what is computed beside it."""
    array = structure.array
    return BYTE_ALWAYS * array.word + WORD_ALWAYS + ROW_ALWAYS * log2(array.block_rows)


def lane_parts() -> Parts:
    """One function unit, in bits; ``multiply`` in products of 8 x 8 bits."""
    return UNIT | {"multiply": UNIT["multiply"] / 64}


def row_parts(structure: Structure) -> Parts:
    """The row unit: a function unit for each byte of a word, their products and sums, one factor."""
    byte: Work = _plus(UNIT, {"compare": 8, "add": KNOWN_BITS + TOTAL_BITS + 9 + 20, "mux": 5 * 35,
                              "multiply": 8 * 8 + 8 * 12 + 20 * 15, "register": BYTE_REGISTERS})
    whole = _plus(_plus(_factor(False), byte, structure.array.word),
                  {"register": WORD_REGISTERS + row_pipeline(structure)})
    return whole | {"multiply": whole["multiply"] / 64}

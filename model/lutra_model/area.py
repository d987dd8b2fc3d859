"""Area of one machine: its logic and memories, component by component."""

from .engines import Parts, reduction_bits
from .function_events import FUNCTION_BITS, ROW_MEMORY_BITS, lane_parts, row_parts
from .schedule import Pipeline
from .structure import Structure
from .technology import Technology

__all__ = ["ADD_ADD_BITS", "ADD_MUX_BITS", "ADD_PRODUCT", "AREA_COMPONENTS", "FINISHER_ADD_BITS",
           "FINISHER_COMPARE_BITS", "FINISHER_MUX_BITS", "FINISHER_PRODUCT", "MEASURED_ENTRIES", "area_um2",
           "logic_area_um2", "measured_cell", "memory_bits"]

MEMORIES = ("activations", "tables", "codebooks", "program", "index", "accumulators", "slots", "rows")
AREA_COMPONENTS = ("gather", "encoder", "cells", "adders", "finisher", "add", "functions", "control", *MEMORIES)
MEASURED_ENTRIES = 16  # the measured table cell has so many entries
FINISHER_ADD_BITS = 33 + 10      # bias, rounding
FINISHER_PRODUCT = 33 * 16 / 64  # in products of 8 x 8 bits
FINISHER_MUX_BITS = 6 * 49       # shifter
FINISHER_COMPARE_BITS = 2 * 10   # clamp
ADD_PRODUCT = 2 * 16 * 8 / 64    # own and residual factor, in products of 8 x 8 bits
ADD_ADD_BITS = 2 * 26            # sum, rounding
ADD_MUX_BITS = 5 * 26            # shifter
ADD_REGISTERS = 2 * 24 + 27 + 8  # products, sum, result
BANKS = 2              # tables, weights and finisher parameters are loaded while others are in use


def memory_bits(structure: Structure) -> dict[str, tuple[int, int]]:
    """Words and bits in a word of each on-chip memory; both halves of the index memory stand side by side."""
    array = structure.array
    functions = {"slots": (array.functions, FUNCTION_BITS), "rows": (array.block_rows, ROW_MEMORY_BITS)}
    return {"activations": (-(-array.activation_words // array.banks), 2 * array.banks * structure.word_bits),
            "tables": (array.table_words, structure.table_word_bits),
            "codebooks": (array.codebook_words, structure.beat_bits),
            "program": (array.program_words, 32),
            "index": (array.index_words, 2 * structure.index_word_bits),
            "accumulators": (array.block_rows, structure.accumulator_word_bits)
            } | (functions if array.functions else {})


def _gather(structure: Structure, technology: Technology) -> float:
    """Lane addresses, the way from banks to lanes, and the pool's tree."""
    array, price = structure.array, technology.price
    address = array.lanes * (array.activation_words - 1).bit_length() * price("add_area")
    ways = array.lanes + array.output_words  # from banks to lanes, from columns to banks
    banks = ways * (array.banks - 1) * structure.word_bits * price("mux_area")
    pool = array.word * reduction_bits(array.lanes, 8) * (price("add_area") + price("compare_area"))
    return address + banks + pool + structure.gather_registers * price("register_area")


def _priced(parts: Parts, technology: Technology) -> float:
    """Area of so many bits (or products) of each kind."""
    return sum(amount * technology.price(f"{name}_area") for name, amount in parts.items() if amount)


def _encoder(structure: Structure, technology: Technology) -> float:
    array = structure.array
    if structure.is_float:
        return array.encoders * structure.encode_registers * technology.price("register_area")
    return array.encoders * _priced(array.cell.encoder_parts(structure), technology)


def measured_cell(structure: Structure) -> str | None:
    """The kind of whole cell, as far as technologies measure it, that the machine has: ``lookup`` or ``mac``."""
    engine = structure.array.engine
    fits = (engine == "lookup" and structure.array.entries == MEASURED_ENTRIES) or engine == "mac"
    return engine if fits and not structure.is_float and structure.cell_bits == 8 else None


def _array(structure: Structure, technology: Technology) -> tuple[float, float]:
    """Cells, and adder trees with their registers."""
    array, price = structure.array, technology.price
    measured = measured_cell(structure)
    if measured and technology.has(f"{measured}_cell_area"):
        bank = array.entries * structure.cell_bits * price("register_area")
        return array.cells * (price(f"{measured}_cell_area") + (BANKS - 1) * bank), 0.0
    registers = structure.issue_registers * price("register_area")
    if structure.is_float:
        cell = BANKS * structure.number.bits * price("register_area") + price(f"{structure.number}_multiply_area")
        adders = array.columns * ((array.rows - 1) * price(f"{structure.number}_add_area")
                                  + price("fp32_add_area"))
    else:
        cell = _priced(array.cell.cell_parts(structure), technology)
        bits = reduction_bits(array.rows, structure.term_bits) + structure.accumulator_bits
        adders = array.columns * bits * price("add_area")
    return array.cells * cell, registers + adders


def _finisher(structure: Structure, technology: Technology) -> float:
    array, price = structure.array, technology.price
    buffer = Pipeline(array).buffer * structure.number.bits
    if structure.is_float:
        return array.columns * (price("fp32_add_area")
                                + (structure.finish_registers + BANKS * 32 + buffer) * price("register_area"))
    registers = structure.finish_registers + array.cell.parameter_registers(array) + buffer
    return array.columns * (FINISHER_ADD_BITS * price("add_area") + FINISHER_PRODUCT * price("multiply_area")
                            + FINISHER_MUX_BITS * price("mux_area") + FINISHER_COMPARE_BITS * price("compare_area")
                            + registers * price("register_area"))


def _add(structure: Structure, technology: Technology) -> float:
    array, price = structure.array, technology.price
    if structure.is_float:
        return array.columns * (price("fp32_add_area") + 3 * 32 * price("register_area"))
    return array.columns * (ADD_PRODUCT * price("multiply_area") + ADD_ADD_BITS * price("add_area")
                            + ADD_MUX_BITS * price("mux_area") + ADD_REGISTERS * price("register_area"))


def _functions(structure: Structure, technology: Technology) -> float:
    """A function unit for each column, the row unit, and the two functions that an operation holds."""
    if not structure.array.functions:
        return 0.0
    held = 2 * FUNCTION_BITS * technology.price("register_area")
    return (structure.array.columns * _priced(lane_parts(), technology) + _priced(row_parts(structure), technology)
            + held)


def _table_addresses(structure: Structure) -> Parts:
    """What a machine that gathers has more: an address for each of ``fill`` rows, the choice of their indices."""
    array = structure.array
    if not array.gather:
        return {}
    address = (array.table_words - 1).bit_length()
    late = address + 1 + (array.rows // array.fill - 1).bit_length() + (array.entries - 1).bit_length() + 6
    return {"add": array.fill * address, "mux": (array.rows - array.fill) * structure.index_bits, "register": late}


def area_um2(structure: Structure, technology: Technology) -> dict[str, float]:
    """Area in square micrometres by component; the values sum to the total."""
    areas = dict.fromkeys(MEMORIES, 0.0) | {
        name: width * technology.memory("sram_area", words)
        for name, (words, width) in memory_bits(structure).items()}
    areas["gather"] = _gather(structure, technology)
    areas["encoder"] = _encoder(structure, technology)
    areas["cells"], areas["adders"] = _array(structure, technology)
    areas["finisher"] = _finisher(structure, technology)
    areas["add"] = _add(structure, technology)
    areas["functions"] = _functions(structure, technology)
    areas["control"] = (structure.control_registers * (technology.price("register_area") + technology.price("add_area"))
                        + structure.settings_registers * technology.price("register_area")
                        + _priced(_table_addresses(structure), technology))
    return {name: float(areas[name]) for name in AREA_COMPONENTS}


def logic_area_um2(structure: Structure, technology: Technology) -> float:
    """Area of everything but the memories."""
    return sum(value for name, value in area_um2(structure, technology).items() if name not in MEMORIES)

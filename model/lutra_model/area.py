"""Area of one machine: its logic and memories, component by component."""

from .params import Metric
from .schedule import Pipeline
from .structure import Structure, reduction_bits
from .technology import Technology

__all__ = ["ADD_ADD_BITS", "ADD_MUX_BITS", "ADD_PRODUCT", "AREA_COMPONENTS", "FINISHER_ADD_BITS",
           "FINISHER_COMPARE_BITS", "FINISHER_MUX_BITS", "FINISHER_PRODUCT", "MEASURED_ENTRIES", "area_um2",
           "logic_area_um2", "memory_bits"]

MEMORIES = ("activations", "tables", "codebooks", "program", "index", "accumulators")
AREA_COMPONENTS = ("gather", "encoder", "cells", "adders", "finisher", "add", "control", *MEMORIES)
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
    return {"activations": (-(-array.activation_words // array.banks), 2 * array.banks * structure.word_bits),
            "tables": (array.table_words, structure.table_word_bits),
            "codebooks": (array.codebook_words, structure.beat_bits),
            "program": (array.program_words, 32),
            "index": (array.index_words, 2 * structure.index_word_bits),
            "accumulators": (array.block_rows, structure.accumulator_word_bits)}


def _gather(structure: Structure, technology: Technology) -> float:
    """Lane addresses, the way from banks to lanes, and the pool's tree."""
    array, price = structure.array, technology.price
    address = array.lanes * (array.activation_words - 1).bit_length() * price("add_area")
    ways = array.lanes + array.output_words  # from banks to lanes, from columns to banks
    banks = ways * (array.banks - 1) * structure.word_bits * price("mux_area")
    pool = array.word * reduction_bits(array.lanes, 8) * (price("add_area") + price("compare_area"))
    return address + banks + pool + structure.gather_registers * price("register_area")


def _encoder(structure: Structure, technology: Technology) -> float:
    array, price = structure.array, technology.price
    area = array.encoders * (structure.encode_registers + structure.codebook_registers) * price("register_area")
    if not array.is_lookup:
        return area
    lane = 9 * price("add_area")
    if array.metric is Metric.L2:
        lane += 81 / 64 * price("multiply_area")
    else:
        lane += 8 * price("add_area")
    if array.metric is Metric.CHEBYSHEV:
        reduce = (array.length - 1) * structure.lane_bits * (price("compare_area") + price("mux_area"))
    else:
        reduce = reduction_bits(array.length, structure.lane_bits) * price("add_area")
    nearest = (array.entries - 1) * structure.distance_bits * (price("compare_area") + price("mux_area"))
    return area + array.encoders * (array.entries * (array.length * lane + reduce) + nearest)


def _multiplier(structure: Structure, technology: Technology) -> float:
    entry = f"{structure.number}_multiply_area" if structure.is_float else "multiply_area"
    return technology.price(entry)


def _bank(structure: Structure, technology: Technology) -> float:
    """One bank of one cell: table entries, or a weight."""
    return structure.array.entries * structure.number.bits * technology.price("register_area")


def _measured(structure: Structure, technology: Technology) -> str | None:
    """Name of the measured whole-cell area that fits the machine."""
    array = structure.array
    if array.is_lookup:
        fits, name = array.entries == MEASURED_ENTRIES, "lookup_cell_area"
    else:
        fits, name = not structure.is_float, "mac_cell_area"
    return name if fits and technology.has(name) else None


def _array(structure: Structure, technology: Technology) -> tuple[float, float]:
    """Cells, and adder trees with their registers."""
    array, price = structure.array, technology.price
    measured = _measured(structure, technology)
    if measured:
        return array.cells * (price(measured) + (BANKS - 1) * _bank(structure, technology)), 0.0
    cell = BANKS * _bank(structure, technology)
    if array.is_lookup:
        cell += (array.entries - 1) * 8 * price("mux_area")
    else:
        cell += _multiplier(structure, technology)
    registers = structure.issue_registers * price("register_area")
    if structure.is_float:
        adders = array.columns * ((array.rows - 1) * price(f"{structure.number}_add_area")
                                  + price("fp32_add_area"))
    else:
        bits = reduction_bits(array.rows, structure.term_bits) + structure.accumulator_bits
        adders = array.columns * bits * price("add_area")
    return array.cells * cell, registers + adders


def _finisher(structure: Structure, technology: Technology) -> float:
    array, price = structure.array, technology.price
    buffer = Pipeline(array).buffer * structure.number.bits
    if structure.is_float:
        return array.columns * (price("fp32_add_area")
                                + (structure.finish_registers + BANKS * 32 + buffer) * price("register_area"))
    registers = structure.finish_registers + BANKS * 56 + buffer
    return array.columns * (FINISHER_ADD_BITS * price("add_area") + FINISHER_PRODUCT * price("multiply_area")
                            + FINISHER_MUX_BITS * price("mux_area") + FINISHER_COMPARE_BITS * price("compare_area")
                            + registers * price("register_area"))


def _add(structure: Structure, technology: Technology) -> float:
    array, price = structure.array, technology.price
    if structure.is_float:
        return array.columns * (price("fp32_add_area") + 3 * 32 * price("register_area"))
    return array.columns * (ADD_PRODUCT * price("multiply_area") + ADD_ADD_BITS * price("add_area")
                            + ADD_MUX_BITS * price("mux_area") + ADD_REGISTERS * price("register_area"))


def area_um2(structure: Structure, technology: Technology) -> dict[str, float]:
    """Area in square micrometres by component; the values sum to the total."""
    areas = {name: width * technology.memory("sram_area", words)
             for name, (words, width) in memory_bits(structure).items()}
    areas["gather"] = _gather(structure, technology)
    areas["encoder"] = _encoder(structure, technology)
    areas["cells"], areas["adders"] = _array(structure, technology)
    areas["finisher"] = _finisher(structure, technology)
    areas["add"] = _add(structure, technology)
    areas["control"] = (structure.control_registers * (technology.price("register_area") + technology.price("add_area"))
                        + structure.settings_registers * technology.price("register_area"))
    return {name: float(areas[name]) for name in AREA_COMPONENTS}


def logic_area_um2(structure: Structure, technology: Technology) -> float:
    """Area of everything but the memories."""
    return sum(value for name, value in area_um2(structure, technology).items() if name not in MEMORIES)

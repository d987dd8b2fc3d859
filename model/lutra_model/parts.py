"""What a machine is made of, component by component: bits, products and memories, whatever the technology."""

from collections.abc import Iterator

import numpy as np

from .components import Quantity
from .engines import Parts, log2, reduction_bits
from .function_events import FUNCTION_BITS, ROW_MEMORY_BITS, lane_parts, row_parts, row_pipeline
from .operation import descriptor_words
from .schedule import Pipeline
from .structure import Structure
from .whole import up

__all__ = ["ADD_PARTS", "FINISHER_PARTS", "accumulated_rows", "clock_gates", "clock_words", "memory_bits", "parts",
           "pool_parts"]

FINISHER_PARTS: Parts = {"add": 33 + 33 + 10, "multiply": 33 * 16 / 64, "mux": 7 * 19 + 3 * 17, "compare": 2 * 10}
#                        bias, sum of two products, rounding; products of 8 x 8 bits; shift in two steps; clamp
ADD_PARTS: Parts = {"multiply": 2 * 16 * 8 / 64, "add": 2 * 26, "mux": 3 * 19 + 3 * 17}
#                   own and residual factor; sum, rounding; shift in two steps
BANKS = 2                        # tables, weights and finisher parameters are loaded while others are in use
Found = Iterator[Quantity]


def memory_bits(structure: Structure) -> dict[str, tuple[int, int]]:
    """Words and bits in a word of each on-chip memory; both halves of the index memory stand side by side."""
    array = structure.array
    functions = {"slots": (array.functions, FUNCTION_BITS), "rows": (array.block_rows, ROW_MEMORY_BITS)}
    rows = -(-array.activation_words // array.banks)
    activations = {"activations": (rows, 2 * array.banks * structure.word_bits)}
    if array.copies:  # both sides lie in banks of twice the depth
        copied = -(-array.activation_words // array.beat_words)
        activations = {"activations": (2 * rows, array.banks * structure.word_bits),
                       "residuals": (2 * copied, array.beat_words * structure.word_bits)}
    return {**activations,
            "tables": (array.table_words, structure.table_word_bits),
            "codebooks": (array.codebook_words, structure.beat_bits),
            "program": (array.program_words, 32),
            "index": (array.index_words, 2 * structure.index_word_bits),
            "accumulators": (array.block_rows, structure.accumulator_word_bits)
            } | (functions if array.functions else {})


def _of(component: str, parts: Parts, times: int = 1) -> Found:
    return (Quantity(component, entry, times * amount) for entry, amount in parts.items() if np.any(amount))


def _gather(structure: Structure) -> Found:
    """Lane addresses and whether they lie in the image, the way from banks to lanes, and the pool's tree."""
    array, pool = structure.array, pool_parts(structure)
    own = {"add": array.lanes * structure.address_bits, "compare": array.lanes * 4 * 8,
           "mux": array.lanes * (array.banks - 1) * structure.word_bits, "register": structure.gather_registers}
    return _of("gather", {entry: amount + pool[entry] for entry, amount in own.items()})


def pool_parts(structure: Structure) -> Parts:
    """The pool's tree: adders, the larger of two, the choice of either; registers after each half of its levels."""
    array, bits = structure.array, structure.array.word * reduction_bits(structure.array.pool_lanes, 8)
    levels = log2(array.pool_lanes)
    half = levels - levels // 2
    return {"add": bits, "compare": bits, "mux": 2 * bits,
            "register": array.word * (up(array.pool_lanes, 1 << half) * (8 + half) + 8 + levels)}


def _way(structure: Structure) -> Found:
    """Registers between the parts; words that are written turn to their banks."""
    array = structure.array
    return _of("way", {"register": structure.way_registers,
                       "mux": array.beat_words * structure.word_bits * log2(array.beat_words)})


def _encoder(structure: Structure) -> Found:
    array = structure.array
    each: Parts = ({"register": structure.encode_registers} if structure.is_float
                   else array.cell.encoder_parts(structure))
    return _of("encoder", each, array.encoders)


def _row_bits(structure: Structure) -> int:
    """Bits that tell the accumulators their row, in three stages, and whether it is first, last or the one before."""
    return 3 * log2(structure.array.block_rows) + 8


def accumulated_rows(structure: Structure, register_bits: int) -> int:
    """Bits that tell so many accumulators (in bits of their outputs) their rows."""
    return register_bits // structure.accumulator_registers * _row_bits(structure)


def _array(structure: Structure) -> Found:
    """Cells; adder trees with their registers; adders and registers of the accumulators."""
    array = structure.array
    if structure.is_float:
        yield from _of("cells", {"register": BANKS * structure.number.bits, f"{structure.number}_multiply": 1},
                       array.cells)
        yield Quantity("adds", f"{structure.number}_add", array.columns * (array.rows - 1))
        yield Quantity("accumulators", "fp32_add", array.columns)
    else:
        yield from _of("cells", array.cell.cell_parts(structure), array.cells)
        yield from _of("cells", array.cell.beside_parts(structure))
        yield Quantity("adds", "add", array.columns * reduction_bits(array.rows, structure.term_bits))
        yield Quantity("accumulators", "add", array.columns * structure.accumulator_bits)
    yield Quantity("adds", "register", structure.issue_registers)
    yield Quantity("accumulators", "register", structure.accumulator_registers + _row_bits(structure))


def _finisher(structure: Structure) -> Found:
    array, registers = structure.array, structure.finish_registers
    registers += Pipeline(array).buffer * structure.number.bits
    if structure.is_float:
        return _of("finisher", {"fp32_add": 1, "register": registers + BANKS * 32}, array.columns)
    registers += array.cell.parameter_registers(array)
    return _of("finisher", FINISHER_PARTS | {"register": registers}, array.columns)


def _add(structure: Structure) -> Found:
    each: Parts = {"fp32_add": 1} if structure.is_float else ADD_PARTS
    return _of("add", each | {"register": structure.add_registers}, structure.array.columns)


def _functions(structure: Structure) -> Found:
    """A function unit for each column, the row unit, and the two functions that an operation holds."""
    if structure.array.functions:
        yield from _of("functions", lane_parts(), structure.array.columns)
        yield from _of("functions", row_parts(structure))
        yield Quantity("functions", "register", 2 * FUNCTION_BITS)


def _control(structure: Structure) -> Found:
    """Walkers; settings of two operations; of a machine that gathers an address and indices for ``fill`` rows."""
    array, counters = structure.array, structure.control_registers
    yield from _of("control", {"register": counters + structure.settings_registers, "add": counters})
    if array.gather:
        address = log2(array.table_words)
        late = address + 1 + log2(array.rows // array.fill) + log2(array.entries) + 6
        yield from _of("control", {"add": array.fill * address, "register": late,
                                   "mux": (array.rows - array.fill) * structure.index_bits})


def parts(structure: Structure) -> tuple[Quantity, ...]:
    """All parts of a machine; an entry may come more than once in a component."""
    found = [Quantity("activations" if name == "residuals" else name, "sram", width, words)
             for name, (words, width) in memory_bits(structure).items() if np.any(width)]
    for component in (_gather, _way, _encoder, _array, _finisher, _add, _functions, _control):
        found.extend(part for part in component(structure) if np.any(part.amount))
    return (*found, *(Quantity(component, "clock", words) for component, words in clock_gates(structure).items()))


def clock_words(structure: Structure) -> dict[str, int]:
    """What the clock reaches in every cycle: words behind a clock gate each, and bits without one, by component."""
    found, array = clock_gates(structure), structure.array
    always = {"gather": structure.gather_always, "way": structure.way_always, "control": structure.control_registers,
              "accumulators": array.columns * structure.accumulator_bits + _row_bits(structure)}
    return found | {component: found[component] + bits for component, bits in always.items()}


def clock_gates(structure: Structure) -> dict[str, int]:
    """Clock gates by component."""
    array, pipeline = structure.array, Pipeline(structure.array)
    found = {"gather": array.lanes + 2, "way": 1, "encoder": array.encoders * array.cell.encoder_words(array),
             "cells": array.rows // array.fill * array.cell.cell_words(array), "adds": 2 * pipeline.tree + 2,
             "accumulators": 1,
             "finisher": 2 * (array.cell.parameter_bytes + pipeline.finish), "add": 2 * pipeline.add,
             "control": 2 * descriptor_words(array)}
    functions = {"functions": array.columns * pipeline.function + row_pipeline(structure)} if array.functions else {}
    return found | functions

"""What an operation owes to each entry of a technology: its events in bits, products and cycles, before any price."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from .components import Quantity
from .engines import log2
from .events import Events
from .parts import ADD_PARTS, FINISHER_PARTS, accumulated_rows, clock_words, memory_bits
from .structure import Structure

__all__ = ["owed", "quantities"]

Found = Iterator[Quantity]


class _Counts:
    """Quantities of one operation, component by component."""

    def __init__(self, events: Events, structure: Structure) -> None:
        self.events, self.structure, self.memories = events, structure, memory_bits(structure)

    def memory(self, component: str, read: int, written: int, memory: str = "") -> Found:
        """Bits read from and written to the memory of that name, or of the component's."""
        words = self.memories.get(memory or component, (0, 0))[0]
        yield Quantity(component, "sram_read", read, words)
        yield Quantity(component, "sram_write", written, words)

    def gather(self) -> Found:
        """Lane addresses, the words' way to the lanes, pools."""
        events, array = self.events, self.structure.array
        yield Quantity("gather", "add", events.address_bits)
        yield Quantity("gather", "register", events.gather_register_bits)
        yield Quantity("gather", "mux", (array.banks - 1) * events.gather_read_bits)
        yield Quantity("pool", "add", events.pool_add_bits)
        yield Quantity("pool", "compare", events.pool_compare_bits)
        yield Quantity("pool", "mux", events.pool_compare_bits)

    def encoder(self) -> Found:
        """Distances, nearest centroid, the registers on the way, and the codebooks that are loaded."""
        events, array = self.events, self.structure.array
        yield Quantity("encoder", "register", events.encode_register_bits)
        yield Quantity("encoder", "add", events.encoder_add_bits)
        yield Quantity("encoder", "deep", events.encoder_deep_bits)
        yield Quantity("encoder", "multiply", events.encoder_multiply_bits / 64)
        yield Quantity("encoder", "compare", events.encoder_compare_bits)
        yield Quantity("encoder", "mux", events.encoder_mux_bits)
        yield from self.memory("codebooks", events.codebook_read_bits, events.codebook_write_bits)
        taken, offered = array.cell.codebook_moves(array)
        yield Quantity("codebooks", "register", events.codebook_read_bits * taken)
        yield Quantity("codebooks", "wire", events.codebook_read_bits * offered)

    def array(self) -> Found:
        """Cells, adder trees and their registers; tables, weights and parameters that are written into them."""
        events, structure, number = self.events, self.structure, self.structure.number
        yield Quantity("cells", "mux", events.cell_mux_bits + events.beside_mux_bits)
        yield Quantity("cells", f"{number}_multiply" if structure.is_float else "multiply",
                       events.multiplies + (events.multiply_bits + events.beside_multiply_bits) / 64)
        yield Quantity("cells", "add", events.cell_add_bits + events.beside_add_bits)
        if structure.is_float:
            yield Quantity("adds", f"{number}_add", events.tree_adds)
            yield Quantity("accumulators", "fp32_add", events.accumulator_adds)
        else:
            yield Quantity("adds", "add", events.tree_add_bits)
            yield Quantity("adds", "deep", events.tree_deep_bits)
            yield Quantity("accumulators", "add", events.accumulator_adds * structure.accumulator_bits)
        yield Quantity("cells", "register", events.cell_register_bits + events.beside_register_bits)
        yield Quantity("cells", "wire", events.cell_wire_bits)
        yield Quantity("adds", "register", events.issue_register_bits)
        yield Quantity("accumulators", "register", events.accumulator_register_bits)
        yield Quantity("accumulators", "wire", accumulated_rows(structure, events.accumulator_register_bits))
        written = events.table_writes * structure.cell_bits
        yield Quantity("fill", "register", written + events.turn_bits + events.parameter_bits)
        yield Quantity("fill", "wire", written * structure.array.cell.offered_words(structure.array))

    def storage(self) -> Found:
        """Memories on the chip, and DRAM."""
        events = self.events
        if self.structure.array.copies:
            yield from self.memory("activations", events.gather_read_bits, events.activation_write_bits)
            yield from self.memory("activations", events.residual_read_bits, events.activation_write_bits, "residuals")
        else:
            yield from self.memory("activations", events.gather_read_bits + events.residual_read_bits,
                                   events.activation_write_bits)
        yield from self.memory("tables", events.table_read_bits, events.table_write_bits)
        yield from self.memory("program", events.program_read_bits, events.program_write_bits)
        yield from self.memory("index", events.index_read_bits, events.index_write_bits)
        yield from self.memory("accumulators", events.accumulator_read_bits, events.accumulator_write_bits)
        yield Quantity("program", "register", 2 * events.program_read_bits)
        yield Quantity("dram", "dram", events.dram.total)

    def way(self) -> Found:
        """What lies between the parts: words to the cells (a vector machine's have no register), from and to memory."""
        events, array = self.events, self.structure.array
        if not array.cell.vector:
            tables = events.table_read_bits + events.table_beats * self.structure.table_word_bits
            yield Quantity("way", "register", events.index_read_bits + tables)
        yield Quantity("way", "register", events.gather_read_bits + events.activation_write_bits)
        yield Quantity("way", "mux", events.activation_write_bits * log2(array.beat_words))

    def finisher(self) -> Found:
        """Bias, rescale, round, clamp: or one FP32 addition. Residual: two products, a sum, a rounding and a shift."""
        events = self.events
        for component, times, parts in [("finisher", events.finishes, FINISHER_PARTS),
                                        ("add", events.residual_adds, ADD_PARTS)]:
            for entry, amount in ({"fp32_add": 1.0} if self.structure.is_float else parts).items():
                yield Quantity(component, entry, times * amount)
        yield Quantity("finisher", "register", events.finish_register_bits)
        yield Quantity("add", "register", events.add_register_bits)

    def functions(self) -> Found:
        """Function units and row unit; in a floating-point machine the same ones stand for its own."""
        events = self.events
        for entry in ("add", "compare", "mux", "register"):
            yield Quantity("functions", entry, getattr(events, f"function_{entry}_bits"))
        yield Quantity("functions", "multiply", events.function_multiply_bits / 64)
        yield Quantity("functions", "register", events.function_read_bits)
        yield from self.memory("functions", events.function_read_bits, events.function_write_bits, "slots")
        yield from self.memory("functions", events.row_read_bits, events.row_write_bits, "rows")

    def time(self, cycles: int) -> Found:
        """What every cycle costs: clock pins, the sequencer, and leakage with everything powered."""
        for component, words in clock_words(self.structure).items():
            yield Quantity(component, "clock", cycles * words)
        yield Quantity("control", "register", cycles * self.structure.control_registers)
        yield Quantity("leakage", "logic_leakage", cycles)
        bits = sum(words * width for words, width in self.memories.values())
        yield Quantity("leakage", "sram_leakage", cycles * bits)


def owed(events: Events, cycles: Any, structure: Structure) -> Found:
    """The same as `quantities`, of one machine or of arrays of them: those of nothing are among them."""
    counts = _Counts(events, structure)
    for each in (counts.gather, counts.encoder, counts.array, counts.way, counts.storage, counts.finisher,
                 counts.functions):
        yield from each()
    yield from counts.time(cycles)


@lru_cache(maxsize=1 << 12)
def quantities(events: Events, cycles: int, structure: Structure) -> tuple[Quantity, ...]:
    """Everything that one operation of so many cycles owes, in the order of the data.

    ``clock`` counts words behind clock gates in every cycle, ``wire`` each bit at every register that it is offered to,
    ``logic_leakage`` cycles, ``sram_leakage`` bits in every cycle.
    """
    return tuple(item for item in owed(events, cycles, structure) if item.amount)

"""Energy of one operation on one machine: counted events times prices, charge by charge."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from .area import (
    ADD_ADD_BITS,
    ADD_MUX_BITS,
    ADD_PRODUCT,
    FINISHER_ADD_BITS,
    FINISHER_COMPARE_BITS,
    FINISHER_MUX_BITS,
    FINISHER_PRODUCT,
    logic_area_um2,
    measured_cell,
    memory_bits,
)
from .events import Events
from .structure import Structure
from .technology import Technology

__all__ = ["COMPONENTS", "Bill", "Charge", "bill", "ratio_range"]

COMPONENTS = ("activations", "gather", "encoder", "codebooks", "index", "cells", "tables", "fill", "adds",
              "accumulators", "pool", "finisher", "functions", "add", "clock", "program", "control", "leakage", "dram")


@dataclass(frozen=True)
class Charge:
    """Energy that one component owes to one entry of the technology."""

    component: str
    entry: str
    picojoules: float


@dataclass(frozen=True)
class Bill:
    """All charges of an operation, or of several."""

    charges: tuple[Charge, ...]
    uncertainties: tuple[tuple[str, float], ...]

    @classmethod
    def total_of(cls, bills: Iterable["Bill"]) -> "Bill":
        """One bill for several operations of one technology."""
        bills = tuple(bills)
        sums: dict[tuple[str, str], float] = {}
        for charge in (charge for bill in bills for charge in bill.charges):
            key = charge.component, charge.entry
            sums[key] = sums.get(key, 0.0) + charge.picojoules
        uncertainties = dict(pair for bill in bills for pair in bill.uncertainties)
        return cls(tuple(Charge(*key, value) for key, value in sums.items()), tuple(uncertainties.items()))

    @cached_property
    def picojoules(self) -> float:
        """The total."""
        return sum(self.components.values())

    @cached_property
    def components(self) -> dict[str, float]:
        """Energy in picojoules by component; the values sum to the total."""
        sums = dict.fromkeys(COMPONENTS, 0.0)
        for charge in self.charges:
            sums[charge.component] += charge.picojoules
        return sums

    @cached_property
    def entries(self) -> dict[str, float]:
        """Energy in picojoules by the entry that priced it."""
        sums: dict[str, float] = {}
        for charge in self.charges:
            sums[charge.entry] = sums.get(charge.entry, 0.0) + charge.picojoules
        return sums

    @property
    def on_chip(self) -> "Bill":
        """The bill without memory outside the chip."""
        return Bill(tuple(charge for charge in self.charges if charge.component != "dram"), self.uncertainties)

    def range(self) -> tuple[float, float]:
        """Low and high total: entries err independently, so their uncertainties add in quadrature."""
        uncertainties = dict(self.uncertainties)
        spread = sqrt(sum((uncertainties[entry] * value) ** 2 for entry, value in self.entries.items()))
        return self.picojoules - spread, self.picojoules + spread


def ratio_range(part: Bill, whole: Bill) -> tuple[float, float]:
    """Low and high ``part / whole``: an entry that both pay moves both, entries err independently."""
    uncertainties = dict(whole.uncertainties) | dict(part.uncertainties)
    ratio = part.picojoules / whole.picojoules
    below = above = 0.0
    for entry, relative in uncertainties.items():
        ends = [(part.picojoules + sign * relative * part.entries.get(entry, 0.0))
                / (whole.picojoules + sign * relative * whole.entries.get(entry, 0.0)) - ratio for sign in (-1, 1)]
        below += min(*ends, 0.0) ** 2
        above += max(*ends, 0.0) ** 2
    return ratio - sqrt(below), ratio + sqrt(above)


class _Ledger:
    """Collects charges."""

    def __init__(self, structure: Structure, technology: Technology, events: Events) -> None:
        self.structure, self.technology, self.events = structure, technology, events
        self.memories = memory_bits(structure)
        self.charges: list[Charge] = []

    def charge(self, component: str, entry: str, quantity: float) -> None:
        """So many of a plain entry."""
        if quantity:
            self.charges.append(Charge(component, entry, quantity * self.technology.price(entry)))

    def access(self, component: str, entry: str, bits: int, memory: str = "") -> None:
        """Bits read from or written to the memory of that name, or of the component's."""
        if bits:
            price = self.technology.memory(entry, self.memories[memory or component][0])
            self.charges.append(Charge(component, entry, bits * price))

    def encoder(self) -> None:
        """Distances, nearest centroid, the registers on the way, and the codebooks that are loaded."""
        events = self.events
        self.charge("encoder", "register", events.encode_register_bits)
        self.charge("encoder", "add", events.encoder_add_bits)
        self.charge("encoder", "multiply", events.encoder_multiply_bits / 64)
        self.charge("encoder", "compare", events.encoder_compare_bits)
        self.charge("encoder", "mux", events.encoder_mux_bits)
        self.access("codebooks", "sram_read", events.codebook_read_bits)
        self.access("codebooks", "sram_write", events.codebook_write_bits)
        self.charge("codebooks", "register", events.codebook_read_bits)

    def gather(self) -> None:
        """Lane addresses, the words' way to the lanes, pools."""
        events, array = self.events, self.structure.array
        self.charge("gather", "add", events.address_bits)
        self.charge("gather", "register", events.gather_register_bits)
        self.charge("gather", "mux", (array.banks - 1) * events.gather_read_bits)
        self.charge("pool", "add", events.pool_add_bits)
        self.charge("pool", "compare", events.pool_compare_bits)
        self.charge("pool", "mux", events.pool_compare_bits)

    def array(self) -> None:
        """Cells, adder trees and their registers: by parts, or by a measured whole where one fits."""
        events, structure = self.events, self.structure
        measured = measured_cell(structure)
        if measured and self.technology.has(f"{measured}_step"):
            self.charge("cells", f"{measured}_step", events.table_reads + events.multiplies)
            self.charge("clock", "register", events.idle_cells * structure.term_bits)
        else:
            self.charge("cells", "mux", events.cell_mux_bits)
            self.charge("cells", self._name("multiply"), events.multiplies)
            self.charge("cells", "multiply", events.multiply_bits / 64)
            self.charge("cells", "add", events.cell_add_bits)
            self._adds(events)
            self.charge("clock", "register", events.issue_register_bits + events.cell_register_bits)
        write = {"lookup": "table_write", "mac": "weight_write"}.get(measured or "")
        if write and self.technology.has(write):
            self.charge("fill", write, events.table_writes)
        else:
            self.charge("fill", "register", events.table_writes * structure.cell_bits)
        self.charge("fill", "register", events.turn_bits + events.parameter_bits)

    def _adds(self, events: Events) -> None:
        if self.structure.is_float:
            self.charge("adds", self._name("add"), events.tree_adds)
            self.charge("adds", "fp32_add", events.accumulator_adds)
        else:
            self.charge("adds", "add", events.tree_add_bits
                        + events.accumulator_adds * self.structure.accumulator_bits)

    def _name(self, operation: str) -> str:
        return f"{self.structure.number}_{operation}" if self.structure.is_float else operation

    def memory(self) -> None:
        """Memories on the chip, and DRAM."""
        events = self.events
        for component, read, written in [
                ("activations", events.gather_read_bits + events.residual_read_bits, events.activation_write_bits),
                ("tables", events.table_read_bits, events.table_write_bits),
                ("program", events.program_read_bits, events.program_write_bits),
                ("index", events.index_read_bits, events.index_write_bits),
                ("accumulators", events.accumulator_read_bits, events.accumulator_write_bits)]:
            self.access(component, "sram_read", read)
            self.access(component, "sram_write", written)
        self.charge("program", "register", 2 * events.program_read_bits)
        self.charge("dram", "dram", events.dram.total)

    def add(self) -> None:
        """Residual: two products, a sum, a rounding and a shift; or one FP32 addition."""
        events = self.events
        if self.structure.is_float:
            self.charge("add", "fp32_add", events.residual_adds)
        else:
            self.charge("add", "multiply", ADD_PRODUCT * events.residual_adds)
            self.charge("add", "add", ADD_ADD_BITS * events.residual_adds)
            self.charge("add", "mux", ADD_MUX_BITS * events.residual_adds)

    def finisher(self) -> None:
        """Bias, rescale, round, clamp: or one FP32 addition."""
        events = self.events
        if self.structure.is_float:
            self.charge("finisher", "fp32_add", events.finishes)
        else:
            self.charge("finisher", "add", FINISHER_ADD_BITS * events.finishes)
            self.charge("finisher", "multiply", FINISHER_PRODUCT * events.finishes)
            self.charge("finisher", "mux", FINISHER_MUX_BITS * events.finishes)
            self.charge("finisher", "compare", FINISHER_COMPARE_BITS * events.finishes)
        self.charge("clock", "register", events.finish_register_bits)

    def functions(self) -> None:
        """Function units and row unit; in a floating-point machine the same ones stand for its own."""
        events = self.events
        for entry in ("add", "compare", "mux", "register"):
            self.charge("functions", entry, getattr(events, f"function_{entry}_bits"))
        self.charge("functions", "multiply", events.function_multiply_bits / 64)
        self.charge("functions", "register", events.function_read_bits)
        self.access("functions", "sram_read", events.function_read_bits, "slots")
        self.access("functions", "sram_write", events.function_write_bits, "slots")
        self.access("functions", "sram_read", events.row_read_bits, "rows")
        self.access("functions", "sram_write", events.row_write_bits, "rows")

    def time(self, cycles: int) -> None:
        """What every cycle costs: the sequencer, and leakage with everything powered."""
        nanoseconds = cycles * self.technology.price("clock_period")
        bits = sum(words * width for words, width in self.memories.values())
        self.charge("control", "register", cycles * self.structure.control_registers)
        self.charge("leakage", "logic_leakage", nanoseconds * logic_area_um2(self.structure, self.technology))
        self.charge("leakage", "sram_leakage", nanoseconds * bits)


def bill(events: Events, cycles: int, structure: Structure, technology: Technology) -> Bill:
    """Energy of one operation that took so many cycles."""
    ledger = _Ledger(structure, technology, events)
    ledger.gather()
    ledger.encoder()
    ledger.array()
    ledger.memory()
    ledger.finisher()
    ledger.functions()
    ledger.add()
    ledger.time(cycles)
    return Bill(tuple(ledger.charges), tuple((name, technology.uncertainty(name)) for name in technology.entries))

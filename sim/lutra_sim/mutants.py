"""Planted bugs: one wrong line each, kept so that the checks can be seen to notice them.

A mutant is the hardware package copied aside with one snippet of its source replaced, built, and held against the
golden model and the latency model.
"""

import importlib
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from lutra_hw import machine
from lutra_model.host import unpack
from lutra_model.params import Array, Metric

from .case import Case
from .compiled import CompiledMachine
from .library import library

__all__ = ["ARRAYS", "MUTANTS", "Mutant", "defect", "planted"]

ARRAYS = {
    "l2": Array(rows=3, columns=2, encoders=2, length=3, entries=8, codebooks=9, block_rows=24, index_words=48),
    "l1": Array(rows=1, columns=3, encoders=1, length=2, entries=2, metric=Metric.L1, codebooks=4, block_rows=4,
                index_words=8),
    "chebyshev": Array(rows=2, columns=2, encoders=1, length=3, entries=4, metric=Metric.CHEBYSHEV, codebooks=8,
                       block_rows=4, index_words=8),
    "mac": Array.mac(rows=3, columns=2, encoders=2, codebooks=9, block_rows=16, index_words=32),
    "mac-row": Array.mac(rows=1, columns=2, encoders=1, codebooks=6, block_rows=4, index_words=8),
}


@dataclass(frozen=True)
class Mutant:
    """One planted bug.

    Parameters
    ----------
    module : module of ``lutra_hw``.
    original, replacement : a snippet that occurs once in the module's source, and what takes its place.
    effect : what is wrong then.
    array : name of the array in ``ARRAYS`` that shows it.
    """

    module: str
    original: str
    replacement: str
    effect: str
    array: str = "l2"


MUTANTS = (
    Mutant("accumulator", "old.eq(Mux(first, 0, ", "old.eq(Mux(0, 0, ", "sums of the block before are added"),
    Mutant("accumulator", "transparent_for=(write,)", "", "a row that follows itself reads its old sum", "mac-row"),
    Mutant("adder_tree", "level % 2 == 1 or level == self.levels - 1", "level % 2 == 1",
           "an odd last level has no register", "chebyshev"),
    Mutant("credit", "with m.If(self.put & ~self.drop)", "with m.If(self.put)", "a put beside a drop is counted"),
    Mutant("descriptor", "layer.last_row >= slot", "layer.last_row > slot", "a ragged row tile has a slot too few"),
    Mutant("descriptor", "last_column >= column", "last_column > column", "tkeep lacks the last column"),
    Mutant("distance", "Signal(signed(9)", "Signal(signed(8)", "a difference wraps"),
    Mutant("distance", "Mux(difference < 0, -difference, difference)", "difference", "L1 without the magnitude", "l1"),
    Mutant("distance", "Mux(a < b, b, a)", "Mux(a < b, a, b)", "the least lane instead of the largest", "chebyshev"),
    Mutant("dot_products", "0x7F if bit == 7 else 0x80", "0x80", "the sign bit counts positive", "mac"),
    Mutant("encoder", "nearer.eq(high < low)", "nearer.eq(high <= low)", "the highest index wins a tie"),
    Mutant("encoder", "Mux(self.entry_mask[entry], unit.o, invalid)", "unit.o", "entries beyond the layer's compete"),
    Mutant("feeder", "halves = Credit(places=2)", "halves = Credit(places=3)", "a half is filled while it is read"),
    Mutant("feeder", "m.d.sync += o.address.eq(base)", "m.d.sync += o.address.eq(0)",
           "every row tile after its first row meets the first tile's centroids"),
    Mutant("finisher", "(doubled + 1) >> 1", "doubled >> 1", "rounds down"),
    Mutant("finisher", "for byte in bias).as_signed()", "for byte in bias)", "the bias has no sign"),
    Mutant("finisher", "Mux(high[-1], 0x200, 0x1FF)", "0x1FF", "the lowest products clamp to the highest output"),
    Mutant("finisher", "rounded < self.low", "rounded <= self.low + 1", "clamps one step early"),
    Mutant("index_memory", "write.en.eq(self.write << self.slot)", "write.en.eq(self.write.replicate(beats))",
           "a beat overwrites the other slots"),
    Mutant("loader", "tables.room & (~trailing | parameters.room)", "tables.room",
           "parameters are overwritten while the finisher needs them", "mac"),
    Mutant("lookup_array", "load.row == row", "load.row >= row", "an entry is written to the rows before, too"),
    Mutant("loops", "Mux(last, 0, count + 1)", "count + 1", "counters run on"),
    Mutant("mac_array", "Mux(self.used[row], self.symbols.word_select(row, 8), 0)", "self.symbols.word_select(row, 8)",
           "rows beyond the layer's are summed", "mac"),
    Mutant("mac_array", "delay(m, self.turn, 2", "delay(m, self.turn, 3", "weights turn a cycle late", "mac"),
    Mutant("machine", "Mux(edge, layer.column_mask, ~0)", "~0", "tkeep marks columns that the layer lacks"),
    Mutant("output_buffer", "reserved = Credit(places=self.depth)", "reserved = Credit(places=self.depth + 1)",
           "a stalled reader loses a beat"),
    Mutant("output_buffer", "self.o.valid.eq(held.some)", "self.o.valid.eq(held.some & self.o.ready)",
           "tvalid waits for tready"),
    Mutant("output_buffer", "read.addr.eq(head)", "read.addr.eq(Mux(self.o.ready, head, tail))",
           "a beat changes while it waits"),
    Mutant("sequencer", "Pipeline(self.array).release - 1", "Pipeline(self.array).release",
           "parameter banks are freed a cycle late", "mac"),
    Mutant("signals", "later = Signal.like(value, reset_less=not reset, init=0)",
           "later = Signal.like(value, reset_less=not reset, init=1)", "pipelines wake up with a row in them"),
    Mutant("table_row", "Mux(self.used, read.data, 0)", "read.data", "rows beyond the layer's are summed"),
    Mutant("walker", "(fresh.some | ~first_column) &", "", "a row is issued before its index is written"),
    Mutant("walker", "& (self.room | ~walk.last.tile)", "", "rows are issued that the output buffer cannot hold"),
)


def planted(mutant: Mutant, folder: Path) -> ModuleType:
    """The machine's module of a copy of the hardware with the bug in it; the copy goes into ``folder``."""
    name = f"lutra_hw_mutant_{MUTANTS.index(mutant)}"
    shutil.copytree(Path(machine.__file__).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    source = folder / name / f"{mutant.module}.py"
    text = source.read_text()
    count = text.count(mutant.original)
    if count != 1:
        raise ValueError(f"{mutant.original!r} must occur once in module {mutant.module}, not {count} times")
    source.write_text(text.replace(mutant.original, mutant.replacement))
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(f"{name}.machine")
    finally:
        sys.path.remove(str(folder))


def _wrong(machine: CompiledMachine, case: Case) -> str | None:
    """What a machine does wrong in one case, or None."""
    try:
        run = machine.run(case.traffic, beats=case.beats, activation_period=case.activation_period,
                          table_period=case.table_period, stalls=case.stalls, timeout=2000)
    except RuntimeError as error:
        return str(error)
    if not np.array_equal(unpack(case.schedule, run.beats), case.expected):
        return "the outputs differ from the golden model"
    if case.stalls is None:
        predicted = case.predicted.cycles
        if run.cycles != predicted:
            return f"{run.cycles} cycles, not {predicted}"
    return None


def defect(verilog: str, cases: Iterable[Case], *, cache: Path) -> str | None:
    """The first thing that a machine does wrong in these cases, all of one array, or None."""
    machine: CompiledMachine | None = None
    for case in cases:
        machine = machine or CompiledMachine(library(verilog, cache=cache), case.array.columns)
        wrong = _wrong(machine, case)
        if wrong:
            return f"{case}: {wrong}"
    return None

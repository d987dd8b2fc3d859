"""Planted bugs: one wrong line each, kept so that the checks can be seen to notice them.

A mutant is the hardware package copied aside with one snippet of its source replaced, built, and held against the
golden model, the latency model and the errors that it must report.
"""

import importlib
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lutra_hw import machine
from lutra_model.params import Array, Metric

from .case import Case
from .compiled import CompiledMachine, MachineFailed
from .faults import Fault, faults
from .library import library

__all__ = ["ARRAYS", "MUTANTS", "Mutant", "defect", "planted"]

MEMORIES: dict[str, Any] = {"activation_words": 512, "table_words": 2048, "codebook_words": 2048, "program_words": 1024,
                            "codebooks": 512}
ARRAYS = {
    "l2": Array(rows=4, columns=4, encoders=2, length=3, entries=8, fill=2, block_rows=12, index_words=24, **MEMORIES),
    "l1": Array(rows=1, columns=3, encoders=1, length=2, entries=2, metric=Metric.L1, block_rows=24, index_words=128,
                **MEMORIES),
    "chebyshev": Array(rows=2, columns=2, encoders=1, length=3, entries=4, metric=Metric.CHEBYSHEV, block_rows=16,
                       index_words=128, **MEMORIES),
    "tree": Array(rows=4, columns=2, encoders=2, length=3, entries=8, metric=Metric.TREE, fill=2, block_rows=16,
                  index_words=128, **MEMORIES),
    "gather": Array(rows=4, columns=3, encoders=2, length=3, entries=4, fill=2, gather=True, block_rows=12,
                    index_words=64, **MEMORIES),
    **{name: Array(engine=name, rows=4, columns=3, encoders=2, length=1, entries=4, weight_levels=8, fill=2,
                   block_rows=12, index_words=128, **MEMORIES) for name in ("dln-row", "dln-column")},
    "mac": Array.mac(rows=4, columns=4, encoders=2, fill=2, block_rows=24, index_words=128, **MEMORIES),
    "int1": Array.mac(rows=8, columns=2, encoders=4, weight_bits=1, block_rows=24, index_words=128, **MEMORIES),
    "sign-flip": Array(engine="sign-flip", rows=8, columns=3, encoders=2, length=1, entries=1, fill=4, block_rows=24,
                       index_words=128, **MEMORIES),
    "vec": Array(engine="vec-lut", rows=4, columns=3, encoders=2, length=3, entries=1, block_rows=6, index_words=48,
                 **MEMORIES),
    "rows": Array.mac(rows=4, columns=4, encoders=2, fill=2, block_rows=8, index_words=128, functions=5, **MEMORIES),
    "planes": Array(engine="lut-tc", rows=4, columns=3, encoders=2, length=4, entries=3, fill=2, block_rows=24,
                    index_words=128, **MEMORIES),
    "planes8": Array(engine="lut-tc", rows=2, columns=2, encoders=1, length=4, entries=2, quantised=True, block_rows=24,
                     index_words=128, **MEMORIES),
}
LIMIT = 100_000  # cycles of one fault
SLOWER = 10  # a machine that takes so many times the predicted cycles, stalls included, hangs


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
    Mutant("accumulator", "Mux(first | self.maximum & (new > old), new,", "Mux(self.maximum & (new > old), new,",
           "sums are never begun anew"),
    Mutant("accumulator", "Mux(near, out, kept)", "kept", "a row does not see its last sum"),
    Mutant("accumulator", "Mux(valid[3] & (row[3] == row[1]), out, read.data)", "read.data",
           "a row does not see its last sum but one"),
    Mutant("activations", "above.eq(row + 1)", "above.eq(row)", "words past the last bank are written over others"),
    Mutant("activations", "write.address + write.count > words", "write.address > words", "writes wrap around"),
    Mutant("adder_tree", "registered = level % 2 == 1 or level == self.levels - 1", "registered = level % 2 == 1",
           "an odd last level has no register", "chebyshev"),
    Mutant("arrange", "divmod(run * length + scalar, self.array.word)", "divmod(run * length, self.array.word)",
           "runs repeat their first channel"),
    Mutant("arrange", "Mux(used[v], self._byte(e, v), 0)", "self._byte(e, v)",
           "scalars beyond the layer's are compared"),
    Mutant("carry_tree", "a + b + ones[0]", "a + b", "negatives are one too low", "planes"),
    Mutant("carry_tree", "registered = level % 2 == 1 or level == self.levels - 1", "registered = level % 2 == 1",
           "an odd last level has no register", "planes8"),
    Mutant("codebooks", 'Mux(nest.last.entry & slot, kept["codebooks"], address + 1)', "address + 1",
           "the second block has other codebooks"),
    Mutant("codebooks", "loading & ~self.loaded & ~turned", "loading & ~self.loaded",
           "a codebook changes while it is handed over"),
    Mutant("commands", "self._fail(m, Error.SIZE)", "pass", "a count of 0 is taken"),
    Mutant("core", "later = RESIDUAL + stages.add", "later = RESIDUAL + stages.add + 1", "results are written late"),
    Mutant("core", "front.residual.side.eq(~layer.source_side)", "front.residual.side.eq(layer.source_side)",
           "the residual's side says nothing"),
    Mutant("commands", "piece.eq(Mux(piece == last, 0, piece + 1))", "piece.eq(piece + 1)", "slots run into each other",
           "rows"),
    Mutant("core", "bank ^ front.bank", "bank", "all words of a norm have the parameters of the first", "rows"),
    Mutant("core", "pool | softmax", "pool", "a softmax has a product's parameters", "rows"),
    Mutant("credit", "with m.If(self.put & ~self.drop)", "with m.If(self.put)", "a put beside a drop is counted"),
    Mutant("distance", "Signal(signed(9)", "Signal(signed(8)", "a difference wraps"),
    Mutant("distance", "Mux(difference < 0, -difference, difference)", "difference", "L1 without the magnitude", "l1"),
    Mutant("distance", "Mux(a < b, b, a)", "Mux(a < b, a, b)", "the least lane instead of the largest", "chebyshev"),
    Mutant("dot_products", "top - 1 if bit == 7 else top", "top", "the sign bit counts positive", "mac"),
    Mutant("encoder", "nearer.eq(high < low)", "nearer.eq(high <= low)", "the highest index wins a tie"),
    Mutant("encoder", "Mux(self.entry_mask[entry], unit.o, invalid)", "unit.o", "entries beyond the layer's compete"),
    Mutant("engines", "sum_width(array, array.rows)", "sum_width(array, 1)", "sums over the rows lose high bits"),
    Mutant("feeder", "halves = Credit(places=2)", "halves = Credit(places=3)", "a half is filled while it is read"),
    Mutant("feeder", "(self.room | ~operation.to_stream | ~flags.last)", "1", "pools overrun the output buffer"),
    Mutant("feeder", "rest.eq(gap)", "rest.eq(gap - 1)", "a pass begins before the factors of the one before are there",
           "rows"),
    Mutant("feeder", "(self.parameters | ~norm)", "1", "a norm's word does not wait for its parameters", "rows"),
    Mutant("finisher", "Mux(own_shift[7], -own[1], own[1])", "own[1]", "multipliers have no sign", "rows"),
    Mutant("finisher", "self._clamped(rounded, -2**15, 2**15 - 1, 16)", "rounded[:16].as_signed()",
           "what comes to a function wraps", "rows"),
    Mutant("finisher", "(doubled + 1) >> 1", "doubled >> 1", "rounds down"),
    Mutant("shift", "Mux(sign, 1 << bits - 1, (1 << bits - 1) - 1)", "(1 << bits - 1) - 1",
           "the lowest products clamp to the highest output"),
    Mutant("shift", "fits = ~given.beyond & ", "fits = ", "what leaves the first step of a shift wraps"),
    Mutant("finisher", "Mux(self.pool, 0, own[0].as_signed())", "own[0].as_signed()", "a pool has a bias"),
    Mutant("core", "Mux(sequencer.settings.kind == Kind.PRODUCT, lane.o, 0)", "lane.o", "a pool has a zero point",
           "planes"),
    Mutant("front", "mask = Cat(self.settings.entries >= entry", "mask = Cat(self.settings.entries > entry",
           "the last centroid is never chosen"),
    Mutant("front", "operation.last_columns + 1)", "operation.last_columns)", "a row has a channel less", "rows"),
    Mutant("functions", "self.numbers[number] - 1", "self.numbers[number]", "operations use the slot after theirs",
           "rows"),
    Mutant("gather", "(lane.dy >= top) & (lane.dy < bottom)", "(lane.dy < bottom)", "rows above the image are read"),
    Mutant("gather", "& self.settings.maximum", "& 0", "padding of a maximum is 0"),
    Mutant("gather", "Mux(last_group, lane.enabled_last, lane.enabled)", "lane.enabled",
           "the last group reads beyond the channels"),
    Mutant("index_memory", "write.en.eq(self.write << self.slot)", "write.en.eq(self.write.replicate(beats))",
           "a beat overwrites the other slots"),
    Mutant("kinds", "is Metric.TREE else entries", "is Metric.TREE else entries >> 1",
           "half of the centroids are loaded"),
    Mutant("loader", 'Mux(again, layer["tables"], self._address + 1)', "self._address + 1",
           "the second block has other tables"),
    Mutant("loader", "Mux(self._trailing, parameters.room, known)", "known",
           "parameters are overwritten while they are needed", "mac"),
    Mutant("loader", "self._trailing.eq(self._norm)", "self._trailing.eq(0)",
           "the second set of a norm's parameters is taken for tables", "rows"),
    Mutant("loader", "~self._gather | fresh.some | ~first", "1", "a gather does not wait for its indices", "gather"),
    Mutant("loader", "outer.first.column & (inner.count.group == 0), Signal()", "Const(1), Signal()",
           "a gather waits for indices that it has read before", "gather"),
    Mutant("loader", "complete.put.eq(self._late(m, self.loaded))", "complete.put.eq(self.loaded)",
           "a gathered tile is used before its last entry has come", "gather"),
    Mutant("loader", "self.address.eq(self._late(m, self._address))", "self.address.eq(self._address)",
           "a gather's address runs ahead of its index", "gather"),
    Mutant("core", "told.eq(delay(m, row.row, 1))", "told.eq(0)", "all rows of a gather use the first row's entries",
           "gather"),
    Mutant("codebooks", "engine_of(self.array).hold(self.array)", "0", "a tree changes while it is handed over",
           "tree"),
    Mutant("lookup_array", "load.group == row // array.fill", "load.group >= row // array.fill",
           "an entry is written to the rows before, too"),
    Mutant("loops", "Mux(last, 0, count + 1)", "count + 1", "counters run on"),
    Mutant("loops", "Mux(last, 1, after + 1)", "after + 1", "a nest's second round never ends"),
    Mutant("loops", "after == limit)", "after > limit)", "lines and loops run a step longer"),
    Mutant("loops", "getattr(self.first, name).eq(last)", "getattr(self.first, name).eq(0)",
           "no iteration but a reset's is the first"),
    Mutant("mac_array", "Mux(self.used[row], self.symbols.word_select(row, 8), 0)", "self.symbols.word_select(row, 8)",
           "rows beyond the layer's are summed", "mac"),
    Mutant("mac_array", "delay(m, self.turn, 2", "delay(m, self.turn, 3", "weights turn a cycle late", "mac"),
    Mutant("mac_array", "Cat(Cat(1, sign)", "Cat(Cat(sign, 1)", "all signs are -1, or worse", "int1"),
    Mutant("level_arrays", "(load.entry + 1)[:len(load.entry)]", "load.entry", "entries lie one place too low",
           "dln-row"),
    Mutant("level_arrays", "Mux(some, load.level.word_select(place, 8), 0)", "load.level.word_select(place, 8)",
           "a weight of 0 adds another's entry", "dln-row"),
    Mutant("level_arrays", "return place, self.used[row] & some", "return place, self.used[row]",
           "the zero level adds another's entry", "dln-row"),
    Mutant("level_arrays", "write.addr.eq(load.entry + 1)", "write.addr.eq(load.entry)", "levels lie one place too low",
           "dln-column"),
    Mutant("level_arrays", "Mux(self.used[row] & some, read.data, 0)", "Mux(self.used[row], read.data, 0)",
           "the zero level adds another's entries", "dln-column"),
    Mutant("level_arrays", "read.addr.eq(delay(m, self.bank, 1))", "read.addr.eq(self.bank)",
           "a row's last codes are the next tile's", "dln-column"),
    Mutant("level_encoder", "level < 0, level + self.last + 1, level", "level < 0, level + self.last, level",
           "negative activations are a level too low", "dln-row"),
    Mutant("level_encoder", "Mux(value > high, high, value)", "value", "levels are not clamped above", "dln-column"),
    Mutant("level_memory", "write.addr.eq(self.write.address)", "write.addr.eq(self.write.address ^ 1)",
           "levels lie at other addresses", "dln-row"),
    Mutant("loader", "preloading & (tables.level == 0)", "preloading", "levels change while a tile is in use",
           "dln-column"),
    Mutant("loader", 'inner.count.entry == 0 if self._levels == "expand" else 1', "1", "every level takes a beat",
           "dln-row"),
    Mutant("loader", 'self.level_address.eq(self._layer["codebooks"] + count.entry)',
           "self.level_address.eq(count.entry)", "every layer has the first one's levels", "dln-row"),
    Mutant("machine", "Cat(last >= column for", "Cat(last > column for", "tkeep lacks the last column"),
    Mutant("normaliser", "zeros | empty << step", "zeros | ~empty << step", "other zeros are counted", "rows"),
    Mutant("output_buffer", "self.room.eq(reserved != self.depth - 1)", "self.room.eq(1)",
           "a stalled reader loses a beat"),
    Mutant("output_buffer", "self.o.valid.eq(held != 0)", "self.o.valid.eq((held != 0) & self.o.ready)",
           "tvalid waits for tready"),
    Mutant("output_buffer", "read.addr.eq(head)", "read.addr.eq(Mux(self.o.ready, head, tail))",
           "a beat changes while it waits"),
    Mutant("piecewise", "Cat(Const(1, 1), reached) & ~Cat(reached, Const(0, 1))", "Cat(Const(1, 1), reached)",
           "all segments that are reached are mixed", "rows"),
    Mutant("piecewise", "self.function.shift[:5]", "self.function.shift[:4]", "long shifts are short", "rows"),
    Mutant("piecewise", "Mux(high.all() | ~high.any(), shifted[:WIDTH],", "Mux(1, shifted[:WIDTH],",
           "results beyond 17 bits wrap", "rows"),
    Mutant("placer", "Mux(back, first, pixel + step)", "pixel + step", "a column tile does not begin at the block's"),
    Mutant("plane_array", "Mux(opens, 0, total << 1)", "(total << 1)", "a row begins with the planes before", "planes"),
    Mutant("plane_array", "load.group == number // array.fill", "load.group >= number // array.fill",
           "patterns are written to the rows before, too", "planes"),
    Mutant("plane_row", "Cat(self.plane[:depth], self.bank)", "Cat(self.plane[:depth], 0)", "one bank is read",
           "planes"),
    Mutant("plane_row", "Mux(self.used, self.activations, 0)", "self.activations", "rows beyond the layer's are summed",
           "planes"),
    Mutant("plane_row", "(chosen << shift) ^ sign", "chosen ^ sign", "entries are not shifted back", "planes8"),
    Mutant("pool", "Mux(a < b, b, a)", "Mux(a < b, a, b)", "the smallest of a window"),
    Mutant("program", "Mux(self.next.final, origin, address)", "address", "a program does not begin again"),
    Mutant("residual", "(doubled + 1) >> 1", "doubled >> 1", "the add stage rounds down"),
    Mutant("row_memory", "transparent_for=(port,)", "transparent_for=()", "a row alone does not see its last word",
           "rows"),
    Mutant("row_memory", "with m.If(first)", "with m.If(first & self.maximum)", "sums are never begun anew", "rows"),
    Mutant("row_scale", "Mux(place[0], leading[-14:], leading[-13:])", "leading[-13:]",
           "the root of a number of odd length is that of half of it", "rows"),
    Mutant("row_scale", "squares - square + self.epsilon", "squares - square", "a norm without epsilon", "rows"),
    Mutant("row_unit", "Mux(self._is_used(0, byte), self.i", "Mux(1, self.i", "bytes beyond the channels count",
           "rows"),
    Mutant("row_unit", "Mux(self._is_used(TERM - 1, number), below(unit.o", "Mux(1, below(unit.o",
           "exponentials of bytes beyond the channels are summed", "rows"),
    Mutant("row_unit", "Mux(a > b, a, b)", "Mux(a > b, b, a)", "the smallest byte of a word is its largest", "rows"),
    Mutant("sequencer", "stages.release - 1", "stages.release", "parameter banks are freed a cycle late", "mac"),
    Mutant("sequencer", "stages.row_release - 1", "stages.row_release", "a norm's banks are freed late", "rows"),
    Mutant("settings", "to.lanes).eq(Cat(lanes.word_select(number, 32)", "to.lanes).eq(Cat(lanes.word_select(0, 32)",
           "all lanes are the first"),
    Mutant("signals", "later = Signal.like(value, reset_less=not reset, init=0)",
           "later = Signal.like(value, reset_less=not reset, init=1)", "pipelines wake up with a row in them"),
    Mutant("sign_flip_array", "Mux(weight[1], negative, activation)", "activation", "nothing is subtracted",
           "sign-flip"),
    Mutant("sign_flip_array", "self.used[row] & weight[0]", "weight[0]", "rows beyond the layer's are summed",
           "sign-flip"),
    Mutant("status", "resting == self.patience", "0", "the watchdog sleeps"),
    Mutant("sum_lane", "Mux(first, 0, read.data) + self.i", "read.data + self.i", "sums are never begun anew",
           "planes"),
    Mutant("sum_lane", "delay(m, self.bank, 2)", "delay(m, self.bank, 3)", "zero points of another tile", "planes"),
    Mutant("sum_lane", "word_select(column, correction_width(array)).eq(out)",
           "word_select(column, correction_width(array)).eq(product)", "the next row's product comes early", "planes"),
    Mutant("table_builder", "return [-scalars[0], scalars[0]]", "return [scalars[0], -scalars[0]]",
           "signs are reversed", "planes"),
    Mutant("table_builder", "((1 << self.shift) >> 1)", "0", "entries are rounded down", "planes8"),
    Mutant("table_builder", "range(1, SHIFTS))", "range(1, SHIFTS - 1))", "the largest entries wrap", "planes8"),
    Mutant("table_memory", "write.addr.eq(self.write.address)", "write.addr.eq(self.write.address ^ 1)",
           "tables lie at other addresses"),
    Mutant("table_row", "Mux(self.used, read.data, 0)", "read.data", "rows beyond the layer's are summed"),
    Mutant("table_memory", "symbol_width(array)) if array.gather else 0", "symbol_width(array)) * 0",
           "a gather reads first entries only", "gather"),
    Mutant("tree_encoder", "(scalar > thresholds", "(scalar >= thresholds", "a tie goes right", "tree"),
    Mutant("tree_encoder", "turn = delay(m, turn, 1, reset=True)\n            compared", "compared",
           "deeper levels take the next tree's thresholds too early", "tree"),
    Mutant("tree_encoder", "Cat(above, index)", "Cat(index, above)", "the path is read backwards", "tree"),
    Mutant("transposer", "Mux(walk.last.block, layer.last_block, layer.block)", "layer.block",
           "tokens leave that the last block does not have", "vec"),
    Mutant("vector_builder", "fresh.some | ~order.first_sweep", "1", "an index word is read before it is written",
           "vec"),
    Mutant("vector_builder", "build.add.eq(banks.room)", "build.add.eq(1)", "a table is built while it is read", "vec"),
    Mutant("vector_builder", "sum(digits[place + 1:]) % 2 == 1", "False", "entries are only added to", "vec"),
    Mutant("vector_builder", "Mux(half, self.array.index_words, 0)", "0", "the second sweep reads the other half",
           "vec"),
    Mutant("vector_cells", "row.bank.eq(self.bank)", "row.bank.eq(~self.bank)", "the table that is built is read",
           "vec"),
    Mutant("vector_core", "delay(m, sequencer.parameters, stages.sum - 1)", "sequencer.parameters",
           "an output has the next one's parameters", "vec"),
    Mutant("vector_finisher", "word_select(byte, 8)", "word_select(0, 8)", "every parameter byte is the first", "vec"),
    Mutant("vector_order", "Mux(self.last_sweep, left, layer.sweep)", "layer.sweep",
           "the last sweep has as many outputs as the others", "vec"),
    Mutant("vector_row", "Mux(negative, -value, value)", "value", "negatives are not", "vec"),
    Mutant("vector_row", "Mux(build.first, 0, newest)", "newest", "a table begins with the end of the one before",
           "vec"),
    Mutant("vector_sequencer", "((operation.sweep + 1) * array.columns > array.block_rows)", "0",
           "a sweep of more outputs than there are accumulators is taken", "vec"),
    Mutant("vector_walker", "(banks.room | ~begins)", "1", "a column tile is written over one that is not drained",
           "vec"),
    Mutant("vector_walker", "Mux(order.last_tile, parameter_beats(array), 0)", "0", "parameters are taken for codes",
           "vec"),
    Mutant("vector_walker", "self.address.eq(self.settings.tables)", "self.address.eq(self.address + 1)",
           "the second block has other codes", "vec"),
    Mutant("walk", "Mux(line_ends, operation.step_y, operation.step_x)", "operation.step_x",
           "windows run on beyond the end of a line"),
    Mutant("walker", "(fresh.some | ~first_column) &", "", "a row is issued before its index is written"),
    Mutant("walker", "fresh.drop.eq(o.valid & o.opens & first_column)", "fresh.drop.eq(o.valid & first_column)",
           "every plane takes an index word", "planes"),
    Mutant("walker", "& (self.room | ~leaving)", "", "rows are issued that the output buffer cannot hold"),
    Mutant("writer", "[Kind.POOL, Kind.ROW] if array.functions", "[Kind.POOL] if array.functions",
           "the bytes beyond a ROW's word are written over its next ones", "rows"),
    Mutant("writer", "Mux(used[column], self.i.word_select(column, 8), 0)", "self.i.word_select(column, 8)",
           "bytes beyond the channels are written"),
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
        machine.load(case.program)
        run = machine.run(case.program, case.inputs, activation_period=case.activation_period,
                          table_period=case.table_period, stalls=case.stalls,
                          limit=SLOWER * case.latency.cycles)
    except RuntimeError as error:
        return str(error)
    if not np.array_equal(run.outputs, case.expected):
        return "the outputs differ from the golden model"
    if case.stalls is None and run.cycles != case.latency.cycles:
        return f"{run.cycles} cycles, not {case.latency.cycles}"
    return None


def _unreported(machine: CompiledMachine, fault: Fault) -> str | None:
    """How a machine takes a fault, unless it does as it must."""
    try:
        for traffic in fault.work:
            machine.execute(traffic, limit=LIMIT)
    except MachineFailed as failure:
        return None if failure.error is fault.error else f"{fault.name} is reported as {failure.error.name}"
    except RuntimeError as error:
        return f"{fault.name}: {error}"
    return f"{fault.name} is not noticed"


def defect(verilog: str, cases: Iterable[Case], *, cache: Path) -> str | None:
    """The first thing that a machine does wrong in these cases, all of one array, or in the first one's faults."""
    cases = list(cases)
    machine = CompiledMachine(library(verilog, cache=cache), cases[0].array)
    for case in cases:
        wrong = _wrong(machine, case)
        if wrong:
            return f"{case}: {wrong}"
    for fault in faults(cases[0]):
        wrong = _unreported(machine, fault) or _wrong(machine, cases[0])
        if wrong:
            return wrong
    return None

"""A vector machine's array: a row of cells for each group of weights, an adder tree for each token."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .adder_tree import AdderTree
from .engines import beat_width, engine_of, symbol_width, tree_width
from .signals import delay
from .vector_builder import table_build
from .vector_row import VectorRow

__all__ = ["VectorCells"]


class VectorCells(wiring.Component):
    """Sum over the rows of the entry that each row's code selects, for every token.

    Latency is ``1 + Pipeline.tree`` cycles, throughput one output (of all tokens) in a cycle.

    Members
    -------
    build, symbols : see `table_build`; the sub-vectors of all rows, row 0 lowest.
    valid, bank, lanes, code : an output, one cycle after its issue: bank of its tables, tokens, code words of all rows.
    o : the sums, signed, token 0 lowest.
    """

    def __init__(self, array: Array, banks: int = 2):
        self.array = array
        self.banks = banks
        super().__init__({
            "build": In(table_build(array)), "symbols": In(symbol_width(array) * array.rows), "valid": In(1),
            "bank": In(1), "lanes": In(array.columns), "code": In(beat_width(array)),
            "o": Out(tree_width(array) * array.columns)})

    def elaborate(self, platform):
        m = Module()
        array, width = self.array, engine_of(self.array).term(self.array)
        rows = []
        for number in range(array.rows):
            m.submodules[f"row_{number}"] = row = VectorRow(array, self.banks)
            connect(m, flipped(self.build), row.build)
            m.d.comb += [row.data.eq(self.symbols.word_select(number, len(row.data))), row.read.eq(self.valid),
                         row.bank.eq(self.bank), row.lanes.eq(self.lanes),
                         row.code.eq(self.code.word_select(number, len(row.code)))]
            rows.append(row.o)
        active, lanes = delay(m, self.valid, 1, reset=True), delay(m, self.lanes, 1)
        stages = [(active, lanes)]
        for _ in range(Pipeline(array).tree - 1):
            active, lanes = delay(m, active, 1, reset=True), delay(m, lanes, 1)
            stages.append((active, lanes))
        for lane in range(array.columns):
            m.submodules[f"tree_{lane}"] = tree = AdderTree(inputs=array.rows, width=width)
            m.d.comb += [tree.i[number].eq(row.word_select(lane, width)) for number, row in enumerate(rows)]
            m.d.comb += [*(bit.eq(valid & used[lane]) for bit, (valid, used) in zip(tree.enable, stages, strict=False)),
                         self.o.word_select(lane, tree_width(array)).eq(tree.o)]
        return m

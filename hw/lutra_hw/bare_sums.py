"""The accumulators of a bare array."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.bare import Bare

from .engines import sum_width, tree_width
from .signals import bits, delay

__all__ = ["BareSums"]


class BareSums(wiring.Component):
    """Accumulators: a memory word of all columns for each row of a pass.

    Latency is 2 cycles from ``i`` to the word written (sum, memory), throughput one row in a cycle; rows count up.

    Members
    -------
    begin : a pass begins; first : its rows' old sums are ignored.
    coming : sums come two cycles later, in ``i``, signed, column 0 lowest.
    written : a row's word is written in this cycle.
    drain, row : read of a word while no sums come; o : it, signed, two cycles later, if ``drain`` is high in both.
    """

    def __init__(self, array: Bare):
        self.array = array
        self.width = sum_width(array, array.codebooks)
        super().__init__({"begin": In(1), "first": In(1), "coming": In(1), "i": In(tree_width(array) * array.columns),
                          "written": Out(1), "drain": In(1), "row": In(bits(array.block_rows)),
                          "o": Out(self.width * array.columns)})

    def elaborate(self, platform):
        m = Module()
        columns, width = self.array.columns, self.width
        m.submodules.memory = memory = Memory(shape=len(self.o), depth=self.array.block_rows, init=[])
        write, read = memory.write_port(), memory.read_port()
        asked, into = (Signal(bits(self.array.block_rows), name=name) for name in ("asked", "into"))
        old, total = (Signal(len(self.o), name=name, reset_less=True) for name in ("old", "total"))
        m.d.sync += [asked.eq(Mux(self.begin, 0, asked + self.coming)), into.eq(Mux(self.begin, 0, into + write.en))]
        m.d.comb += [read.addr.eq(Mux(self.drain, self.row, asked)), read.en.eq(self.drain | self.coming),
                     write.addr.eq(into), write.data.eq(total), write.en.eq(delay(m, self.coming, 3, reset=True)),
                     self.written.eq(write.en), self.o.eq(old)]
        adding = delay(m, self.coming, 1, reset=True)
        with m.If(self.drain | adding):
            m.d.sync += old.eq(Mux(adding & self.first, 0, read.data))
        for column in range(columns):
            new = self.i.word_select(column, tree_width(self.array)).as_signed()
            m.d.sync += total.word_select(column, width).eq(old.word_select(column, width).as_signed() + new)
        return m

"""One row of table cells."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .signals import bits

__all__ = ["BlockRow", "TableRow"]


class TableRow(wiring.Component):
    """The cells of a row share their index, so they are one memory of ``banks`` (1 or 2) of ``entries`` words.

    Latency is 1 cycle, throughput one index in a cycle; an entry written in one cycle can be read in the next.

    Members
    -------
    write, write_bank, entry, data : write of one table entry of every column.
    read, bank, index : read of one.
    used : whether the layer uses the row; an unused row gives zeros.
    o : the entries of all columns, column 0 lowest.
    """

    write: Signal
    write_bank: Signal
    entry: Signal
    data: Signal
    read: Signal
    bank: Signal
    index: Signal
    used: Signal
    o: Signal

    def __init__(self, *, entries: int, columns: int, banks: int = 2):
        self.words = banks * entries
        index, width = bits(entries), 8 * columns
        super().__init__({
            "write": In(1), "write_bank": In(1), "entry": In(index), "data": In(width),
            "read": In(1), "bank": In(1), "index": In(index), "used": In(1), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = Memory(shape=len(self.data), depth=self.words, init=[])
        write = table.write_port()
        read = table.read_port(domain="comb")
        m.d.comb += [write.addr.eq(Cat(self.entry, self.write_bank)[:bits(self.words)]), write.data.eq(self.data),
                     write.en.eq(self.write), read.addr.eq(Cat(self.index, self.bank)[:bits(self.words)])]
        entries = Signal.like(self.o, reset_less=True)
        m.d.comb += self.o.eq(entries)
        with m.If(self.read):
            m.d.sync += entries.eq(Mux(self.used, read.data, 0))
        return m


class BlockRow(TableRow):
    """As `TableRow`, with the register of the entries in the memory: for parts whose memories have no other read."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = Memory(shape=len(self.data), depth=self.words, init=[])
        write, read, used = table.write_port(), table.read_port(), Signal(reset_less=True)
        m.d.comb += [write.addr.eq(Cat(self.entry, self.write_bank)[:bits(self.words)]), write.data.eq(self.data),
                     write.en.eq(self.write), read.addr.eq(Cat(self.index, self.bank)[:bits(self.words)]),
                     read.en.eq(self.read), self.o.eq(Mux(used, read.data, 0))]
        with m.If(self.read):
            m.d.sync += used.eq(self.used)
        return m

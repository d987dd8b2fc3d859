"""One row of index cells: patterns of weights, and the table that they select from."""

from amaranth.hdl import Array as Choice
from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .signals import bits
from .table_builder import TableBuilder, entry_width, term_width

__all__ = ["PlaneRow"]


class PlaneRow(wiring.Component):
    """A table of a group's activations, and an entry of it for every column, inverted where the pattern says so.

    Patterns lie in a memory of two banks of a word for each plane. Latency is 2 cycles, throughput a plane in a cycle;
    a pattern written in one cycle can be read in the next. The table is built with the first plane and stays.

    Members
    -------
    write, write_bank, entry, data : write of one plane's pattern of every column.
    read, bank, plane, opens : a plane is read; it is the first of its activations.
    used, activations : a group of activations; a row that the layer does not use has zeros.
    select : one cycle after ``read``.
    o, ones : of every column, two cycles after ``read``; the selected sum is ``o + one``.
    total : the sum of the activations, negated, one cycle after ``opens``.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "write": In(1), "write_bank": In(1), "entry": In(bits(array.entries)),
            "data": In(array.length * array.columns),
            "read": In(1), "bank": In(1), "plane": In(bits(array.entries)), "opens": In(1), "used": In(1),
            "activations": In(8 * array.length), "select": In(1),
            "o": Out(data.ArrayLayout(signed(term_width(array)), array.columns)), "ones": Out(array.columns),
            "total": Out(signed(term_width(array)))})

    def elaborate(self, platform):
        m = Module()
        patterns = self._patterns(m)
        table, shift = self._table(m)
        for column in range(self.array.columns):
            index, sign = self._pattern(patterns, column)
            value = Signal(signed(term_width(self.array)), name=f"value_{column}", reset_less=True)
            one = Signal(name=f"one_{column}", reset_less=True)
            chosen = Choice(table)[index] if len(index) else table[0]
            with m.If(self.select):
                m.d.sync += [value.eq((chosen << shift) ^ sign.as_signed()), one.eq(sign)]
            m.d.comb += [self.o[column].eq(value), self.ones[column].eq(one)]
        return m

    def _patterns(self, m: Module) -> Signal:
        """The plane's patterns, one cycle after ``read``."""
        depth = bits(self.array.entries) if self.array.entries > 1 else 0
        m.submodules.patterns = memory = Memory(shape=len(self.data), depth=2 << depth, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [write.addr.eq(Cat(self.entry[:depth], self.write_bank)), write.data.eq(self.data),
                     write.en.eq(self.write), read.addr.eq(Cat(self.plane[:depth], self.bank))]
        patterns = Signal.like(self.data, name="patterns_read", reset_less=True)
        with m.If(self.read):
            m.d.sync += patterns.eq(read.data)
        return patterns

    def _table(self, m: Module) -> tuple[list[Signal], Value]:
        """The table's registers, and by how much its entries are to be shifted back."""
        m.submodules.builder = builder = TableBuilder(self.array)
        m.d.comb += builder.i.eq(Mux(self.used, self.activations, 0))
        table = [Signal(signed(entry_width(self.array)), name=f"entry_{n}", reset_less=True)
                 for n in range(len(builder.o))]
        total, shift = (Signal.like(port, name=name, reset_less=True)
                        for port, name in ((builder.total, "total_kept"), (builder.shift, "shift")))
        with m.If(self.read & self.opens):
            m.d.sync += [*(register.eq(entry) for register, entry in zip(table, builder.o, strict=True)),
                         total.eq(builder.total), shift.eq(builder.shift)]
        m.d.comb += self.total.eq(total)
        return table, shift if self.array.quantised else Value.cast(0)

    def _pattern(self, patterns: Signal, column: int) -> tuple[Value, Value]:
        """A column's index and sign."""
        length = self.array.length
        pattern = patterns.word_select(column, length)
        return pattern[:length - 1], pattern[length - 1:]

"""One row of a vector machine's cells: tables made of a group of activations, for every token."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .engines import beat_width, engine_of
from .vector_builder import half_table, table_build

__all__ = ["VectorRow"]


class VectorRow(wiring.Component):
    """Cells of one group of weights: each has a token's activations and ``banks`` (1 or 2) of half a table of them.

    Building takes one addition in a cycle and cell; an entry made in one cycle can be read in the next. The latency of
    a read is 1 cycle, its throughput one code in a cycle.

    Members
    -------
    build, data : see `table_build`; the sub-vector that comes.
    read, bank, lanes, code : read of a bank by all tokens of ``lanes``; the code: bits 6..0 entry, bit 7 negative.
    o : the entries, signed, token 0 lowest.
    """

    def __init__(self, array: Array, banks: int = 2):
        self.array = array
        self.banks = banks
        self.width = engine_of(array).term(array)
        super().__init__({"build": In(table_build(array)), "data": In(8 * array.length), "read": In(1), "bank": In(1),
                          "lanes": In(array.columns), "code": In(beat_width(array) // array.rows),
                          "o": Out(self.width * array.columns)})

    def elaborate(self, platform):
        m = Module()
        array, width = self.array, self.width
        entry = Signal(range(half_table(array) + 1))
        size = len(entry) + self.banks - 1  # bits of an address
        m.submodules.tables = tables = Memory(shape=width * array.columns, depth=1 << size, init=[])
        write, read = tables.write_port(granularity=width), tables.read_port(domain="comb")
        rank, negative, some = self.code[:len(entry)], Signal(), Signal()
        m.d.comb += [entry.eq(self.build.step + 1), write.addr.eq(Cat(entry, self.build.bank)[:size]),
                     write.data.eq(self._made(m)), write.en.eq(Mux(self.build.add, self.build.lanes, 0)),
                     read.addr.eq(Cat(rank, self.bank)[:size]), some.eq(rank != 0)]
        with m.If(self.read):
            m.d.sync += negative.eq(self.code[7])
        for lane in range(array.columns):
            value = Signal(signed(width), name=f"value_{lane}", reset_less=True)
            with m.If(self.read & self.lanes[lane]):
                m.d.sync += value.eq(Mux(some, read.data.word_select(lane, width).as_signed(), 0))
            m.d.comb += self.o.word_select(lane, width).eq(Mux(negative, -value, value))
        return m

    def _made(self, m: Module) -> Cat:
        """The next entry of every token."""
        build, array = self.build, self.array
        made = []
        for lane in range(array.columns):
            vector = Signal(8 * array.length, name=f"vector_{lane}", reset_less=True)
            newest, entry = (Signal(signed(self.width), name=f"{name}_{lane}", reset_less=True)
                             for name in ("newest", "entry"))
            with m.If(build.stage & (build.lane == lane)):
                m.d.sync += vector.eq(self.data)
            with m.If(build.add & build.lanes[lane]):
                m.d.sync += newest.eq(entry)
            base, scalar = Mux(build.first, 0, newest), vector.word_select(build.place, 8).as_signed()
            m.d.comb += entry.eq(Mux(build.minus, base - scalar, base + scalar))
            made.append(entry)
        return Cat(made)

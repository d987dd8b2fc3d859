"""The bare array of every engine whose rows of cells are told symbols."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from .bare import BareMachine, Ongoing
from .bare_mac import BareMac
from .engines import engine_of
from .level_arrays import LevelTables
from .lookup_array import LookupArray
from .signals import delay
from .table_row import BlockRow, TableRow

__all__ = ["BareArray"]


class BareArray(BareMachine):
    """Rows of cells that are told symbols: every engine's but ``vec-lut``'s.

    A tile comes as on the table stream of a machine, ``for group: for entry``, into the one bank that is used; levels
    (of ``dln-*``) and codebooks come on the activation stream, one entry a beat.
    """

    def _cells(self, m: Module, ongoing: Ongoing) -> None:
        array, engine = self.array, engine_of(self.array)
        m.submodules.cells = cells = self._made()
        loading, passing = ongoing("LOAD"), ongoing("PASS")
        data, told, valid = self.s_axis_act_tdata, self.s_axis_act_tdata, passing & self.s_axis_act_tvalid
        if array.encoded:
            told, valid = self._encoders(m, ongoing)
        if engine.levels:
            self._levels(m, cells, ongoing("LEARN") & self.s_axis_act_tvalid, data)
        if engine.planes:
            m.d.comb += [cells.plane.eq(self.entry), cells.opens.eq(self.entry == 0)]
        m.d.comb += [
            cells.load.valid.eq(loading & self.s_axis_table_tvalid), cells.load.group.eq(self.group),
            cells.load.entry.eq(self.entry), cells.load.data.eq(self.s_axis_table_tdata),
            cells.turn.eq(ongoing("TURN")), cells.valid.eq(valid), cells.used.eq(-1), cells.symbols.eq(told),
            self.sums.i.eq(cells.o),
            self.sums.coming.eq(delay(m, valid & self._closes(), array.tree - 1, reset=True))]

    def _made(self) -> wiring.Component:
        array = self.array
        if array.multipliers >= 0:
            return BareMac(array)
        kind = engine_of(array).cells
        if kind in (LookupArray, LevelTables):
            return kind(array, BlockRow if array.block_tables else TableRow, banks=1)
        return kind(array)

    def _closes(self) -> Value:
        """The row's last plane is issued."""
        return self.entry == self.last_entry if engine_of(self.array).planes else Value.cast(1)

    def _learn(self, m: Module) -> Value:
        """Whether the last codebook word, or level, is taken."""
        slot = engine_of(self.array).slot
        last = self.entry == (slot(self.array, self.last_entry) if self.array.encoded and slot else self.last_entry)
        m.d.comb += self.s_axis_act_tready.eq(1)
        return self._count(m, self.s_axis_act_tvalid, last)

    def _load(self, m: Module) -> Value:
        """Whether the last word of the tile is written."""
        levels = engine_of(self.array).levels
        last = self.entry == (0 if levels == "preload" else self.last_entry)
        m.d.comb += self.s_axis_table_tready.eq(last if levels == "expand" else 1)
        done = self._count(m, self.s_axis_table_tvalid, last)
        with m.If(done):
            m.d.sync += self.group.eq(self.group + 1)
        return done & (self.group == self.array.rows // self.array.fill - 1)

    def _issue(self, m: Module) -> Value:
        """Whether a row (with its last plane) is taken."""
        m.d.comb += self.s_axis_act_tready.eq(self._closes())
        if engine_of(self.array).planes:
            return self._count(m, self.s_axis_act_tvalid, self._closes())
        return self.s_axis_act_tvalid

    def _count(self, m: Module, step: Value, last: Value) -> Value:
        """Entries count up; whether this is the last."""
        with m.If(step):
            m.d.sync += self.entry.eq(Mux(last, 0, self.entry + 1))
        return step & last

    def _encoders(self, m: Module, ongoing: Ongoing) -> tuple[Value, Value]:
        """What an encoder for each row makes of the sub-vectors, and when it comes."""
        array, beat = self.array, self.s_axis_act_tvalid
        told = []
        learning, passing, fresh = ongoing("LEARN") & beat, ongoing("PASS") & beat, Signal()
        with m.If(learning):
            m.d.sync += fresh.eq(1)
        with m.Elif(passing):
            m.d.sync += fresh.eq(0)
        for row in range(array.rows):
            m.submodules[f"encoder_{row}"] = encoder = engine_of(array).encoder(array)
            data = self.s_axis_act_tdata.word_select(row, 8 * array.length)
            share = self.s_axis_act_tdata.word_select(row, len(encoder.centroid))
            m.d.comb += [encoder.load.eq(learning), encoder.entry.eq(self.entry), encoder.centroid.eq(share),
                         encoder.turn.eq(passing & fresh), encoder.vector.eq(passing), encoder.data.eq(data),
                         *(bit.eq(self.last_entry >= entry) for entry, bit in enumerate(encoder.entry_mask))]
            told.append(encoder.o)
        return Cat(told), delay(m, passing, array.cell.encode_stages(array), reset=True)

    def _levels(self, m: Module, cells: wiring.Component, learning: Value, data: Value) -> None:
        """A layer's table of levels goes to every row's copy, or waits until it is expanded."""
        array, load = self.array, cells.load
        if engine_of(array).levels == "preload":
            m.d.comb += [load.preload.eq(learning), load.level.eq(data)]
            return
        m.submodules.levels = memory = Memory(shape=len(load.level), depth=array.entries, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [write.addr.eq(self.entry), write.data.eq(data), write.en.eq(learning),
                     read.addr.eq(self.entry), load.level.eq(read.data)]

"""Takes the table stream into table banks and parameter banks."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array
from lutra_model.schedule import PARAMETER_BEATS

from .credit import Credit
from .descriptor import row_tiles, settings
from .loops import Loops
from .signals import bits

__all__ = ["Loader", "parameter_write", "table_write"]


def table_write(array: Array) -> wiring.Signature:
    """One table entry (or weight) of every column, on its way into the array."""
    return wiring.Signature({"valid": Out(1), "bank": Out(1), "row": Out(bits(array.rows)),
                             "entry": Out(bits(array.entries)), "data": Out(8 * array.columns)})


def parameter_write(array: Array) -> wiring.Signature:
    """One byte of the finisher's parameters of every column."""
    return wiring.Signature({"valid": Out(1), "bank": Out(1), "byte": Out(range(PARAMETER_BEATS)),
                             "data": Out(8 * array.columns)})


class Loader(wiring.Component):
    """One beat in a cycle while a bank for it is free; it reaches the bank two cycles later.

    Members
    -------
    start : a layer begins; beats are taken from the next cycle on.
    i : the table stream.
    table, parameter : writes, one cycle after their beat.
    loaded : a tile, its parameters included, is complete with the beat of this cycle.
    free, free_parameters : a bank is freed in this cycle; it can be filled from the next on.
    some : a table bank holds a complete tile.
    turn : one tile ends in this cycle or was ended before, and the next is complete: it becomes the one in use.
    """

    i: stream.Interface

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "start": In(1), "settings": In(settings(array)), "i": In(stream.Signature(8 * array.columns)),
            "table": Out(table_write(array)), "parameter": Out(parameter_write(array)),
            "loaded": Out(1), "free": In(1), "free_parameters": In(1), "some": Out(1), "turn": Out(1)})

    def elaborate(self, platform):
        m = Module()
        array, layer = self.array, self.settings
        loading, trailing = Signal(), Signal()  # trailing: the parameters of a column tile
        m.submodules.tables = tables = Credit(places=2)
        m.submodules.parameters = parameters = Credit(places=2)
        m.submodules.inner = inner = Loops(entry=bits(array.entries), row=bits(array.rows))
        m.submodules.trail = trail = Loops(byte=bits(PARAMETER_BEATS))
        m.submodules.outer = outer = Loops(tile=bits(row_tiles(array)), column=16, block=32)
        m.d.comb += [
            self.i.ready.eq(loading & tables.room & (~trailing | parameters.room)),
            inner.step.eq(self.i.valid & self.i.ready & ~trailing),
            inner.limit.entry.eq(layer.entries),
            inner.limit.row.eq(Mux(outer.last.tile, layer.last_row, array.rows - 1)),
            trail.step.eq(self.i.valid & self.i.ready & trailing),
            trail.limit.byte.eq(PARAMETER_BEATS - 1),
            self.loaded.eq(inner.step & inner.done & ~outer.last.tile | trail.step & trail.done),
            outer.step.eq(self.loaded),
            outer.limit.tile.eq(layer.tiles),
            outer.limit.column.eq(layer.columns),
            outer.limit.block.eq(layer.blocks),
            tables.put.eq(self.loaded),
            tables.drop.eq(self.free),
            parameters.put.eq(trail.step & trail.done),
            parameters.drop.eq(self.free_parameters),
            self.some.eq(tables.some),
            self.turn.eq(self.free & (self.loaded | (tables.level == 2)) | self.loaded & ~tables.some)]
        with m.If(self.start):
            m.d.sync += loading.eq(1)
        with m.If(self.loaded & outer.done):
            m.d.sync += loading.eq(0)
        with m.If(inner.step & inner.done & outer.last.tile):
            m.d.sync += trailing.eq(1)
        with m.If(trail.step & trail.done):
            m.d.sync += trailing.eq(0)
        self._write(m, inner, trail)
        return m

    def _write(self, m: Module, inner: Loops, trail: Loops) -> None:
        """The beat in a register, with its place."""
        table, parameter = self.table, self.parameter
        bank, parameter_bank = Signal(), Signal()
        m.d.sync += [table.valid.eq(inner.step), parameter.valid.eq(trail.step)]
        with m.If(inner.step):
            m.d.sync += [table.data.eq(self.i.payload), table.row.eq(inner.count.row),
                         table.entry.eq(inner.count.entry), table.bank.eq(bank)]
        with m.If(trail.step):
            m.d.sync += [parameter.data.eq(self.i.payload), parameter.byte.eq(trail.count.byte),
                         parameter.bank.eq(parameter_bank)]
        with m.If(self.loaded):
            m.d.sync += bank.eq(~bank)
        with m.If(trail.step & trail.done):
            m.d.sync += parameter_bank.eq(~parameter_bank)

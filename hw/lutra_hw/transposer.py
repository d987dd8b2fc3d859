"""Turns a column tile's outputs, which come one after the other for all tokens, into a row for each token."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .credit import Credit
from .loops import Loops
from .settings import settings
from .signals import bits, delay

__all__ = ["Transposer"]


class Transposer(wiring.Component):
    """Two banks of ``columns x columns`` bytes; one is written while the other is drained.

    Rows leave in the order ``for block: for column tile: for activation row``, one in a cycle, from the cycle after
    ``full`` on; those that leave by the stream wait for room in the output buffer.

    Members
    -------
    settings : of the running operation.
    write, write_bank, place, i : an output of the column tile, of every token.
    full : it is the column tile's last.
    room : the output buffer has a place to reserve.
    valid : a row leaves in this cycle. reserve : it reserves a place.
    drained : it is the last of its bank.
    o : its bytes, two cycles later; beyond the columns of its tile they are arbitrary.
    """

    def __init__(self, array: Array):
        self.array = array
        width = 8 * array.columns
        super().__init__({
            "settings": In(settings(array)), "write": In(1), "write_bank": In(1), "place": In(bits(array.columns)),
            "i": In(width), "full": In(1), "room": In(1), "valid": Out(1), "reserve": Out(1), "drained": Out(1),
            "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        layer, bank = self.settings, Signal()
        m.submodules.tiles = tiles = Credit(places=2)
        m.submodules.walk = walk = Loops(row=16, column=16, block=16)
        m.d.comb += [
            tiles.put.eq(self.full), tiles.drop.eq(self.drained),
            self.valid.eq(tiles.some & (self.room | ~layer.to_stream)), self.reserve.eq(self.valid & layer.to_stream),
            self.drained.eq(self.valid & walk.last.row), walk.step.eq(self.valid),
            walk.limit.row.eq(Mux(walk.last.block, layer.last_block, layer.block)),
            walk.limit.column.eq(layer.column_tiles), walk.limit.block.eq(layer.blocks)]
        with m.If(self.drained):
            m.d.sync += bank.eq(~bank)
        row = delay(m, walk.count.row[:bits(self.array.columns)], 1)
        found = self._read(m, delay(m, bank, 1), row)
        with m.If(delay(m, self.valid, 1, reset=True)):
            m.d.sync += self.o.eq(found)
        return m

    def _read(self, m: Module, bank: Signal, row: Signal) -> Cat:
        """A token's byte of every output."""
        found = []
        for place in range(self.array.columns):
            m.submodules[f"place_{place}"] = memory = Memory(shape=len(self.i), depth=2, init=[])
            write, read = memory.write_port(), memory.read_port(domain="comb")
            m.d.comb += [write.addr.eq(self.write_bank), write.data.eq(self.i),
                         write.en.eq(self.write & (self.place == place)), read.addr.eq(bank)]
            found.append(read.data.word_select(row, 8))
        return Cat(found)

"""Issues activation rows into the array."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .credit import Credit
from .engines import engine_of
from .loops import Nest, bound
from .settings import settings
from .signals import bits, delay

__all__ = ["Walker", "issue"]

LIMITS = {"row": "block", "tile": "row_tiles", "column": "column_tiles", "block": "blocks"}


def issue(array: Array) -> wiring.Signature:
    """One activation row on its way through the array, with what the stages it meets must know."""
    return wiring.Signature({
        "valid": Out(1),
        "plane": Out(bits(array.entries)),         # of the weights, 0 where they have none
        "opens": Out(1),                           # of the row, the first plane
        "closes": Out(1),                          # of the row, the last plane
        "word": Out(bits(2 * array.index_words)),  # of the index memory
        "bank": Out(1),                            # of the tables
        "row": Out(bits(array.block_rows)),        # of the accumulators
        "first": Out(1),                           # row tile
        "last": Out(1),                            # row tile
        "parameters": Out(1),                      # bank of the finisher's parameters
        "release": Out(1)})                        # of the column tile, the last row's last plane


class Walker(wiring.Component):
    """Issues one activation row, or one plane of it, in a cycle when everything that it needs is there.

    All planes of a row follow its first, which waits for what they need.

    Index words lie in a half as they are indexed: ``for row tile: for activation row``. A product begins with half 0.

    Members
    -------
    start : a product begins; its settings are there from the next cycle on, its first row is issued after that one.
    indexed : an index word is complete; its row can be issued in the next cycle.
    loaded : a table bank holds a complete tile.
    room : the output buffer has a place to reserve.
    o : the row (or its plane) issued in this cycle.
    reserve : it reserves a place.
    free_table, free_half : the row is the last that needs its table bank; its index half.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"start": In(1), "settings": In(settings(array)), "indexed": In(1), "loaded": In(1),
                          "room": In(1), "o": Out(issue(array)), "reserve": Out(1),
                          "free_table": Out(1), "free_half": Out(1)})

    def elaborate(self, platform):
        m = Module()
        array, layer, o = self.array, self.settings, self.o
        planes = {"plane": bits(array.entries)} if engine_of(array).planes else {}
        walking = Signal()
        m.submodules.fresh = fresh = Credit(places=2 * array.index_words)  # words not yet read
        m.submodules.walk = walk = Nest(**planes, row=bits(array.block_rows), tile=16, column=16, block=16)
        first_column, leaving = walk.first.column, Signal()
        m.d.comb += [
            leaving.eq(walk.last.tile & layer.to_stream),
            o.valid.eq(walking & (~o.opens | self.loaded & (fresh.some | ~first_column) & (self.room | ~leaving))),
            o.row.eq(walk.count.row),
            o.first.eq(walk.first.tile),
            o.last.eq(walk.last.tile),
            o.release.eq(walk.last.row & walk.last.tile & o.closes),
            self.reserve.eq(o.valid & o.opens & leaving),
            self.free_table.eq(o.valid & walk.last.row & o.closes),
            self.free_half.eq(o.valid & o.release & walk.last.column),
            fresh.put.eq(self.indexed),
            fresh.drop.eq(o.valid & o.opens & first_column),
            walk.step.eq(o.valid)]
        bound(m, walk, delay(m, self.start, 1, reset=True), layer, layer, LIMITS | dict.fromkeys(planes, "entries"))
        if planes:
            m.d.comb += [o.plane.eq(walk.count.plane), o.opens.eq(walk.first.plane), o.closes.eq(walk.last.plane)]
        else:
            m.d.comb += [o.opens.eq(1), o.closes.eq(1)]
        with m.If(self.start):
            m.d.sync += walking.eq(1)
        with m.If(o.valid & walk.done):
            m.d.sync += walking.eq(0)
        with m.If(self.free_table):
            m.d.sync += o.bank.eq(~o.bank)
        with m.If(o.valid & o.release):
            m.d.sync += o.parameters.eq(~o.parameters)
        self._index_word(m, walk.done)
        return m

    def _index_word(self, m: Module, done: Signal) -> None:
        """Words count up in a half, for every column tile again; the other half follows."""
        o, half = self.o, Signal()
        with m.If(o.valid & o.closes):
            m.d.sync += o.word.eq(o.word + 1)
            with m.If(o.release):
                m.d.sync += o.word.eq(Mux(half, self.array.index_words, 0))
            with m.If(self.free_half):
                m.d.sync += [o.word.eq(Mux(half | done, 0, self.array.index_words)), half.eq(~half & ~done)]

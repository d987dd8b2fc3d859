"""Takes the activation stream: centroids first, then sub-vectors into the index memory's halves."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .credit import Credit
from .descriptor import row_tiles, settings, slots
from .loops import Loops
from .signals import bits

__all__ = ["Feeder", "centroid_words", "placement"]


def centroid_words(array: Array) -> int:
    """Words of an encoder's centroid memory: one for each slot of each row tile."""
    tiles = -(-array.codebooks // array.rows)
    last = array.codebooks - (tiles - 1) * array.rows
    return (tiles - 1) * slots(array) + -(-last // array.encoders)


def placement(array: Array) -> wiring.Signature:
    """Where an activation beat goes."""
    return wiring.Signature({
        "centroid": Out(1),                            # the beat taken in this cycle holds centroids,
        "vector": Out(1),                              # or sub-vectors
        "entry": Out(bits(array.entries)),             # of the centroids in their codebooks
        "address": Out(bits(centroid_words(array))),   # word of the centroid memory to write, or to compare with
        "word": Out(bits(2 * array.index_words)),      # index word that the sub-vectors belong to
        "slot": Out(bits(slots(array))),               # beat of that word
        "complete": Out(1)})                           # the word is complete with this beat


class Feeder(wiring.Component):
    """Says where each activation beat goes; one beat in a cycle while an index half is free.

    Members
    -------
    start : a layer begins; beats are taken from the next cycle on.
    valid, ready : handshake of the activation stream.
    free : a half is freed in this cycle; it can be filled from the next on.
    o : where the beat taken in this cycle goes.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "start": In(1), "settings": In(settings(array)), "valid": In(1), "ready": Out(1), "free": In(1),
            "o": Out(placement(array))})

    def elaborate(self, platform):
        m = Module()
        array, layer, o = self.array, self.settings, self.o
        filling, feeding = Signal(), Signal()  # centroids; sub-vectors
        m.submodules.halves = halves = Credit(places=2)
        m.submodules.fill = fill = Loops(entry=bits(array.entries), slot=bits(slots(array)),
                                         tile=bits(row_tiles(array)))
        m.submodules.feed = feed = Loops(slot=bits(slots(array)), row=bits(array.block_rows),
                                         tile=bits(row_tiles(array)), block=32)
        m.d.comb += [
            self.ready.eq(filling | feeding & halves.room),
            o.centroid.eq(filling & self.valid),
            o.vector.eq(feeding & halves.room & self.valid),
            o.entry.eq(fill.count.entry),
            o.slot.eq(feed.count.slot),
            o.complete.eq(feed.last.slot),
            fill.step.eq(o.centroid),
            fill.limit.entry.eq(layer.entries),
            fill.limit.slot.eq(Mux(fill.last.tile, layer.last_slot, slots(array) - 1)),
            fill.limit.tile.eq(layer.tiles),
            feed.step.eq(o.vector),
            feed.limit.slot.eq(Mux(feed.last.tile, layer.last_slot, slots(array) - 1)),
            feed.limit.row.eq(Mux(feed.last.block, layer.last_block, layer.block)),
            feed.limit.tile.eq(layer.tiles),
            feed.limit.block.eq(layer.blocks),
            halves.put.eq(o.vector & feed.last.slot & feed.last.row & feed.last.tile),
            halves.drop.eq(self.free)]
        with m.If(self.start):
            m.d.sync += [filling.eq(array.is_lookup), feeding.eq(not array.is_lookup)]
        with m.If(o.centroid & fill.done):
            m.d.sync += [filling.eq(0), feeding.eq(1)]
        with m.If(o.vector & feed.done):
            m.d.sync += feeding.eq(0)
        self._centroid_address(m, fill, feed)
        self._index_word(m, feed)
        return m

    def _centroid_address(self, m: Module, fill: Loops, feed: Loops) -> None:
        """Slots lie one after the other; every activation row of a tile goes through the tile's again."""
        o = self.o
        base = Signal.like(o.address)  # first word of the row tile
        with m.If(o.centroid & fill.last.entry):
            m.d.sync += o.address.eq(Mux(fill.done, 0, o.address + 1))
        with m.If(o.vector):
            m.d.sync += o.address.eq(o.address + 1)
            with m.If(feed.last.slot & ~feed.last.row):
                m.d.sync += o.address.eq(base)
            with m.If(feed.last.slot & feed.last.row):
                m.d.sync += base.eq(Mux(feed.last.tile, 0, o.address + 1))
                with m.If(feed.last.tile):
                    m.d.sync += o.address.eq(0)

    def _index_word(self, m: Module, feed: Loops) -> None:
        """Words count up in a half; a block ends with the change to the other half."""
        o, half = self.o, Signal()
        with m.If(o.vector & feed.last.slot):
            m.d.sync += o.word.eq(o.word + 1)
            with m.If(feed.last.row & feed.last.tile):
                m.d.sync += [o.word.eq(Mux(half | feed.done, 0, self.array.index_words)),
                             half.eq(~half & ~feed.done)]

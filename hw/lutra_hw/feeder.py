"""Feeds windows: where each one lies, and what becomes of it."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.operation import Kind
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .credit import Credit
from .loops import Nest, bound
from .row_unit import row_flags
from .settings import settings
from .signals import bits
from .walk import PIXEL, Walk

__all__ = ["Feeder", "index_place", "pool_flags"]

LIMITS = {"row": "block", "part_x": "parts_x", "part_y": "parts_y", "group": "groups", "block": "blocks"}


def index_place(array: Array) -> data.StructLayout:
    """Where a row's symbols go: beat ``slot`` of an index word, which may be complete with it."""
    return data.StructLayout({"word": bits(2 * array.index_words), "slot": bits(array.slots), "complete": 1})


def pool_flags(array: Array) -> data.StructLayout:
    """What goes with a pool's sums: row of the block, first and last part, last row of the operation."""
    return data.StructLayout({"row": bits(array.block_rows), "first": 1, "last": 1, "end": 1})


class Feeder(wiring.Component):
    """Feeds one activation row in a cycle: ``for block: for group: for part_y: for part_x: for activation row``.

    A product waits for an index half and, in a slot's first row, for its codebook; a pool whose results leave by
    the stream waits in its last part for room in the output buffer. Index words count up in a half, ``for row tile:
    for activation row``; every operation begins with half 0. A ROW (of machines with functions) is a pass in each
    part_y and a word in each part_x; between passes nothing is fed for ``Pipeline.gap`` cycles, and in the last pass a
    word waits for room as a pool does, that of a norm for its finisher's parameters, too.

    Members
    -------
    start, next : the operation ``next`` starts; rows are fed from the next cycle on.
    settings : of the running operation.
    loaded : the next slot's codebook is there; a MAC array has it tied high.
    free_half : an index half is freed in this cycle; it can be filled from the next on.
    room : the output buffer has a place.
    product, pool : a row of that kind is fed in this cycle.
    turn : it is a product's slot's first.
    reserve : it reserves a place in the output buffer.
    base, py, px : its window: base address, first pixel.
    group, last_group : its group.
    index, flags : what becomes of it, in a product; in a pool.
    fault : its index word lies beyond its half.
    row, word : of a machine with functions: a ROW's word is fed in this cycle; what becomes of it.
    parameters : the next word of a norm's last pass has its parameters.
    word_ends : the last row of such a word is fed.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "start": In(1), "next": In(settings(array)), "settings": In(settings(array)), "loaded": In(1),
            "free_half": In(1), "room": In(1),
            "product": Out(1), "pool": Out(1), "turn": Out(1), "reserve": Out(1),
            "base": Out(32), "py": Out(PIXEL), "px": Out(PIXEL), "group": Out(16), "last_group": Out(1),
            "index": Out(index_place(array)), "flags": Out(pool_flags(array)), "fault": Out(1),
            **({"row": Out(1), "word": Out(row_flags(array)), "parameters": In(1), "word_ends": Out(1)}
               if array.functions else {})})

    def elaborate(self, platform):
        m = Module()
        operation, flags = self.settings, self.flags
        feeding, fed = Signal(), Signal()
        m.submodules.halves = halves = Credit(places=2)
        m.submodules.nest = nest = Nest(row=16, part_x=8, part_y=8, group=16, block=16)
        product, pool = (self._runs(m, kind) for kind in (Kind.PRODUCT, Kind.POOL))
        bound(m, nest, self.start, self.next, operation, LIMITS)
        m.d.comb += [
            self.product.eq(feeding & product & halves.room & (self.loaded | ~nest.first.row)),
            self.pool.eq(feeding & pool & (self.room | ~operation.to_stream | ~flags.last)),
            self.turn.eq(self.product & nest.first.row),
            self.group.eq(nest.count.group), self.last_group.eq(nest.last.group),
            flags.row.eq(nest.count.row), flags.end.eq(nest.done), flags.last.eq(nest.last.part_x & nest.last.part_y),
            flags.first.eq(nest.first.part_x & nest.first.part_y), nest.step.eq(fed),
            halves.put.eq(self.product & self._block_ends(nest)), halves.drop.eq(self.free_half)]
        leaves = self.pool & flags.last  # a result comes of it
        if self.array.functions:
            self._rows(m, feeding, nest)
            leaves = leaves | self.row & self.word.emit
        m.d.comb += [fed.eq(self.product | self.pool | (self.row if self.array.functions else 0)),
                     self.reserve.eq(leaves & operation.to_stream)]
        with m.If(fed & nest.done):
            m.d.sync += feeding.eq(0)
        with m.If(self.start):
            m.d.sync += feeding.eq(1)
        m.submodules.walk = walk = Walk(self.array)
        connect(m, flipped(self.next), walk.next)
        connect(m, flipped(operation), walk.settings)
        m.d.comb += [walk.start.eq(self.start), walk.fed.eq(fed),
                     *(getattr(walk, f"last_{name}").eq(getattr(nest.last, name))
                       for name in ("row", "part_x", "part_y", "group")),
                     self.base.eq(walk.base), self.py.eq(walk.py), self.px.eq(walk.px)]
        self._index(m, nest)
        return m

    def _runs(self, m: Module, kind: Kind) -> Signal:
        """Register: whether the running operation is of a kind."""
        found = Signal(name=f"is_{kind.name.lower()}")
        with m.If(self.start):
            m.d.sync += found.eq(self.next.kind == kind)
        return found

    @staticmethod
    def _block_ends(nest: Nest) -> Value:
        return nest.last.row & nest.last.part_x & nest.last.part_y & nest.last.group

    def _rows(self, m: Module, feeding: Signal, nest: Nest) -> None:
        """Words of a ROW, with a rest after every pass but the last."""
        operation, word, gap = self.settings, self.word, Pipeline(self.array).gap
        rest, norm = Signal(range(gap + 1)), ~operation.maximum
        m.d.comb += [
            word.row.eq(nest.count.row), word.first.eq(nest.first.part_x), word.last.eq(nest.last.part_x),
            word.number.eq(nest.count.part_y), word.emit.eq(nest.last.part_y),
            self.row.eq(feeding & self._runs(m, Kind.ROW) & (rest == 0)
                        & (~word.emit | (self.room | ~operation.to_stream) & (self.parameters | ~norm))),
            self.word_ends.eq(self.row & word.emit & norm & nest.last.row)]
        with m.If(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        with m.If(self.row & nest.last.row & word.last & ~word.emit):
            m.d.sync += rest.eq(gap)

    def _index(self, m: Module, nest: Nest) -> None:
        """Words count up in a half; a tile's slots go through its words again; the other half follows."""
        half, words = Signal(), self.array.index_words
        word, tile = Signal(bits(words + 1)), Signal(bits(words + 1))  # in the half; the tile's first
        last_slot = nest.last.part_x & nest.last.part_y & nest.last.group
        m.d.comb += [self.index.word.eq(word + Mux(half, words, 0)),
                     self.index.complete.eq((self.index.slot == self.array.slots - 1) | last_slot),
                     self.fault.eq(self.product & (word >= words))]
        with m.If(self.product):
            m.d.sync += word.eq(word + 1)
            with m.If(nest.last.row):
                m.d.sync += [self.index.slot.eq(Mux(self.index.complete, 0, self.index.slot + 1)), word.eq(tile)]
                with m.If(self.index.complete):
                    m.d.sync += [word.eq(word + 1), tile.eq(word + 1)]
                with m.If(last_slot):
                    m.d.sync += [word.eq(0), tile.eq(0), half.eq(~half & ~nest.last.block)]

"""Receiver of layer descriptors."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .signals import bits

__all__ = ["Descriptor", "row_tiles", "settings", "slots"]

WORDS = 8


def row_tiles(array: Array) -> int:
    """Most row tiles of a layer."""
    return min(-(-array.codebooks // array.rows), array.index_words)


def slots(array: Array) -> int:
    """Activation beats of a full index word."""
    return -(-array.rows // array.encoders)


def settings(array: Array) -> wiring.Signature:
    """What the components know of the running layer. Names in ``last_`` are those of the last, ragged, tile."""
    return wiring.Signature({
        "blocks": Out(32),                        # less one, as all counts here
        "block": Out(bits(array.block_rows)),     # activation rows of a full block
        "last_block": Out(bits(array.block_rows)),
        "tiles": Out(bits(row_tiles(array))),
        "last_row": Out(bits(array.rows)),        # array rows
        "last_slot": Out(bits(slots(array))),     # beats of an index word
        "row_mask": Out(array.rows),              # array rows, one bit each
        "columns": Out(16),                       # column tiles
        "column_mask": Out(array.columns),
        "entries": Out(bits(array.entries)),
        "entry_mask": Out(array.entries),
        "low": Out(signed(8)),
        "high": Out(signed(8))})


class Descriptor(wiring.Component):
    """Takes eight words, then none until the layer is ``done``.

    The settings are stable from one cycle after the eighth word until the layer is done.

    Members
    -------
    i : descriptor words.
    start : the eighth word is taken in this cycle.
    done : the layer's last output beat leaves in this cycle.
    settings : what the words say.
    """

    i: stream.Interface
    start: Signal
    done: Signal
    settings: wiring.PureInterface

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"i": In(stream.Signature(32)), "start": Out(1), "done": In(1),
                          "settings": Out(settings(array))})

    def elaborate(self, platform):
        m = Module()
        layer, word, data = self.settings, Signal(range(WORDS)), self.i.payload
        busy, last_column = Signal(), Signal(bits(self.array.columns))
        taken = self.i.valid & self.i.ready
        m.d.comb += [self.i.ready.eq(~busy), self.start.eq(taken & (word == WORDS - 1))]
        with m.If(taken):
            m.d.sync += word.eq(word + 1)
        with m.If(self.start | self.done):
            m.d.sync += busy.eq(self.start)
        fields = {0: [layer.blocks.eq(data)],
                  1: [layer.block.eq(data - 1)],
                  2: [layer.last_block.eq(data - 1)],
                  3: [layer.tiles.eq(data[:16]), layer.last_row.eq(data[16:] - 1)],
                  4: [layer.columns.eq(data[:16]), last_column.eq(data[16:] - 1)],
                  5: [layer.entries.eq(data - 1)],
                  6: [layer.low.eq(data[:8]), layer.high.eq(data[8:16])]}
        for number, captures in fields.items():
            with m.If(taken & (word == number)):
                m.d.sync += captures
        full_slots = range(1, slots(self.array))  # slots that the last tile may lack
        m.d.sync += [
            layer.last_slot.eq(sum(layer.last_row >= slot * self.array.encoders for slot in full_slots)),
            *(bit.eq(layer.last_row >= row) for row, bit in enumerate(layer.row_mask)),
            *(bit.eq(last_column >= column) for column, bit in enumerate(layer.column_mask)),
            *(bit.eq(layer.entries >= entry) for entry, bit in enumerate(layer.entry_mask))]
        return m

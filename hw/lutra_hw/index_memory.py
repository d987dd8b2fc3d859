"""Memory of indices (or of activations), one word for each row of a tile."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .engines import symbol_width
from .signals import bits

__all__ = ["IndexMemory"]


class IndexMemory(wiring.Component):
    """Two halves of ``index_words`` words of ``rows`` symbols.

    A word written in one cycle can be read in the next; ``data`` comes one cycle after ``read``.

    Members
    -------
    write, write_word, slot, symbols : write of ``encoders`` symbols as beat ``slot`` of a word.
    read, read_word : read of a word.
    data : its symbols, row 0 lowest.
    """

    write: Signal
    write_word: Signal
    slot: Signal
    symbols: Signal
    read: Signal
    read_word: Signal
    data: Signal

    def __init__(self, array: Array):
        self.array = array
        word = bits(2 * array.index_words)
        super().__init__({
            "write": In(1), "write_word": In(word), "slot": In(bits(array.slots)),
            "symbols": In(symbol_width(array) * array.encoders),
            "read": In(1), "read_word": In(word), "data": Out(symbol_width(array) * array.rows)})

    def elaborate(self, platform):
        m = Module()
        beat, beats = len(self.symbols), self.array.slots
        m.submodules.memory = memory = Memory(shape=beat * beats, depth=2 * self.array.index_words, init=[])
        write = memory.write_port(granularity=beat)
        read = memory.read_port()
        m.d.comb += [write.addr.eq(self.write_word), write.data.eq(self.symbols.replicate(beats)),
                     write.en.eq(self.write << self.slot),
                     read.addr.eq(self.read_word), read.en.eq(self.read), self.data.eq(read.data)]
        return m

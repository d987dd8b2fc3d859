"""Memory of the tables of levels, a level in each word."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .commands import codebook_pieces, codebook_write
from .engines import engine_of

__all__ = ["LevelMemory"]


class LevelMemory(wiring.Component):
    """``codebook_words`` words of ``weight_levels`` bytes; ``data`` comes one cycle after ``read``.

    Members
    -------
    write : write of 32 bits of a memory word.
    read, address : read of a word.
    data : one level's entries for the codes of weights, byte 0 for the code 0 modulo their number.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"write": In(codebook_write()), "read": In(1), "address": In(32),
                          "data": Out(8 * engine_of(array).codebook(array))})

    def elaborate(self, platform):
        m = Module()
        pieces = codebook_pieces(self.array)
        m.submodules.memory = memory = Memory(shape=32 * pieces, depth=self.array.codebook_words, init=[])
        write, read = memory.write_port(granularity=32), memory.read_port()
        m.d.comb += [write.addr.eq(self.write.address), write.data.eq(self.write.data.replicate(pieces)),
                     write.en.eq(self.write.en << self.write.piece),
                     read.addr.eq(self.address), read.en.eq(self.read), self.data.eq(read.data)]
        return m

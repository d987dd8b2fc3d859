"""Memory of table beats that stay on the chip."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .commands import memory_write
from .engines import beat_width

__all__ = ["TableMemory"]


class TableMemory(wiring.Component):
    """``table_words`` words of a beat each; ``data`` comes one cycle after ``read``.

    Members
    -------
    write : write of a word.
    read, address : read of one.
    data : what was read.
    """

    def __init__(self, array: Array):
        self.array = array
        width = beat_width(array)
        super().__init__({"write": In(memory_write(width)), "read": In(1), "address": In(32), "data": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=len(self.data), depth=self.array.table_words, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [write.en.eq(self.write.en), write.addr.eq(self.write.address), write.data.eq(self.write.data),
                     read.en.eq(self.read), read.addr.eq(self.address), self.data.eq(read.data)]
        return m

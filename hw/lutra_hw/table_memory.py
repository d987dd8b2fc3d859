"""Memory of table beats that stay on the chip."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .commands import memory_write
from .engines import beat_width, symbol_width

__all__ = ["TableMemory"]


class TableMemory(wiring.Component):
    """``table_words`` words of a beat each; ``data`` comes one cycle after ``read``.

    In a machine that gathers, each of the ``fill`` array rows has a bank and an address of its own.

    Members
    -------
    write : write of a word.
    read, address : read of one.
    offsets : added to the address in the bank of each row, row 0 lowest; only in a machine that gathers.
    data : what was read.
    """

    def __init__(self, array: Array):
        self.array = array
        width = beat_width(array)
        offsets = {"offsets": In(array.fill * symbol_width(array))} if array.gather else {}
        super().__init__({"write": In(memory_write(width)), "read": In(1), "address": In(32), "data": Out(width),
                          **offsets})

    def elaborate(self, platform):
        m = Module()
        array, banks = self.array, self.array.fill if self.array.gather else 1
        width = len(self.data) // banks
        for bank in range(banks):
            m.submodules[f"memory_{bank}"] = memory = Memory(shape=width, depth=array.table_words, init=[])
            write, read = memory.write_port(), memory.read_port()
            offset = self.offsets.word_select(bank, symbol_width(array)) if array.gather else 0
            m.d.comb += [write.en.eq(self.write.en), write.addr.eq(self.write.address),
                         write.data.eq(self.write.data.word_select(bank, width)), read.en.eq(self.read),
                         read.addr.eq(self.address + offset), self.data.word_select(bank, width).eq(read.data)]
        return m

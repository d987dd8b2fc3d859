"""One number for each activation row of a block: a running sum or maximum."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .signals import bits, delay

__all__ = ["RowMemory"]


class RowMemory(wiring.Component):
    """Combines a row's number with what comes, or gives it as it is.

    Latency is 1 cycle from ``valid`` to ``o``, throughput one row in a cycle, the same row again included.

    Parameters
    ----------
    width : bits of a number.

    Members
    -------
    valid, row : a row; in the next cycle ``o`` is its number.
    write, first, maximum : what comes is taken in; it is the row's first (the old number is ignored); the larger one
        is kept, not the sum.
    i : what comes, one cycle after ``valid``.
    o : the number, with what came.
    """

    def __init__(self, array: Array, width: int):
        self.array, self.width = array, width
        super().__init__({"valid": In(1), "row": In(bits(array.block_rows)), "write": In(1), "first": In(1),
                          "maximum": In(1), "i": In(width), "o": Out(width)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.width, depth=self.array.block_rows, init=[])
        port = memory.write_port()
        read = memory.read_port(transparent_for=(port,))
        valid = delay(m, self.valid & self.write, 1, reset=True)
        row, write, first = (delay(m, value, 1) for value in (self.row, self.write, self.first))
        old, new, merged = read.data.as_signed(), self.i.as_signed(), Signal(self.width)
        m.d.comb += [
            read.addr.eq(self.row), read.en.eq(self.valid), merged.eq(old + new),
            port.addr.eq(row), port.en.eq(valid), port.data.eq(self.o), self.o.eq(Mux(write, merged, old))]
        with m.If(self.maximum):
            m.d.comb += merged.eq(Mux(new > old, new, old))
        with m.If(first):
            m.d.comb += merged.eq(new)
        return m

"""The sum of an activation row, which the zero points of the columns multiply."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .engines import lane_width
from .finisher import correction_width, parameter_byte
from .loader import parameter_write
from .signals import bits, delay

__all__ = ["SumLane"]

ZERO = 7  # byte of a column's parameters


class SumLane(wiring.Component):
    """Adds a row tile's sum of activations to those of the tiles before, and multiplies the last tile's total.

    Latency is 3 cycles from ``i`` to ``o`` (total, product, and one that lets a row's last plane come after its first);
    throughput one activation row in a cycle, the same row again included.

    Members
    -------
    load : write of parameter bytes of every column.
    valid, row, first, last, bank : what comes at ``i`` in the next cycle: activation row of the block; whether its row
        tile is the layer's first or last; bank of its parameters.
    i : the sum of a row tile.
    o : products of the total and every column's zero point, signed, column 0 lowest; they stay until the next.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"load": In(parameter_write(array)), "valid": In(1), "row": In(bits(array.block_rows)),
                          "first": In(1), "last": In(1), "bank": In(1), "i": In(signed(lane_width(array, array.rows))),
                          "o": Out(correction_width(array) * array.columns)})

    def elaborate(self, platform):
        m = Module()
        array, width = self.array, lane_width(self.array, self.array.codebooks)
        m.submodules.memory = memory = Memory(shape=signed(width), depth=array.block_rows, init=[])
        write = memory.write_port()
        read = memory.read_port(transparent_for=(write,))
        valid = delay(m, self.valid, 1, reset=True)
        row, first, last = (delay(m, value, 1) for value in (self.row, self.first, self.last))
        total, kept = Signal(signed(width)), Signal(signed(width), reset_less=True)
        m.d.comb += [read.addr.eq(self.row), read.en.eq(self.valid & ~self.first), write.addr.eq(row),
                     write.data.eq(total), write.en.eq(valid & ~last), total.eq(Mux(first, 0, read.data) + self.i)]
        with m.If(valid & last):
            m.d.sync += kept.eq(total)
        zeros = parameter_byte(m, array, self.load, ZERO, delay(m, self.bank, 2))
        done = [delay(m, valid & last, cycles, reset=True) for cycles in (1, 2)]
        for column in range(array.columns):
            product, out = (Signal(signed(correction_width(array)), name=f"{name}_{column}", reset_less=True)
                            for name in ("product", "out"))
            with m.If(done[0]):
                m.d.sync += product.eq(kept * zeros.word_select(column, 8).as_signed())
            with m.If(done[1]):
                m.d.sync += out.eq(product)
            m.d.comb += self.o.word_select(column, correction_width(array)).eq(out)
        return m

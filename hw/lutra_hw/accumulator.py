"""Accumulators: one for each column and activation row of a block."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .engines import sum_width, tree_width
from .signals import bits, chain, delay

__all__ = ["Accumulator", "accumulator_width", "pool_width"]


def accumulator_width(array: Array) -> int:
    """Bits that hold the sum over any layer's codebooks or over a window."""
    return max(sum_width(array, array.codebooks), pool_width(array))


def pool_width(array: Array) -> int:
    """Bits of a pool's sum (or maximum) over the lanes."""
    return 8 + (array.pool_lanes - 1).bit_length()


class Accumulator(wiring.Component):
    """Adds a row tile's sums to those of the tiles before; the last tile's totals go out.

    A pool's parts are added (or their maxima compared) in the same way, in the columns of one word.

    Latency is 1 cycle from ``i`` to ``o``, throughput one activation row in a cycle, the same row again included:
    an old sum that is still on its way to the memory is taken from there.

    Members
    -------
    valid, row, first, last : what comes at ``i`` two cycles later: activation row of the block; whether its row tile
        is the layer's first (the old sums are ignored) or last (the totals are not kept).
    i, pooled : sums of a row tile, of a pool's part, signed, column 0 lowest.
    pool, maximum : ``pooled`` is taken; the largest is kept.
    o : totals, three cycles after their ``valid``.
    """

    valid: Signal
    row: Signal
    first: Signal
    last: Signal
    i: Signal
    pooled: Signal
    pool: Signal
    maximum: Signal
    o: Signal

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"valid": In(1), "row": In(bits(array.block_rows)), "first": In(1), "last": In(1),
                          "i": In(tree_width(array) * array.columns), "pooled": In(pool_width(array) * array.word),
                          "pool": In(1), "maximum": In(1),
                          "o": Out(accumulator_width(array) * array.columns)})

    def elaborate(self, platform):
        m = Module()
        width = accumulator_width(self.array)
        m.submodules.memory = memory = Memory(shape=len(self.o), depth=self.array.block_rows, init=[])
        write = memory.write_port()
        read = memory.read_port()
        valid, row = chain(m, self.valid, 3, reset=True), chain(m, self.row, 3)
        first, last = (delay(m, value, 2) for value in (self.first, self.last))
        total = Signal.like(self.o)
        out, kept = (Signal.like(self.o, name=name, reset_less=True) for name in ("out", "kept"))
        near = delay(m, valid[2] & (row[2] == row[1]), 1)  # the row before this one is the same: its total is ``out``
        m.d.comb += [read.addr.eq(self.row), read.en.eq(self.valid & ~self.first),
                     write.addr.eq(row[2]), write.data.eq(total), write.en.eq(valid[2] & ~last), self.o.eq(out)]
        m.d.sync += kept.eq(Mux(valid[3] & (row[3] == row[1]), out, read.data))
        for column in range(self.array.columns):
            old = Signal(signed(width), name=f"old_{column}")
            new = Signal(signed(width), name=f"new_{column}")
            m.d.comb += [old.eq(Mux(near, out, kept).word_select(column, width)), new.eq(self._coming(column)),
                         total.word_select(column, width).eq(
                             Mux(first | self.maximum & (new > old), new, Mux(self.maximum, old, old + new)))]
        with m.If(valid[2]):
            m.d.sync += out.eq(total)
        return m

    def _coming(self, column: int) -> Value:
        """What a column adds: only the first ``word`` columns pool."""
        new = self.i.word_select(column, tree_width(self.array)).as_signed()
        if column >= self.array.word:
            return new
        return Mux(self.pool, self.pooled.word_select(column, pool_width(self.array)).as_signed(), new)

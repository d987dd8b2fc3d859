"""Sum or maximum over the words of a window."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .accumulator import pool_width

__all__ = ["Pool"]


class Pool(wiring.Component):
    """Sum (or maximum) over the first ``pool_lanes`` lanes, for each byte of a word.

    Latency is 2 cycles (one after each half of the tree's levels), throughput one window in a cycle.

    Members
    -------
    enable : a window is at the first stage (bit 0), at the second (bit 1).
    maximum : the largest, not the sum.
    words : signed bytes of the lanes, lane 0 lowest.
    o : ``pool_width`` signed bits for each byte of a word.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"enable": In(2), "maximum": In(1), "words": In(8 * array.word * array.pool_lanes),
                          "o": Out(pool_width(array) * array.word)})

    def elaborate(self, platform):
        m = Module()
        array, levels = self.array, (self.array.pool_lanes - 1).bit_length()
        for byte in range(array.word):
            values: list[Value] = [self.words.word_select(lane * array.word + byte, 8).as_signed()
                                   for lane in range(array.pool_lanes)]
            for stage, count in enumerate((levels - levels // 2, levels // 2)):
                for _ in range(count):
                    pairs = [self._pair(m, a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
                    values = pairs + values[len(pairs) * 2:]
                registers: list[Value] = [Signal.like(value, name=f"stage_{stage}", reset_less=True)
                                          for value in values]
                with m.If(self.enable[stage]):
                    m.d.sync += [register.eq(value) for register, value in zip(registers, values, strict=True)]
                values = registers
            m.d.comb += self.o.word_select(byte, pool_width(array)).eq(values[0])
        return m

    def _pair(self, m: Module, a: Value, b: Value) -> Signal:
        merged = Signal(signed(max(len(a), len(b)) + 1), name="pair")
        with m.If(self.maximum):
            m.d.comb += merged.eq(Mux(a < b, b, a))
        with m.Else():
            m.d.comb += merged.eq(a + b)
        return merged

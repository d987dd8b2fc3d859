"""Pipelined sum of signed values."""

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["AdderTree"]


class AdderTree(wiring.Component):
    """Sum of ``inputs`` signed values, exact.

    Latency is ``stages = ceil(ceil(log2(inputs)) / 2)`` cycles: a register after every second level of adders.

    Members
    -------
    enable : values are at each stage, one bit each (at least one bit).
    i : the values.
    o : their sum.
    """

    enable: Signal
    i: data.View
    o: Signal

    def __init__(self, *, inputs: int, width: int):
        self.levels = (inputs - 1).bit_length()
        self.inputs = inputs
        super().__init__({"enable": In(max(1, -(-self.levels // 2))), "i": In(data.ArrayLayout(signed(width), inputs)),
                          "o": Out(signed(width + self.levels))})

    def elaborate(self, platform):
        m = Module()
        values: list[Value] = [self.i[n] for n in range(self.inputs)]
        for level in range(self.levels):
            registered = level % 2 == 1 or level == self.levels - 1
            values = self._level(m, values, self.enable[level // 2] if registered else None)
        m.d.comb += self.o.eq(values[0])
        return m

    @staticmethod
    def _level(m: Module, values: list[Value], enable: Value | None) -> list[Value]:
        """Sums of neighbours, in registers where there is an ``enable``."""
        totals = [a + b for a, b in zip(values[::2], values[1::2], strict=False)] + values[len(values) // 2 * 2:]
        sums: list[Value] = [Signal.like(total, name="sum", reset_less=True) for total in totals]
        if enable is None:
            m.d.comb += [s.eq(total) for s, total in zip(sums, totals, strict=True)]
        else:
            with m.If(enable):
                m.d.sync += [s.eq(total) for s, total in zip(sums, totals, strict=True)]
        return sums

"""Piecewise linear functions: comparators, one multiplier, one adder, one shift (NN-LUT, Yu et al., DAC 2022)."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FUNCTION", "FUNCTION_STAGES", "SEGMENTS", "PiecewiseUnit"]

SEGMENTS = 16
FUNCTION_STAGES = 5  # compare, select, multiply, add, shift
WIDTH = 17  # of a result: one bit more than any user's clamp
SEGMENT = data.StructLayout({"slope": signed(16), "start": signed(16), "intercept": signed(32)})
FUNCTION = data.StructLayout({"segments": data.ArrayLayout(SEGMENT, SEGMENTS), "shift": 32})  # 33 words of 32 bits


class PiecewiseUnit(wiring.Component):
    """``(slope * i + intercept) >> shift`` of the segment that ``i`` lies in, saturated to 17 bits.

    Segment ``k > 0`` begins at its ``start``, which belongs to it; starts must not fall. Latency is
    ``FUNCTION_STAGES`` = 5 cycles (comparators; slope and intercept; multiplier; adder; shift), throughput one value in
    a cycle.

    Members
    -------
    function : the function; it must not change while a value is at one of the first stages.
    enable : a value is at each stage, one bit each.
    i : the value.
    o : its result, floored; results beyond 17 bits become the largest or the smallest.
    """

    function: data.View
    enable: Signal
    i: Signal
    o: Signal

    def __init__(self) -> None:
        super().__init__({"function": In(FUNCTION), "enable": In(FUNCTION_STAGES), "i": In(signed(16)),
                          "o": Out(signed(WIDTH))})

    def elaborate(self, platform):
        m = Module()
        segments = [self.function.segments[number] for number in range(SEGMENTS)]
        reached = Signal(SEGMENTS - 1, reset_less=True)  # starts that are not above the value
        compared, selected = (Signal(signed(16), name=name, reset_less=True) for name in ("compared", "selected"))
        slope = Signal(signed(16), reset_less=True)
        intercept, kept = (Signal(signed(32), name=name, reset_less=True) for name in ("intercept", "kept"))
        product = Signal(signed(32), reset_less=True)
        total = Signal(signed(33), reset_less=True)
        chosen = Cat(Const(1, 1), reached) & ~Cat(reached, Const(0, 1))  # the last segment reached
        with m.If(self.enable[0]):
            m.d.sync += [reached.eq(Cat(segment.start <= self.i for segment in segments[1:])), compared.eq(self.i)]
        with m.If(self.enable[1]):
            m.d.sync += [slope.eq(self._one_of(chosen, [segment.slope for segment in segments])),
                         intercept.eq(self._one_of(chosen, [segment.intercept for segment in segments])),
                         selected.eq(compared)]
        with m.If(self.enable[2]):
            m.d.sync += [product.eq(slope * selected), kept.eq(intercept)]
        with m.If(self.enable[3]):
            m.d.sync += total.eq(product + kept)
        with m.If(self.enable[4]):
            m.d.sync += self.o.eq(self._saturated(m, total))
        return m

    @staticmethod
    def _one_of(chosen: Value, values: list[Value]) -> Value:
        return reduce(or_, (Mux(bit, value.as_unsigned(), 0) for bit, value in zip(chosen, values, strict=True)))

    def _saturated(self, m: Module, total: Signal) -> Value:
        shifted = Signal.like(total, name="shifted")
        m.d.comb += shifted.eq(total >> self.function.shift[:5])
        high = shifted[WIDTH - 1:]
        return Mux(high.all() | ~high.any(), shifted[:WIDTH], Mux(shifted[-1], 1 << WIDTH - 1, (1 << WIDTH - 1) - 1))

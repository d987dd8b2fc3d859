"""Leading-one normaliser: shifts a number until its highest bit is one."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Normaliser"]


class Normaliser(wiring.Component):
    """``o = i << zeros``, so that its highest bit is one; a number 0 counts as 1.

    Latency is ``stages = ceil(bits of zeros / 2)`` cycles (a binary search, two steps in each), throughput one number
    in a cycle.

    Parameters
    ----------
    width : bits of the number, at least 2.

    Members
    -------
    enable : a number is at each stage, one bit each.
    i : the number.
    o, zeros : the number without its leading zeros, and how many there were.
    """

    def __init__(self, *, width: int):
        self.width = width
        self.steps = (width - 1).bit_length()
        self.stages = -(-self.steps // 2)
        super().__init__({"enable": In(self.stages), "i": In(width), "o": Out(width), "zeros": Out(self.steps)})

    def elaborate(self, platform):
        m = Module()
        value, zeros = Signal(self.width, name="one_at_least"), Signal(self.steps, name="none")
        m.d.comb += value.eq(Mux(self.i == 0, 1, self.i))
        for stage in range(self.stages):
            for step in range(self.steps - 1 - 2 * stage, max(self.steps - 3 - 2 * stage, -1), -1):
                value, zeros = self._step(m, value, zeros, step)
            held = [Signal.like(signal, name=f"stage_{stage}", reset_less=True) for signal in (value, zeros)]
            with m.If(self.enable[stage]):
                m.d.sync += [register.eq(signal) for register, signal in zip(held, (value, zeros), strict=True)]
            value, zeros = held
        m.d.comb += [self.o.eq(value), self.zeros.eq(zeros)]
        return m

    def _step(self, m: Module, value: Signal, zeros: Signal, step: int) -> tuple[Signal, Signal]:
        """Takes off ``2 ** step`` leading zeros where there are so many."""
        size = 1 << step
        shifted, counted = Signal.like(value, name=f"shifted_{step}"), Signal.like(zeros, name=f"counted_{step}")
        empty = Signal(name=f"empty_{step}")
        m.d.comb += [empty.eq(~value[self.width - size:].any()), shifted.eq(Mux(empty, value << size, value)),
                     counted.eq(zeros | empty << step)]
        return shifted, counted

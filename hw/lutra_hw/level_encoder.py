"""The encoder of activation levels."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring

from lutra_model.params import Array

from .engines import encoder_signature
from .signals import delay

__all__ = ["LevelEncoder"]


class LevelEncoder(wiring.Component):
    """Code of an activation's level: ``clamp(data, -zero, last - zero)``, modulo ``last + 1`` levels.

    The code is 0 where the level is ``zero``. Latency is ``Pipeline.encode`` = 2 cycles (clamp, code), throughput one
    activation in a cycle.

    Members
    -------
    vector, data : an activation.
    zero, last : level of the activation 0; the last level. Both are of the operation.
    o : the code.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(encoder_signature(array))

    def elaborate(self, platform):
        m = Module()
        value, level = self.data.as_signed(), Signal(signed(8), reset_less=True)
        low, high = Signal(signed(8)), Signal(signed(8))
        m.d.comb += [low.eq(-self.zero), high.eq(self.last - self.zero)]
        with m.If(self.vector):
            m.d.sync += level.eq(Mux(value < low, low, Mux(value > high, high, value)))
        with m.If(delay(m, self.vector, 1, reset=True)):
            m.d.sync += self.o.eq(Mux(level < 0, level + self.last + 1, level))
        return m

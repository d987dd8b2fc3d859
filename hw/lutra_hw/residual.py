"""The add stage: a result and a residual, each rescaled."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .settings import settings
from .shift import coarse, fine, window
from .signals import chain

__all__ = ["AddStage"]

BITS = 10  # of a result before its rounding and clamp: they leave int8 when the sum does


class AddStage(wiring.Component):
    """``clamp((i * own_factor + residual * residual_factor + 2^(add_shift-1)) >> add_shift, add_low, add_high)``.

    Without ``settings.residual`` the outputs are the inputs. Latency is ``Pipeline.add`` = 5 cycles (products; sum; two
    steps of the shift; rounding and clamp), throughput one row in a cycle.

    Members
    -------
    valid, i, residual : INT8 values, column 0 lowest.
    o : INT8 outputs.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"settings": In(settings(array)), "valid": In(1), "i": In(8 * array.columns),
                          "residual": In(8 * array.columns), "o": Out(8 * array.columns)})

    def elaborate(self, platform):
        m = Module()
        layer = self.settings
        valid = chain(m, self.valid, 4, reset=True)
        places = Signal(6, reset_less=True)  # all but the last bit of the shift; without a residual none
        m.d.sync += places.eq(Mux(layer.residual, layer.add_shift - 1, 0))
        for column in range(self.array.columns):
            own, other = (Signal(signed(25), name=f"{name}_{column}", reset_less=True) for name in ("own", "other"))
            total = Signal(signed(26), name=f"total_{column}", reset_less=True)
            between = Signal(window(BITS), name=f"window_{column}", reset_less=True)
            doubled = Signal(signed(BITS), name=f"doubled_{column}", reset_less=True)
            out = Signal(8, name=f"out_{column}", reset_less=True)
            y, r = (word.word_select(column, 8).as_signed() for word in (self.i, self.residual))
            with m.If(valid[0]):
                m.d.sync += [own.eq(Mux(layer.residual, y * layer.own_factor, y)),
                             other.eq(Mux(layer.residual, r * layer.residual_factor, 0))]
            with m.If(valid[1]):
                m.d.sync += total.eq(own + other)
            with m.If(valid[2]):
                coarse(m, total, places, between)
            with m.If(valid[3]):
                m.d.sync += doubled.eq(fine(m, between, places, BITS))
            with m.If(valid[4]):
                m.d.sync += out.eq(Mux(layer.residual, self._rounded(m, doubled), doubled[:8]))
            m.d.comb += self.o.word_select(column, 8).eq(out)
        return m

    def _rounded(self, m: Module, doubled: Signal) -> Value:
        """Half up: add one, then the last bit of the shift; then the clamp."""
        rounded, low, high = Signal(signed(10), name="rounded"), self.settings.add_low, self.settings.add_high
        m.d.comb += rounded.eq((doubled + 1) >> 1)
        return Mux(rounded < low, low, Mux(rounded > high, high, rounded[:8].as_signed()))

"""The add stage: a result and a residual, each rescaled."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .settings import settings
from .signals import delay

__all__ = ["AddStage"]


class AddStage(wiring.Component):
    """``clamp((i * own_factor + residual * residual_factor + 2^(add_shift-1)) >> add_shift, add_low, add_high)``.

    Without ``settings.residual`` the outputs are the inputs. Latency is ``Pipeline.add`` = 3 cycles (products; sum and
    shift; rounding and clamp), throughput one row in a cycle.

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
        valid = [delay(m, self.valid, stage, reset=True) for stage in range(3)]
        for column in range(self.array.columns):
            own, other = (Signal(signed(25), name=f"{name}_{column}", reset_less=True) for name in ("own", "other"))
            doubled = Signal(signed(10), name=f"doubled_{column}", reset_less=True)
            out = Signal(8, name=f"out_{column}", reset_less=True)
            y, r = (word.word_select(column, 8).as_signed() for word in (self.i, self.residual))
            with m.If(valid[0]):
                m.d.sync += [own.eq(Mux(layer.residual, y * layer.own_factor, y)),
                             other.eq(Mux(layer.residual, r * layer.residual_factor, 0))]
            with m.If(valid[1]):
                m.d.sync += doubled.eq(Mux(layer.residual, self._shifted(m, own + other), own[:10].as_signed()))
            with m.If(valid[2]):
                m.d.sync += out.eq(Mux(layer.residual, self._rounded(m, doubled), doubled[:8]))
            m.d.comb += self.o.word_select(column, 8).eq(out)
        return m

    def _shifted(self, m: Module, total: Value) -> Value:
        """All but the last bit of the shift, as ten bits that leave int8 when the sum does."""
        shifted, places = Signal(total.shape(), name="shifted"), Signal(6, name="places")
        m.d.comb += [places.eq(self.settings.add_shift - 1), shifted.eq(total >> places)]
        high = shifted[9:]
        return Mux(high.all() | ~high.any(), shifted[:10], Mux(high[-1], 0x200, 0x1FF)).as_signed()

    def _rounded(self, m: Module, doubled: Signal) -> Value:
        """Half up: add one, then the last bit of the shift; then the clamp."""
        rounded, low, high = Signal(signed(10), name="rounded"), self.settings.add_low, self.settings.add_high
        m.d.comb += rounded.eq((doubled + 1) >> 1)
        return Mux(rounded < low, low, Mux(rounded > high, high, rounded[:8].as_signed()))

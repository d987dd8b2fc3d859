"""The finisher: bias, rescale, round half up, clamp."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from lutra_model.params import Array
from lutra_model.schedule import PARAMETER_BEATS

from .accumulator import accumulator_width
from .loader import parameter_write
from .signals import delay

__all__ = ["Finisher"]


class Finisher(wiring.Component):
    """``clamp(((i + bias) * multiplier + 2^(shift-1)) >> shift, low, high)`` for each column.

    Latency is ``Pipeline.finish`` = 3 cycles (bias; multiplier; shift and clamp), throughput one row in a cycle.

    Members
    -------
    load : write of one parameter byte of every column.
    valid, bank, i : totals, signed, column 0 lowest, and the bank of their parameters.
    low, high : bounds of the clamp.
    o : INT8 outputs.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"load": In(parameter_write(array)), "valid": In(1), "bank": In(1),
                          "i": In(accumulator_width(array) * array.columns),
                          "low": In(signed(8)), "high": In(signed(8)), "o": Out(8 * array.columns)})

    def elaborate(self, platform):
        m = Module()
        banks = [self.bank, delay(m, self.bank, 1), delay(m, self.bank, 2)]
        valid = [self.valid, delay(m, self.valid, 1, reset=True), delay(m, self.valid, 2, reset=True)]
        loaded = [self._parameter(m, byte, banks[stage]) for byte, stage in enumerate([0, 0, 0, 0, 1, 1, 2])]
        width = accumulator_width(self.array)
        for column in range(self.array.columns):
            parameters = [byte.word_select(column, 8) for byte in loaded]
            bias, multiplier = Cat(parameters[:4]).as_signed(), Cat(parameters[4:6])
            biased = Signal(signed(max(width, 32) + 1), name=f"biased_{column}", reset_less=True)
            product = Signal(signed(len(biased) + 16), name=f"product_{column}", reset_less=True)
            with m.If(valid[0]):
                m.d.sync += biased.eq(self.i.word_select(column, width).as_signed() + bias)
            with m.If(valid[1]):
                m.d.sync += product.eq(biased * multiplier)
            out = Signal(8, name=f"out_{column}", reset_less=True)
            m.d.comb += self.o.word_select(column, 8).eq(out)
            with m.If(valid[2]):
                m.d.sync += out.eq(self._rescale(m, product, parameters[6][:6], column))
        return m

    def _parameter(self, m: Module, byte: int, bank: Value) -> Value:
        """One byte of a parameter of every column, in two banks."""
        assert byte < PARAMETER_BEATS
        m.submodules[f"byte_{byte}"] = memory = Memory(shape=8 * self.array.columns, depth=2, init=[])
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        m.d.comb += [write.addr.eq(self.load.bank), write.data.eq(self.load.data),
                     write.en.eq(self.load.valid & (self.load.byte == byte)), read.addr.eq(bank)]
        return read.data

    def _rescale(self, m: Module, product: Signal, shift: Value, column: int) -> Value:
        """Half up: all but the last bit of the shift, into ten bits; then add one; then the last bit."""
        places = Signal(6, name=f"places_{column}")
        shifted = Signal.like(product, name=f"shifted_{column}")
        doubled = Signal(signed(10), name=f"doubled_{column}")  # beyond int8 after rounding, as `shifted` is
        rounded = Signal(signed(10), name=f"rounded_{column}")
        high = shifted[9:]
        m.d.comb += [places.eq(shift - 1), shifted.eq(product >> places),
                     doubled.eq(Mux(high.all() | ~high.any(), shifted[:10], Mux(high[-1], 0x200, 0x1FF))),
                     rounded.eq((doubled + 1) >> 1)]
        return Mux(rounded < self.low, self.low, Mux(rounded > self.high, self.high, rounded[:8].as_signed()))

"""The finisher: bias, rescale, round half up, clamp."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .accumulator import accumulator_width
from .engines import beat_width
from .loader import parameter_write
from .signals import delay

__all__ = ["Finisher"]


class Finisher(wiring.Component):
    """``clamp(((i + bias) * multiplier + 2^(shift-1)) >> shift, low, high)`` for each column.

    Latency is ``Pipeline.finish`` = 4 cycles (bias; multiplier; shift; rounding and clamp), throughput one row in a
    cycle.

    Members
    -------
    load : write of parameter bytes of every column.
    pool, multiplier, shift : a pool's parameters are those of its operation, without a bias.
    valid, bank, i : totals, signed, column 0 lowest, and the bank of their parameters.
    low, high : bounds of the clamp.
    o : INT8 outputs.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({**self._ports(), "valid": In(1), "i": In(accumulator_width(array) * array.columns),
                          "pool": In(1), "multiplier": In(16), "shift": In(8),
                          "low": In(signed(8)), "high": In(signed(8)), "o": Out(8 * array.columns)})

    def _ports(self) -> dict[str, wiring.Member]:
        """Where the parameters come from."""
        return {"load": In(parameter_write(self.array)), "bank": In(1)}

    def elaborate(self, platform):
        m = Module()
        valid = [delay(m, self.valid, stage, reset=True) for stage in range(4)]
        bias = [self._parameter(m, byte) for byte in range(4)]
        multiplier = [self._parameter(m, byte) for byte in (4, 5)]
        shift = self._parameter(m, 6, later=1)
        width = accumulator_width(self.array)
        for column in range(self.array.columns):
            biased = Signal(signed(max(width, 32) + 1), name=f"biased_{column}", reset_less=True)
            factor = Signal(16, name=f"factor_{column}", reset_less=True)
            product = Signal(signed(len(biased) + 16), name=f"product_{column}", reset_less=True)
            places = Signal(6, name=f"places_{column}", reset_less=True)
            doubled = Signal(signed(10), name=f"doubled_{column}", reset_less=True)
            out = Signal(8, name=f"out_{column}", reset_less=True)
            total = self.i.word_select(column, width).as_signed()
            with m.If(valid[0]):
                own = [Cat(byte.word_select(column, 8) for byte in parameter) for parameter in (bias, multiplier)]
                m.d.sync += [biased.eq(total + Mux(self.pool, 0, own[0].as_signed())),
                             factor.eq(Mux(self.pool, self.multiplier, own[1]))]
            with m.If(valid[1]):
                m.d.sync += [product.eq(biased * factor),
                             places.eq(Mux(self.pool, self.shift, shift.word_select(column, 8)) - 1)]
            with m.If(valid[2]):
                m.d.sync += doubled.eq(self._shifted(m, product, places))
            with m.If(valid[3]):
                m.d.sync += out.eq(self._rounded(m, doubled))
            m.d.comb += self.o.word_select(column, 8).eq(out)
        return m

    def _parameter(self, m: Module, byte: int, later: int = 0) -> Value:
        """One byte of a parameter of every column, in two banks; for the row of so many cycles ago."""
        width = 8 * self.array.columns
        place = divmod(byte, beat_width(self.array) // width)
        m.submodules[f"byte_{byte}"] = memory = Memory(shape=width, depth=2, init=[])
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        m.d.comb += [write.addr.eq(self.load.bank), write.data.eq(self.load.data.word_select(place[1], width)),
                     write.en.eq(self.load.valid & (self.load.beat == place[0])),
                     read.addr.eq(delay(m, self.bank, later))]
        return read.data

    def _shifted(self, m: Module, product: Signal, places: Signal) -> Value:
        """All but the last bit of the shift, as ten bits that leave int8 when the product does."""
        shifted = Signal.like(product, name="shifted")
        m.d.comb += shifted.eq(product >> places)
        high = shifted[9:]
        return Mux(high.all() | ~high.any(), shifted[:10], Mux(high[-1], 0x200, 0x1FF))

    def _rounded(self, m: Module, doubled: Signal) -> Value:
        """Half up: add one, then the last bit of the shift; then the clamp."""
        rounded = Signal(signed(10), name="rounded")
        m.d.comb += rounded.eq((doubled + 1) >> 1)
        return Mux(rounded < self.low, self.low, Mux(rounded > self.high, self.high, rounded[:8].as_signed()))

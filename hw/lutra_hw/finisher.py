"""The finisher: bias, rescale, round half up, function, clamp."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .accumulator import accumulator_width
from .engines import beat_width, engine_of, lane_width
from .loader import parameter_write
from .piecewise import FUNCTION, FUNCTION_STAGES, PiecewiseUnit
from .row_unit import ROW_WIDTH
from .shift import coarse, fine, window
from .signals import chain, delay, held

SPLIT = 17  # bits of the lower of two factors that multipliers of 18 x 18 bits take

__all__ = ["Finisher", "correction_width", "finisher_width", "parameter_byte"]


def finisher_width(array: Array) -> int:
    """Bits of what comes to the finisher."""
    return max(accumulator_width(array), ROW_WIDTH if array.functions else 0)


def parameter_byte(m: Module, array: Array, load: wiring.PureInterface, byte: int, bank: Value) -> Value:
    """One byte of a parameter of every column, in two banks."""
    width = 8 * array.columns
    place = divmod(byte, beat_width(array) // width)
    m.submodules[f"byte_{byte}"] = memory = Memory(shape=width, depth=2, init=[])
    write = memory.write_port()
    read = memory.read_port(domain="comb")
    m.d.comb += [write.addr.eq(load.bank), write.data.eq(load.data.word_select(place[1], width)),
                 write.en.eq(load.valid & (load.beat == place[0])), read.addr.eq(bank)]
    return read.data


def correction_width(array: Array) -> int:
    """Bits of what a sum lane adds to a column's total; 0 where there is none."""
    return 8 + lane_width(array, array.codebooks) if engine_of(array).lane else 0


class Finisher(wiring.Component):
    """``clamp(((i + bias) * multiplier + 2^(shift-1)) >> shift, low, high)`` for each column.

    Latency is ``Pipeline.finish`` = 6 cycles (bias; partial products; product; two steps of the shift; rounding and
    clamp), throughput one row in a cycle. A machine with functions clamps to 16 bits there; a `PiecewiseUnit` for each
    column (or as many registers) and the clamp to ``low`` and ``high`` make it 12 cycles. Its multipliers have a sign,
    bit 7 of the shift's byte.

    Members
    -------
    load : write of parameter bytes of every column.
    pool, multiplier, shift : a pool's parameters are those of its operation, without a bias.
    valid, bank, i : totals, signed, column 0 lowest, and the bank of their parameters.
    correction : of an engine with a sum lane: what is added to the totals of the same cycle.
    low, high : bounds of the clamp.
    function, apply : of a machine with functions: the function of all columns; whether it is applied.
    o : INT8 outputs.
    """

    def __init__(self, array: Array):
        self.array = array
        wide = correction_width(array) * array.columns
        super().__init__({**self._ports(), "valid": In(1), "i": In(finisher_width(array) * array.columns),
                          "pool": In(1), "multiplier": In(16), "shift": In(8),
                          "low": In(signed(8)), "high": In(signed(8)), "o": Out(8 * array.columns),
                          **({"function": In(FUNCTION), "apply": In(1)} if array.functions else {}),
                          **({"correction": In(wide)} if wide else {})})

    def _ports(self) -> dict[str, wiring.Member]:
        """Where the parameters come from."""
        return {"load": In(parameter_write(self.array)), "bank": In(1)}

    def elaborate(self, platform):
        m = Module()
        array = self.array
        functions, width, correction = bool(array.functions), finisher_width(array), correction_width(array)
        valid = chain(m, self.valid, 5 + functions * (FUNCTION_STAGES + 1), reset=True)
        bias = [self._parameter(m, byte) for byte in range(4)]
        multiplier = [self._parameter(m, byte) for byte in (4, 5)]
        shift = self._parameter(m, 6, later=0 if functions else 1)
        for column in range(array.columns):
            biased = Signal(signed(max(width, correction + 1, 32) + 1), name=f"biased_{column}", reset_less=True)
            factor = Signal(signed(17) if functions else 16, name=f"factor_{column}", reset_less=True)
            low = Signal(signed(SPLIT + 17), name=f"low_{column}", reset_less=True)
            high = Signal(signed(len(biased) - SPLIT + 17), name=f"high_{column}", reset_less=True)
            product = Signal(signed(len(biased) + 16), name=f"product_{column}", reset_less=True)
            places = [Signal(6, name=f"places_{column}_{stage}", reset_less=True) for stage in range(3)]
            between = Signal(window(self._bits + 2), name=f"window_{column}", reset_less=True)
            doubled = Signal(signed(self._bits + 2), name=f"doubled_{column}", reset_less=True)
            total, own_shift = self.i.word_select(column, width).as_signed(), shift.word_select(column, 8)
            own = [Cat(byte.word_select(column, 8) for byte in parameter) for parameter in (bias, multiplier)]
            if correction:
                total += self.correction.word_select(column, correction).as_signed()
            if functions:
                own[1] = Mux(own_shift[7], -own[1], own[1])
                own_shift = held(m, valid[0], own_shift, f"own_shift_{column}")
            with m.If(valid[0]):
                m.d.sync += [biased.eq(total + Mux(self.pool, 0, own[0].as_signed())),
                             factor.eq(Mux(self.pool, self.multiplier, own[1]))]
            with m.If(valid[1]):
                m.d.sync += [low.eq(biased[:SPLIT] * factor), high.eq(biased[SPLIT:].as_signed() * factor),
                             places[0].eq(Mux(self.pool, self.shift, own_shift) - 1)]
            with m.If(valid[2]):
                m.d.sync += [product.eq(low + (high << SPLIT)), places[1].eq(places[0])]
            with m.If(valid[3]):
                coarse(m, product, places[1], between)
                m.d.sync += places[2].eq(places[1])
            with m.If(valid[4]):
                m.d.sync += doubled.eq(fine(m, between, places[2], self._bits + 2))
            out = self._out(m, column, valid, self._rounded(m, doubled))
            m.d.comb += self.o.word_select(column, 8).eq(out)
        return m

    @property
    def _bits(self) -> int:
        """Of a result before its function, if there is one, and the clamp."""
        return 16 if self.array.functions else 8

    def _out(self, m: Module, column: int, valid: list[Value], rounded: Signal) -> Signal:
        """The last stages of a column."""
        if not self.array.functions:
            return held(m, valid[5], self._clamped(rounded, self.low, self.high, 8), f"out_{column}")
        m.submodules[f"function_{column}"] = unit = PiecewiseUnit()
        plain = held(m, valid[5], self._clamped(rounded, -2**15, 2**15 - 1, 16), f"plain_{column}")
        m.d.comb += [unit.function.eq(self.function), unit.i.eq(plain),
                     unit.enable.eq(Mux(self.apply, Cat(valid[6:11]), 0))]
        chosen = Mux(self.apply, unit.o, delay(m, plain, FUNCTION_STAGES))
        return held(m, valid[11], self._clamped(chosen, self.low, self.high, 8), f"out_{column}")

    def _parameter(self, m: Module, byte: int, later: int = 0) -> Value:
        """One byte of a parameter of every column; for the row of so many cycles ago."""
        return parameter_byte(m, self.array, self.load, byte, delay(m, self.bank, later))

    def _rounded(self, m: Module, doubled: Signal) -> Signal:
        """Half up: add one, then the last bit of the shift."""
        rounded = Signal.like(doubled, name="rounded")
        m.d.comb += rounded.eq((doubled + 1) >> 1)
        return rounded

    @staticmethod
    def _clamped(value: Value, low: Value | int, high: Value | int, bits: int) -> Value:
        return Mux(value < low, low, Mux(value > high, high, value))[:bits].as_signed()

"""The factor of every activation row of a block: 1 / sum of a softmax, 1 / standard deviation of a norm."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .normaliser import Normaliser
from .piecewise import FUNCTION, FUNCTION_STAGES, PiecewiseUnit
from .signals import bits, chain, delay, held

__all__ = ["CHANNEL_BITS", "FACTOR_BITS", "SCALE_STAGES", "SUM_BITS", "TOTAL_BITS", "RowScale", "below"]

CHANNEL_BITS = 12  # of a number of channels, 1 to 2048
SUM_BITS = 19      # of a sum of so many bytes, signed
TOTAL_BITS = 27    # of a sum of so many squares or exponentials, with a sign that is never set
SPREAD_BITS = 37   # of channels * squares - sum ^ 2 + epsilon
FACTOR_BITS = 15   # of a factor
NORMALISE = 2      # stage of the normaliser: products, their difference before it
LOOK_UP = NORMALISE + 3 + 1  # stage of the piecewise unit: the normaliser's three, one that takes the leading bits
SCALE_STAGES = LOOK_UP + FUNCTION_STAGES  # until the factor is at its memory's port


def below(value: Value, limit: int) -> Value:
    """The value clamped to 0 .. ``2 ** limit - 1``."""
    return Mux(value < 0, 0, Mux(value[limit:].any(), (1 << limit) - 1, value[:limit]))


class RowScale(wiring.Component):
    """Makes a row's factor and shift of its totals, and keeps them.

    Softmax: with ``z`` the place of the leading one of the total, the factor is ``function(total / 2^z * 2^14)`` and
    the shift ``z``. Norm: with ``D = channels * total - sum^2 + epsilon``, ``z`` the place of its leading one and ``e``
    the even one of ``z`` and ``z - 1``, the factor is ``function(D / 2^e * 2^12)``, the shift ``e / 2 + 3``. Values are
    floored before and after, factors clamped to 15 bits; a total (or ``D``) of 0 counts as 1.

    A row put in is there for reads ``SCALE_STAGES + 1`` = 12 cycles later; throughput one row in a cycle.

    Members
    -------
    softmax, channels, epsilon, function : of the running operation.
    valid, row, total, sum : a row and its totals (``sum`` of a norm).
    read, read_row : a row is asked for.
    factor, shift : of that row, one cycle later.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "softmax": In(1), "channels": In(CHANNEL_BITS), "epsilon": In(32), "function": In(FUNCTION),
            "valid": In(1), "row": In(bits(array.block_rows)), "total": In(TOTAL_BITS), "sum": In(signed(SUM_BITS)),
            "read": In(1), "read_row": In(bits(array.block_rows)), "factor": Out(FACTOR_BITS), "shift": Out(6)})

    def elaborate(self, platform):
        m = Module()
        valid = chain(m, self.valid, SCALE_STAGES, reset=True)
        m.submodules.normaliser = normaliser = Normaliser(width=SPREAD_BITS)
        m.d.comb += [normaliser.enable.eq(Cat(valid[NORMALISE:LOOK_UP - 1])), normaliser.i.eq(self._spread(m, valid))]
        m.submodules.unit = unit = PiecewiseUnit()
        mantissa, shift = (held(m, valid[LOOK_UP - 1], value, name) for name, value in
                           zip(("mantissa", "shift"), self._leading(m, normaliser), strict=True))
        m.d.comb += [unit.function.eq(self.function), unit.enable.eq(Cat(valid[LOOK_UP:SCALE_STAGES])),
                     unit.i.eq(mantissa)]
        m.submodules.memory = memory = Memory(shape=FACTOR_BITS + 6, depth=self.array.block_rows, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.en.eq(valid[-1]), write.addr.eq(delay(m, self.row, SCALE_STAGES)),
            write.data.eq(Cat(below(unit.o, FACTOR_BITS), delay(m, shift, FUNCTION_STAGES))),
            read.en.eq(self.read), read.addr.eq(self.read_row), Cat(self.factor, self.shift).eq(read.data)]
        return m

    def _spread(self, m: Module, valid: list[Value]) -> Value:
        """A softmax's total; of a norm what becomes its standard deviation."""
        squares = held(m, valid[0], Mux(self.softmax, 1, self.channels) * self.total, "squares")
        square = held(m, valid[0], self.sum * self.sum, "square")
        spread = squares - square + self.epsilon
        return held(m, valid[1], Mux(self.softmax, squares, spread)[:SPREAD_BITS], "spread")

    def _leading(self, m: Module, normaliser: Normaliser) -> tuple[Value, Value]:
        """Leading bits and shift: 15 bits of a softmax's; of a norm's 13, or 14 that leave an even number of others."""
        place, leading = Signal(6, name="place"), normaliser.o
        m.d.comb += place.eq(SPREAD_BITS - 1 - normaliser.zeros)
        norm = Mux(place[0], leading[-14:], leading[-13:])
        return Mux(self.softmax, leading[-FACTOR_BITS:], norm), Mux(self.softmax, place, place[1:] + 3)

"""What becomes of sums: the finisher's columns and the piecewise unit, stage by stage around their multipliers."""

from amaranth.hdl import Assume, Cat, Const, Module, Mux, Value, signed

from lutra_hw.finisher import SPLIT, Finisher
from lutra_hw.piecewise import SEGMENTS, WIDTH, PiecewiseUnit
from lutra_hw.signals import delay

from .cells import becomes, comes_to, since_reset
from .prove import Statement

__all__ = ["AppliesSegment", "Finishes"]


def _kept(m: Module, value: Value) -> None:
    """What comes in does not change."""
    m.d.comb += Assume(~since_reset(m, 1) | (value == delay(m, value, 1)))


def _clamped(value: Value, low: Value | int, high: Value | int) -> Value:
    return Mux(value < low, low, Mux(value > high, high, value))


class Finishes(Statement):
    """A column gives ``clamp((product + 2^(shift - 1)) >> shift, low, high)`` of the product of total plus bias and
    multiplier, for shifts of 1 to 63: the parameters of the row's bank, or the pool's.

    The product is that of the lower bits plus that of the others, so many places further. Whether it is a pool, its
    parameters and the bounds are the operation's: they do not change.
    """

    part: Finisher

    def claim(self, m: Module) -> None:
        part, width = self.part, len(self.part.i) // self.part.array.columns
        wide = max(width, 32) + 1  # a total and a bias
        _kept(m, Cat(part.pool, part.multiplier, part.shift, part.low, part.high))
        later = delay(m, part.bank, 1)
        bytes_ = [self._byte(m, number, later if number == 6 else part.bank) for number in range(7)]
        valid = [delay(m, part.valid, cycles) for cycles in range(6)]
        for column in range(part.array.columns):
            own = [byte.word_select(column, 8) for byte in bytes_]
            biased, low, high, product = (self.look(f"{name}_{column}", signed(bits)) for name, bits in [
                ("biased", wide), ("low", SPLIT + 17), ("high", wide - SPLIT + 17), ("product", wide + 16)])
            factor = self.look(f"factor_{column}", 16)
            places = [self.look(f"places_{column}_{stage}", 6) for stage in range(2)]
            bias, shift = Mux(part.pool, 0, Cat(own[:4]).as_signed()), Mux(part.pool, part.shift, own[6])
            comes_to(m, valid[:1], part.i.word_select(column, width).as_signed() + bias, biased)
            comes_to(m, valid[:1], Mux(part.pool, part.multiplier, Cat(own[4:6])), factor)
            comes_to(m, valid[1:2], biased[:SPLIT] * factor, low)
            comes_to(m, valid[1:2], biased[SPLIT:].as_signed() * factor, high)
            comes_to(m, valid[1:2], (shift - 1)[:6], places[0])
            comes_to(m, valid[2:3], low + (high << SPLIT), product)
            comes_to(m, valid[2:3], places[0], places[1])
            rounded = (product + (Const(1) << places[1])) >> (places[1] + 1)
            comes_to(m, valid[3:], _clamped(rounded, part.low, part.high), part.o.word_select(column, 8).as_signed())

    def _byte(self, m: Module, number: int, bank: Value) -> Value:
        """A parameter byte of every column."""
        load, width = self.part.load, 8 * self.part.array.columns
        beat, place = divmod(number, len(load.data) // width)
        words = [self.look(f"byte_{number}[{bank}]", width) for bank in range(2)]
        for place_, word in enumerate(words):
            mine = load.valid & (load.beat == beat) & (load.bank == place_)
            becomes(m, word, mine, load.data.word_select(place, width))
        return Mux(bank, words[1], words[0])


class AppliesSegment(Statement):
    """A piecewise unit gives ``(slope * i + intercept) >> shift`` of the last segment that has begun, saturated.

    The function does not change. Its starts do not fall: with a segment, all those before it have begun.
    """

    part: PiecewiseUnit

    def claim(self, m: Module) -> None:
        part, enable = self.part, list(self.part.enable)
        segments = [part.function.segments[number] for number in range(SEGMENTS)]
        _kept(m, part.function.as_value())
        begun = Cat(segment.start <= part.i for segment in segments[1:])
        m.d.comb += Assume((begun & (begun + 1)) == 0)
        slope, intercept = segments[0].slope, segments[0].intercept
        for segment, bit in zip(segments[1:], begun, strict=True):
            slope, intercept = Mux(bit, segment.slope, slope), Mux(bit, segment.intercept, intercept)
        found = {name: self.look(name, signed(width)) for name, width in
                 [("slope", 16), ("intercept", 32), ("selected", 16), ("product", 32), ("kept", 32), ("total", 33)]}
        for name, value in [("slope", slope), ("intercept", intercept), ("selected", part.i)]:
            comes_to(m, enable[:2], value, found[name])
        comes_to(m, enable[2:3], found["slope"] * found["selected"], found["product"])
        comes_to(m, enable[2:3], found["intercept"], found["kept"])
        comes_to(m, enable[3:4], found["product"] + found["kept"], found["total"])
        largest = 1 << WIDTH - 1
        shifted = found["total"] >> part.function.shift[:5]
        comes_to(m, enable[4:], _clamped(shifted, -largest, largest - 1), part.o)

"""Products of INT8 numbers as FPGAs make them: in a multiplier of the part, or in logic."""

from typing import Any

from amaranth.hdl import Const, Instance, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CarryPair", "HardProduct", "Pair", "SoftProduct"]


def _product() -> wiring.Signature:
    return wiring.Signature({"a": In(signed(8)), "w": In(signed(8)), "o": Out(signed(16))})


class HardProduct(wiring.Component):
    """``a * w``, combinational, which synthesis gives to a multiplier of the part."""

    def __init__(self) -> None:
        super().__init__(_product())

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.a * self.w)
        return m


class Pair(wiring.Component):
    """``a`` times two bits, ``a * w[0] + 2 * a * w[1]``, or (``negative``) less the second; combinational."""

    a: Signal
    w: Signal
    o: Signal

    def __init__(self, *, negative: bool):
        self.negative = negative
        super().__init__({"a": In(signed(8)), "w": In(2), "o": Out(signed(10))})

    def elaborate(self, platform):
        m = Module()
        low, high = (self.a & bit.replicate(8).as_signed() for bit in self.w)
        m.d.comb += self.o.eq(low - (high << 1) if self.negative else low + (high << 1))
        return m


class CarryPair(Pair):
    """The same in five carry cells of an ECP5, whose LUT4s hold both ANDs of a bit beside its sum."""

    def elaborate(self, platform):
        m = Module()
        ends = [Signal(name=f"carry_{place}") for place in range(6)]
        lookup = Const(0x8777 if self.negative else 0x7888, 16)  # (~)(A & B) ^ (C & D); the carry is (~)(A & B)
        m.d.comb += [ends[0].eq(self.negative), self.o[0].eq(self.a[0] & self.w[0])]
        bits = [self._bit(place) for place in range(1, 11)]
        total = Signal(10, name="total")
        for place, (low, high) in enumerate(zip(bits[::2], bits[1::2], strict=True)):
            inputs = {f"i_{name}{half}": value for half, values in enumerate((low, high))
                      for name, value in zip("ABCD", values, strict=True)}
            m.submodules += Instance(
                "CCU2C", p_INIT0=lookup, p_INIT1=lookup, p_INJECT1_0="NO", p_INJECT1_1="NO", i_CIN=ends[place],
                o_COUT=ends[place + 1], o_S0=total[2 * place], o_S1=total[2 * place + 1], **inputs)
        m.d.comb += self.o[1:].eq(total[:9])
        return m

    def _bit(self, place: int) -> tuple[Value, ...]:
        """Inputs of a bit: the doubled factor's pair, then the other's."""
        upper, own = self.a[min(place - 1, 7)], self.a[min(place, 7)]
        return upper, self.w[1], own, self.w[0]


class SoftProduct(wiring.Component):
    """``a * w``, combinational, in logic: four pairs of partial products, two sums of those, one of the two.

    The last partial product, of the weight's sign, is subtracted.
    """

    def __init__(self) -> None:
        super().__init__(_product())

    def elaborate(self, platform):
        m = Module()
        kind: Any = CarryPair if getattr(platform, "device", "").startswith("LFE5") else Pair
        pairs = []
        for number in range(4):
            m.submodules[f"pair_{number}"] = pair = kind(negative=number == 3)
            m.d.comb += [pair.a.eq(self.a), pair.w.eq(self.w[2 * number:2 * number + 2])]
            pairs.append(pair.o)
        halves = [self._sum(m, pairs[number], pairs[number + 1], 2) for number in (0, 2)]
        m.d.comb += self.o.eq(self._sum(m, *halves, 4))
        return m

    @staticmethod
    def _sum(m: Module, low: Value, high: Value, places: int) -> Signal:
        """``low`` plus ``high`` so many places further; the lowest bits pass."""
        total = Signal(signed(len(high) + places), name="total")
        upper = Signal(signed(len(high)), name="upper")
        m.d.comb += [upper.eq((low >> places) + high), total[:places].eq(low[:places]), total[places:].eq(upper)]
        return total

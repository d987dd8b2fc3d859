"""Tables of signed sums of a few activations."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

__all__ = ["TableBuilder", "entry_width", "term_width"]

LARGEST = 127  # of an entry of 8 bits
SHIFTS = 3     # at most, of an entry of 8 bits


def term_width(array: Array) -> int:
    """Bits of a signed sum of a group's activations."""
    return 8 + (array.length - 1).bit_length() + 1


def entry_width(array: Array) -> int:
    """Bits of a table entry."""
    return 8 if array.quantised else term_width(array)


class TableBuilder(wiring.Component):
    """Half of all signed sums of a group of activations: those in which the last one is negative. Combinational.

    Entry ``i`` is ``-a[n-1] + sum over j < n-1 of (a[j] if bit j of i else -a[j])``. Sums of halves are shared. Entries
    of 8 bits are rounded half up to ``shift`` places, as few as make the largest of them fit.

    Members
    -------
    i : the activations, the first lowest.
    o : the entries.
    total : the sum of all activations, negated, not rounded.
    shift : places by which entries are shifted; 0 where they are whole.
    """

    def __init__(self, array: Array):
        self.array = array
        count = 1 << array.length - 1
        super().__init__({"i": In(8 * array.length), "o": Out(data.ArrayLayout(signed(entry_width(array)), count)),
                          "total": Out(signed(term_width(array))), "shift": Out(2)})

    def elaborate(self, platform):
        m = Module()
        scalars: list[Value] = [self.i.word_select(n, 8).as_signed() for n in range(self.array.length)]
        sums = self._sums(m, scalars)[:len(self.o)]
        m.d.comb += self.total.eq(sums[0])
        if self.array.quantised:
            m.d.comb += self.shift.eq(self._shift(m, scalars))
            sums = [self._rounded(m, value) for value in sums]
        m.d.comb += [entry.eq(value) for entry, value in zip(self.o, sums, strict=True)]
        return m

    def _sums(self, m: Module, scalars: list[Value]) -> list[Value]:
        """All signed sums; scalar ``j`` is positive in those whose number has bit ``j``."""
        if len(scalars) == 1:
            return [-scalars[0], scalars[0]]
        low, high = (self._sums(m, half) for half in (scalars[:len(scalars) // 2], scalars[len(scalars) // 2:]))
        width = term_width(self.array)
        found: list[Value] = []
        for one in high:
            for other in low:
                found.append(Signal(signed(width), name="sum"))
                m.d.comb += found[-1].eq(one + other)
        return found

    def _shift(self, m: Module, scalars: list[Value]) -> Value:
        """Places that the largest entry, the sum of all magnitudes, needs."""
        largest = Signal(term_width(self.array), name="largest")
        m.d.comb += largest.eq(sum(Mux(scalar < 0, -scalar, scalar) for scalar in scalars))
        return sum((((largest + (1 << places >> 1)) >> places) > LARGEST for places in range(1, SHIFTS)),
                   largest > LARGEST)

    def _rounded(self, m: Module, value: Value) -> Value:
        """Half up, in the places that stay."""
        rounded = Signal(signed(len(value) + 1), name="rounded")
        m.d.comb += rounded.eq((value + ((1 << self.shift) >> 1)) >> self.shift)
        return rounded

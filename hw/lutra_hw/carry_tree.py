"""Pipelined sum of values of which some are to be negated."""

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CarryTree"]

Term = tuple[Value, list[Value]]  # a sum, and the ones that are still to be added to it


class CarryTree(wiring.Component):
    """Sum of ``inputs`` signed values, plus one for each bit of ``ones``, exact.

    An inverted value and a one are its negative. Every adder takes a one as its carry, so that all but the last, which
    goes out as ``one``, cost nothing. Latency as `AdderTree`: ``stages = ceil(ceil(log2(inputs)) / 2)`` cycles.

    Members
    -------
    enable : values are at each stage, one bit each (at least one bit).
    i, ones : the values; what is added to them.
    o, one : their sum is ``o + one``.
    """

    enable: Signal
    i: data.View
    ones: Signal
    o: Signal
    one: Signal

    def __init__(self, *, inputs: int, width: int):
        self.levels = (inputs - 1).bit_length()
        self.inputs = inputs
        super().__init__({"enable": In(max(1, -(-self.levels // 2))), "i": In(data.ArrayLayout(signed(width), inputs)),
                          "ones": In(inputs), "o": Out(signed(width + self.levels)), "one": Out(1)})

    def elaborate(self, platform):
        m = Module()
        terms: list[Term] = [(self.i[n], [self.ones[n]]) for n in range(self.inputs)]
        for level in range(self.levels):
            registered = level % 2 == 1 or level == self.levels - 1
            terms = [self._sum(m, terms[n:n + 2]) for n in range(0, len(terms), 2)]
            if registered:
                terms = [self._kept(m, term, self.enable[level // 2]) for term in terms]
        ((total, (one,)),) = terms
        m.d.comb += [self.o.eq(total), self.one.eq(one)]
        return m

    @staticmethod
    def _sum(m: Module, pair: list[Term]) -> Term:
        """A sum of two neighbours and a carry; the last of an odd number passes."""
        if len(pair) == 1:
            return pair[0]
        (a, ones), (b, more) = pair
        total = Signal(signed(max(len(a), len(b)) + 1), name="sum")
        m.d.comb += total.eq(a + b + ones[0])
        return total, ones[1:] + more

    @staticmethod
    def _kept(m: Module, term: Term, enable: Value) -> Term:
        """The same in registers."""
        total = Signal.like(term[0], name="kept", reset_less=True)
        ones = Signal(len(term[1]), name="ones", reset_less=True)
        with m.If(enable):
            m.d.sync += [total.eq(term[0]), ones.eq(Cat(term[1]))]
        return total, list(ones)

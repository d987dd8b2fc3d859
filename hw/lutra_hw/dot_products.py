"""Merged multipliers: dot products of one INT8 vector with many of INT8 or fewer bits."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DotProducts"]


class DotProducts(wiring.Component):
    """Sum over ``rows`` of ``a * w`` for every column, exact: ``a`` of 8 bits, ``w`` of 2 to 8, two's complement.

    The partial products of all rows (Baugh and Wooley's, so that none is negative) go through one tree of carry-save
    adders to one adder. No carry leaves its column in that tree, so a word holds all columns side by side. Latency is 2
    cycles (after the tree, after the adder), throughput one sum of every column in a cycle.

    Members
    -------
    enable : operands are at the first stage (bit 0), at the second (bit 1).
    a : a factor for each row.
    w : for each row, a factor of ``bits`` bits for each column, column 0 lowest.
    o : the sums, signed, column 0 lowest.
    """

    enable: Signal
    a: data.View
    w: data.View
    o: Signal

    def __init__(self, *, rows: int, columns: int, bits: int = 8):
        self.rows = rows
        self.columns = columns
        self.bits = bits
        self.width = 8 + bits + (rows - 1).bit_length()
        super().__init__({"enable": In(2), "a": In(data.ArrayLayout(8, rows)),
                          "w": In(data.ArrayLayout(bits * columns, rows)), "o": Out(self.width * columns)})

    def elaborate(self, platform):
        m = Module()
        bits, top = self.bits, 1 << self.bits - 1
        group = bits + (self.rows - 1).bit_length()  # bits of a sum of weights over the rows
        weights = [self._spread(m, self.w[row], bits, group) for row in range(self.rows)]
        # Each product has terms -x * 2^k; with x inverted they are positive but for one constant.
        words: list[Value] = [self._all(self.rows * (2**7 + top - 2**(bits + 7)), self.width)]
        for bit in range(8):
            inverted = self._all(top - 1 if bit == 7 else top, group)
            products = [Mux(self.a[row][bit], weight, 0) ^ inverted for row, weight in enumerate(weights)]
            words += [(self._spread(m, word, group, self.width) << bit)[:self.width * self.columns]
                      for word in self._compress(m, products, group)]
        partial = [Signal(len(self.o), name=f"partial_{n}", reset_less=True) for n in range(2)]
        total = Signal.like(self.o, reset_less=True)
        m.d.comb += self.o.eq(total)
        with m.If(self.enable[0]):
            m.d.sync += [p.eq(word) for p, word in zip(partial, self._compress(m, words, self.width), strict=True)]
        with m.If(self.enable[1]):
            m.d.sync += total.eq(Cat((a + b)[:self.width] for a, b in zip(*map(self._columns, partial), strict=True)))
        return m

    def _columns(self, word: Value) -> list[Value]:
        width = len(word) // self.columns
        return [word.word_select(column, width) for column in range(self.columns)]

    def _all(self, value: int, width: int) -> Const:
        """A constant in every column."""
        return Const(sum(value % 2**width << width * column for column in range(self.columns)), width * self.columns)

    def _spread(self, m: Module, word: Value, width: int, wider: int) -> Value:
        """The same columns with zeros between them."""
        spread = Signal(wider * self.columns, name="spread")
        zeros = Const(0, wider - width)
        m.d.comb += spread.eq(Cat(Cat(word.word_select(column, width), zeros) for column in range(self.columns)))
        return spread

    def _compress(self, m: Module, words: list[Value], width: int) -> list[Value]:
        """Levels of 3:2 compressors, to two words with the same sum."""
        inside = self._all(2**(width - 1) - 1, width)  # the highest carry of a column is beyond its width
        while len(words) > 2:
            rest = words[len(words) // 3 * 3:]
            for a, b, c in zip(words[::3], words[1::3], words[2::3], strict=False):
                total, carry = (Signal(width * self.columns, name=name) for name in ("total", "carry"))
                m.d.comb += [total.eq(a ^ b ^ c), carry.eq(((a & b | c & (a ^ b)) & inside) << 1)]
                rest += [total, carry]
            words = rest
        return words

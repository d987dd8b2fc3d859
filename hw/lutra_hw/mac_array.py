"""The MAC array: one merged multiplier for each column."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from lutra_model.params import Array

from .lookup_array import array_signature, tree_width
from .signals import delay

__all__ = ["DotProduct", "MacArray"]


class DotProduct(wiring.Component):
    """Sum over ``inputs`` of ``a * w``, INT8, exact.

    The partial products of all pairs (Baugh and Wooley's, so that none is negative) go through one tree of
    carry-save adders to one adder. Latency is 2 cycles (after the tree, after the adder), throughput one sum in a
    cycle.

    Members
    -------
    enable : operands are at the first stage (bit 0), at the second (bit 1).
    a, w : the factors.
    o : the sum.
    """

    enable: Signal
    a: data.View
    w: data.View
    o: Signal

    def __init__(self, *, inputs: int):
        self.inputs = inputs
        factors = data.ArrayLayout(8, inputs)
        super().__init__({"enable": In(2), "a": In(factors), "w": In(factors),
                          "o": Out(16 + (inputs - 1).bit_length())})

    def elaborate(self, platform):
        m = Module()
        width = len(self.o)
        # Each product has terms -x * 2^k; with x inverted they are positive but for one constant.
        words: list[tuple[int, Value]] = [(0, Const(self.inputs * (2**8 - 2**15) % 2**width, width))]
        for bit in range(8):  # words of one weight lie together, so that full adders meet few constant zeros
            negative = 0x7F if bit == 7 else 0x80
            words += [(bit, (self.a[n] & self.w[n][bit].replicate(8)) ^ negative) for n in range(self.inputs)]
        while len(words) > 2:
            words = self._level(m, words, width)
        partial = [Signal(width, name=name, reset_less=True) for name in ("partial_sum", "partial_carry")]
        with m.If(self.enable[0]):
            m.d.sync += [p.eq(value << shift) for p, (shift, value) in zip(partial, words)]
        total = Signal(width, reset_less=True)
        m.d.comb += self.o.eq(total)
        with m.If(self.enable[1]):
            m.d.sync += total.eq(partial[0] + partial[1])
        return m

    @staticmethod
    def _level(m: Module, words: list[tuple[int, Value]], width: int) -> list[tuple[int, Value]]:
        """One level of 3:2 compressors on words of ``(weight, bits)``; two words left over pass."""
        words = sorted(words, key=lambda word: word[0])
        rest = words[len(words) // 3 * 3:]
        for triple in zip(words[::3], words[1::3], words[2::3]):
            base = triple[0][0]
            a, b, c = ((value << shift - base)[:width - base] for shift, value in triple)
            total = Signal(min(max(len(a), len(b), len(c)), width - base), name="total")
            m.d.comb += total.eq(a ^ b ^ c)
            rest.append((base, total))
            if base + 1 < width:  # else the carry is beyond the sum's width
                carry = Signal(min(len(total), width - base - 1), name="carry")
                m.d.comb += carry.eq(a & b | c & (a ^ b))
                rest.append((base + 1, carry))
        return rest


class MacArray(wiring.Component):
    """Sum over the rows of activation times weight, for every column.

    A cell has two weight registers: beats go to the first while the second is in use. Latency is
    ``1 + Pipeline.tree`` cycles, throughput one activation row in a cycle.

    Members
    -------
    load : write of one weight of every column, one cycle after its beat was taken.
    turn : the loaded weights are those of the rows issued from the next cycle on.
    valid, used, symbols : an activation row, one cycle after its issue: rows used, activations.
    bank : without meaning here, see `LookupArray`.
    o : the sums, signed, column 0 lowest.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(array_signature(array))

    def elaborate(self, platform):
        m = Module()
        array, load = self.array, self.load
        turn = delay(m, self.turn, 2, reset=True)
        activations, weights = [], []
        for row in range(array.rows):
            loaded = Signal(8 * array.columns, name=f"loaded_{row}", reset_less=True)
            weight = Signal(8 * array.columns, name=f"weight_{row}", reset_less=True)
            activation = Signal(8, name=f"activation_{row}", reset_less=True)
            with m.If(load.valid & (load.row == row)):
                m.d.sync += loaded.eq(load.data)
            with m.If(turn):
                m.d.sync += weight.eq(loaded)
            with m.If(self.valid):
                m.d.sync += activation.eq(Mux(self.used[row], self.symbols.word_select(row, 8), 0))
            weights.append(weight)
            activations.append(activation)
        enables = [delay(m, self.valid, cycles, reset=True) for cycles in (1, 2)]
        for column in range(array.columns):
            m.submodules[f"column_{column}"] = dot = DotProduct(inputs=array.rows)
            m.d.comb += [dot.a[row].eq(activation) for row, activation in enumerate(activations)]
            m.d.comb += [dot.w[row].eq(weight.word_select(column, 8)) for row, weight in enumerate(weights)]
            m.d.comb += [*(bit.eq(enable) for bit, enable in zip(dot.enable, enables)),
                         self.o.word_select(column, tree_width(array)).eq(dot.o)]
        return m

"""The MAC array: weights at rest, and merged multipliers."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from lutra_model.params import Array

from .dot_products import DotProducts
from .engines import cells_signature
from .signals import delay

__all__ = ["MacArray"]


class MacArray(wiring.Component):
    """Sum over the rows of activation times weight, for every column.

    A cell has two weight registers: beats go to the first while the second is in use. A weight of one bit is +1 (0) or
    -1 (1), one of more bits two's complement. Latency is
    ``1 + Pipeline.tree`` cycles, throughput one activation row in a cycle.

    Members
    -------
    load : write of one weight of every column, for a group of rows, one cycle after its beat was taken.
    turn : the loaded weights are those of the rows issued from the next cycle on.
    valid, used, symbols : an activation row, one cycle after its issue: rows used, activations.
    bank : without meaning here, see `LookupArray`.
    o : the sums, signed, column 0 lowest.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(cells_signature(array))

    def elaborate(self, platform):
        m = Module()
        array, load = self.array, self.load
        turn = delay(m, self.turn, 2, reset=True)
        m.submodules.products = products = DotProducts(rows=array.rows, columns=array.columns,
                                                          bits=max(2, array.weight_bits))
        m.d.comb += [products.enable[0].eq(delay(m, self.valid, 1, reset=True)),
                     products.enable[1].eq(delay(m, self.valid, 2, reset=True)), self.o.eq(products.o)]
        for row in range(array.rows):
            loaded = Signal(array.weight_bits * array.columns, name=f"loaded_{row}", reset_less=True)
            weights = Signal(array.weight_bits * array.columns, name=f"weights_{row}", reset_less=True)
            activation = Signal(8, name=f"activation_{row}", reset_less=True)
            with m.If(load.valid & (load.group == row // array.fill)):
                m.d.sync += loaded.eq(load.data.word_select(row % array.fill, len(loaded)))
            with m.If(turn):
                m.d.sync += weights.eq(loaded)
            with m.If(self.valid):
                m.d.sync += activation.eq(Mux(self.used[row], self.symbols.word_select(row, 8), 0))
            m.d.comb += [products.a[row].eq(activation), products.w[row].eq(self._extended(weights))]
        return m

    def _extended(self, weights: Signal) -> Value:
        """Signs as +1 and -1 in two bits."""
        return Cat(Cat(1, sign) for sign in weights) if self.array.weight_bits == 1 else weights

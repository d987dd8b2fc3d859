"""The sign-flip array: ternary weights at rest, activations added, subtracted or left out."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .adder_tree import AdderTree
from .engines import cells_signature, tree_width
from .signals import delay

__all__ = ["SignFlipArray"]

TERM = 9  # bits of an activation or its negative


class SignFlipArray(wiring.Component):
    """Sum over the rows of +a, -a or 0, for every column.

    The negative is formed once for a row and shared by its cells. Latency is ``1 + Pipeline.tree`` cycles (operands,
    then the tree), throughput one activation row in a cycle.

    Members
    -------
    load : write of one weight (two bits: 0, 1 or -1) of every column, for a group of rows, in bank ``load.bank``.
    turn : without meaning here, see `MacArray`.
    valid, bank, used, symbols : an activation row: bank of its weights, rows used, activations.
    o : the sums, signed, column 0 lowest.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(cells_signature(array))

    def elaborate(self, platform):
        m = Module()
        array, load = self.array, self.load
        terms = []
        for row in range(array.rows):
            banks = [Signal(2 * array.columns, name=f"weights_{row}_{bank}", reset_less=True) for bank in range(2)]
            for bank, weights in enumerate(banks):
                with m.If(load.valid & (load.group == row // array.fill) & (load.bank == bank)):
                    m.d.sync += weights.eq(load.data.word_select(row % array.fill, len(weights)))
            activation = self.symbols.word_select(row, 8).as_signed()
            terms.append(self._row(m, row, activation, Mux(self.bank, banks[1], banks[0])))
        enables = [delay(m, self.valid, 1, reset=True)]
        for _ in range(Pipeline(array).tree - 1):
            enables.append(delay(m, enables[-1], 1, reset=True))
        for column in range(array.columns):
            m.submodules[f"tree_{column}"] = tree = AdderTree(inputs=array.rows, width=TERM)
            m.d.comb += [tree.i[row].eq(term[column]) for row, term in enumerate(terms)]
            m.d.comb += [*(bit.eq(enable) for bit, enable in zip(tree.enable, enables, strict=False)),
                         self.o.word_select(column, tree_width(array)).eq(tree.o)]
        return m

    def _row(self, m: Module, row: int, activation: Value, weights: Value) -> list[Signal]:
        """A row's term in every column, in registers."""
        negative = Signal(signed(TERM), name=f"negative_{row}")
        m.d.comb += negative.eq(-activation)
        terms = [Signal(signed(TERM), name=f"term_{row}_{column}", reset_less=True)
                 for column in range(self.array.columns)]
        with m.If(self.valid):
            for column, term in enumerate(terms):
                weight = weights.word_select(column, 2)
                chosen = Mux(weight[1], negative, activation)
                m.d.sync += term.eq(Mux(self.used[row] & weight[0], chosen, 0))
        return terms

"""A MAC array as FPGAs build it: some products in the part's multipliers, the others in logic, an adder tree each."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring

from lutra_model.bare import Bare

from .adder_tree import AdderTree
from .engines import cells_signature, tree_width
from .product import HardProduct, SoftProduct
from .signals import delay

__all__ = ["BareMac"]


class BareMac(wiring.Component):
    """Sum over the rows of activation times weight, for every column; a cell has one weight register.

    Latency is ``1 + Bare.tree`` cycles (activation, product, tree), throughput one activation row in a cycle. Members
    as `lutra_hw.mac_array.MacArray`; a weight is in use from the second cycle after its load on.
    """

    def __init__(self, array: Bare):
        self.array = array
        super().__init__(cells_signature(array))

    def elaborate(self, platform):
        m = Module()
        array, load = self.array, self.load
        enables = [delay(m, self.valid, stage, reset=True) for stage in range(1, array.tree + 1)]
        trees = []
        for column in range(array.columns):
            m.submodules[f"tree_{column}"] = tree = AdderTree(inputs=array.rows, width=16)
            m.d.comb += [*(bit.eq(enable) for bit, enable in zip(tree.enable, enables[1:], strict=False)),
                         self.o.word_select(column, tree_width(array)).eq(tree.o)]
            trees.append(tree)
        for row in range(array.rows):
            weights = Signal(8 * array.columns, name=f"weights_{row}", reset_less=True)
            activation = Signal(8, name=f"activation_{row}", reset_less=True)
            with m.If(load.valid & (load.group == row // array.fill)):
                m.d.sync += weights.eq(load.data.word_select(row % array.fill, len(weights)))
            with m.If(self.valid):
                m.d.sync += activation.eq(self.symbols.word_select(row, 8))
            for column, tree in enumerate(trees):
                cell = row * array.columns + column
                product = HardProduct() if cell < array.multipliers else SoftProduct()
                m.submodules[f"product_{row}_{column}"] = product
                value = Signal(signed(16), name=f"value_{row}_{column}", reset_less=True)
                m.d.comb += [product.a.eq(activation), product.w.eq(weights.word_select(column, 8)),
                             tree.i[row].eq(value)]
                with m.If(enables[0]):
                    m.d.sync += value.eq(product.o)
        return m

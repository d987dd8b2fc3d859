"""A MAC array as FPGAs build it: some products in the part's multipliers, the others in logic, an adder tree each."""

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.bare import Bare

from .adder_tree import AdderTree
from .engines import cells_signature, tree_width
from .signals import delay

__all__ = ["BareMac", "HardProduct", "SoftProduct"]


def _product() -> wiring.Signature:
    """Factors and their product, which is combinational."""
    return wiring.Signature({"a": In(signed(8)), "w": In(signed(8)), "o": Out(signed(16))})


class HardProduct(wiring.Component):
    """A product that synthesis gives to a multiplier of the part."""

    def __init__(self) -> None:
        super().__init__(_product())

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.a * self.w)
        return m


class SoftProduct(wiring.Component):
    """A product in logic: four sums of two partial products each, two of two of those, one of the last two.

    An adder with an AND before each of its inputs is one LUT4 a bit where a part's carry cells have four inputs. The
    last partial product, of the weight's sign, is subtracted.
    """

    def __init__(self) -> None:
        super().__init__(_product())

    def elaborate(self, platform):
        m = Module()
        pairs = [self._pair(m, place) for place in range(0, 8, 2)]
        halves = [self._sum(m, pairs[n], pairs[n + 1], 2) for n in (0, 2)]
        m.d.comb += self.o.eq(self._sum(m, *halves, 4))
        return m

    def _pair(self, m: Module, place: int) -> Signal:
        """``a`` times two bits of the weight, of which the second may be the sign."""
        pair = Signal(signed(10), name=f"pair_{place}")
        low, high = (self.a & self.w[place + n].replicate(8).as_signed() for n in range(2))
        m.d.comb += pair.eq(low - (high << 1) if place == 6 else low + (high << 1))
        return pair

    @staticmethod
    def _sum(m: Module, low: Value, high: Value, places: int) -> Signal:
        """``low`` plus ``high`` so many places further; the lowest bits pass."""
        total = Signal(signed(len(high) + places), name="total")
        upper = Signal(signed(len(high)), name="upper")
        m.d.comb += [upper.eq((low >> places) + high), total[:places].eq(low[:places]), total[places:].eq(upper)]
        return total


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
                kind = HardProduct if cell < array.multipliers else SoftProduct
                m.submodules[f"product_{row}_{column}"] = product = kind()
                value = Signal(signed(16), name=f"value_{row}_{column}", reset_less=True)
                m.d.comb += [product.a.eq(activation), product.w.eq(weights.word_select(column, 8)),
                             tree.i[row].eq(value)]
                with m.If(enables[0]):
                    m.d.sync += value.eq(product.o)
        return m

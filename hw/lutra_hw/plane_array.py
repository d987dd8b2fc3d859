"""The array of index cells: rows of tables, an adder tree for each column, and weights plane by plane."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .adder_tree import AdderTree
from .carry_tree import CarryTree
from .engines import cells_signature, symbol_width, tree_width
from .plane_row import PlaneRow
from .signals import delay
from .table_builder import term_width

__all__ = ["PlaneArray"]


class PlaneArray(wiring.Component):
    """Sum over the planes, each worth twice the next, of the sum over the rows of the entries that patterns select.

    Latency is ``1 + Pipeline.tree`` cycles from a row's last plane, throughput one plane of a row in a cycle.
    What only the activations say, tables and their sum, moves with the first plane alone.

    Members
    -------
    load : write of one plane's patterns of every column, for a group of rows.
    turn : without meaning here, see `MacArray`.
    valid, bank, used, symbols, plane, opens : a plane of an activation row: bank of its patterns, rows used, groups of
        activations, number of the plane, whether it is the row's first.
    o : the sums, signed, column 0 lowest.
    lane : the sum of a row's activations, negated, ``Pipeline.tree - 1`` cycles after ``opens``.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(cells_signature(array))

    def elaborate(self, platform):
        m = Module()
        array, load, stages = self.array, self.load, Pipeline(self.array).tree - 2
        valid = [delay(m, self.valid, cycles, reset=True) for cycles in range(stages + 3)]
        opens = [delay(m, self.valid & self.opens, cycles, reset=True) for cycles in range(stages + 3)]
        rows = []
        for number in range(array.rows):
            place = number % array.fill
            m.submodules[f"row_{number}"] = row = PlaneRow(array)
            m.d.comb += [row.write.eq(load.valid & (load.group == number // array.fill)), row.write_bank.eq(load.bank),
                         row.entry.eq(load.entry), row.data.eq(load.data.word_select(place, len(row.data))),
                         row.read.eq(self.valid), row.bank.eq(self.bank), row.plane.eq(self.plane),
                         row.opens.eq(self.opens), row.used.eq(self.used[number]), row.select.eq(valid[1]),
                         row.activations.eq(self.symbols.word_select(number, symbol_width(array)))]
            rows.append(row)
        for column in range(array.columns):
            m.submodules[f"tree_{column}"] = tree = CarryTree(inputs=array.rows, width=term_width(array))
            m.d.comb += [*(tree.i[number].eq(row.o[column]) for number, row in enumerate(rows)),
                         *(tree.ones[number].eq(row.ones[column]) for number, row in enumerate(rows)),
                         *(bit.eq(enable) for bit, enable in zip(tree.enable, valid[2:], strict=False)),
                         self.o.word_select(column, tree_width(array)).eq(
                             self._planes(m, tree, column, valid[-1], opens[-1]))]
        m.submodules.lane = lane = AdderTree(inputs=array.rows, width=term_width(array))
        m.d.comb += [*(lane.i[number].eq(row.total) for number, row in enumerate(rows)), self.lane.eq(lane.o),
                     *(bit.eq(enable) for bit, enable in zip(lane.enable, opens[1:], strict=False))]
        return m

    def _planes(self, m: Module, tree: CarryTree, column: int, valid: Value, opens: Value) -> Value:
        """The sum of the planes so far."""
        total = Signal(signed(tree_width(self.array)), name=f"total_{column}", reset_less=True)
        with m.If(valid):
            m.d.sync += total.eq(Mux(opens, 0, total << 1) + tree.o + tree.one)
        return total

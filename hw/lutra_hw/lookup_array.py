"""The lookup array: rows of table cells and an adder tree for each column."""

from amaranth.hdl import Module
from amaranth.lib import wiring

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .adder_tree import AdderTree
from .engines import cells_signature, symbol_width, tree_width
from .signals import delay
from .table_row import TableRow

__all__ = ["LookupArray"]


class LookupArray(wiring.Component):
    """Sum over the rows of the table entry at each row's index, for every column.

    Latency is ``1 + Pipeline.tree`` cycles, throughput one activation row in a cycle.

    Members
    -------
    load : write of one table entry of every column, for a group of rows.
    turn : without meaning here, see `MacArray`.
    valid, bank, used, symbols : an activation row: bank of its tables, rows used, indices.
    o : the sums, signed, column 0 lowest.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(cells_signature(array))

    def elaborate(self, platform):
        m = Module()
        array, load = self.array, self.load
        cells = []
        for row in range(array.rows):
            m.submodules[f"row_{row}"] = cell = TableRow(entries=array.entries, columns=array.columns)
            m.d.comb += [cell.write.eq(load.valid & (load.group == row // array.fill)), cell.write_bank.eq(load.bank),
                         cell.entry.eq(load.entry),
                         cell.data.eq(load.data.word_select(row % array.fill, len(cell.data))),
                         cell.read.eq(self.valid), cell.bank.eq(self.bank), cell.used.eq(self.used[row]),
                         cell.index.eq(self.symbols.word_select(row, symbol_width(array)))]
            cells.append(cell.o)
        enables = [delay(m, self.valid, 1, reset=True)]
        for _ in range(Pipeline(array).tree - 1):
            enables.append(delay(m, enables[-1], 1, reset=True))
        for column in range(array.columns):
            m.submodules[f"tree_{column}"] = tree = AdderTree(inputs=array.rows, width=8)
            m.d.comb += [tree.i[row].eq(cell.word_select(column, 8)) for row, cell in enumerate(cells)]
            m.d.comb += [*(bit.eq(enable) for bit, enable in zip(tree.enable, enables, strict=False)),
                         self.o.word_select(column, tree_width(array)).eq(tree.o)]
        return m

"""The lookup array: rows of table cells and an adder tree for each column."""

from functools import partial

from amaranth.hdl import Module, Value
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

    Parameters
    ----------
    row, banks : what a row of cells is; banks of its tables.

    Members
    -------
    load : write of one table entry of every column, for a group of rows.
    turn : without meaning here, see `MacArray`.
    valid, bank, used, symbols : an activation row: bank of its tables, rows used, indices.
    o : the sums, signed, column 0 lowest.
    """

    stages = 1  # registers from ``valid`` to the cells' entries

    def __init__(self, array: Array, row: type[TableRow] = TableRow, banks: int = 2):
        self.array = array
        self.row = partial(row, entries=array.entries, columns=array.columns, banks=banks)
        super().__init__(cells_signature(array))

    def elaborate(self, platform):
        m = Module()
        array = self.array
        cells = self._cells(m)
        enables = [delay(m, self.valid, self.stages, reset=True)]
        for _ in range(Pipeline(array).tree - self.stages):
            enables.append(delay(m, enables[-1], 1, reset=True))
        for column in range(array.columns):
            m.submodules[f"tree_{column}"] = tree = AdderTree(inputs=array.rows, width=8)
            m.d.comb += [tree.i[row].eq(cell.word_select(column, 8)) for row, cell in enumerate(cells)]
            m.d.comb += [*(bit.eq(enable) for bit, enable in zip(tree.enable, enables, strict=False)),
                         self.o.word_select(column, tree_width(array)).eq(tree.o)]
        return m

    def _cells(self, m: Module) -> list[Value]:
        """Each row's entries of all columns."""
        array, load = self.array, self.load
        entry, data = self._written(m)
        found: list[Value] = []
        for row in range(array.rows):
            m.submodules[f"row_{row}"] = cell = self.row()
            index, used = self._index(row)
            m.d.comb += [cell.write.eq(load.valid & (load.group == row // array.fill)), cell.write_bank.eq(load.bank),
                         cell.entry.eq(entry), cell.data.eq(data.word_select(row % array.fill, len(cell.data))),
                         cell.read.eq(self.valid), cell.bank.eq(self.bank), cell.used.eq(used), cell.index.eq(index)]
            found.append(cell.o)
        return found

    def _written(self, m: Module) -> tuple[Value, Value]:
        """Number of the entry that is written, and its words for a group of rows."""
        return self.load.entry, self.load.data

    def _index(self, row: int) -> tuple[Value, Value]:
        """A row's index, and whether it looks anything up."""
        return self.symbols.word_select(row, symbol_width(self.array)), self.used[row]

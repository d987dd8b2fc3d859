"""Arrays of cells for tables of levels: an entry of each level in a cell, or the table beside a row of cells."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory

from .engines import engine_of, symbol_width
from .lookup_array import LookupArray
from .signals import bits, delay

__all__ = ["LevelArray", "LevelTables"]


def _code(word: Value, count: int) -> tuple[Value, Value]:
    """Place of a code's entry among ``count`` ones, and whether it has one: the code 0 has none."""
    return word[:bits(count)], word.any()


class LevelTables(LookupArray):
    """Cells with their weight's entries for all levels, and the expander that writes them.

    A beat of codes meets the levels of the layer's table one after the other: each makes one entry of every cell of a
    group of rows. Latency and throughput as in `LookupArray`.

    Members
    -------
    load : codes of a group of rows, and one level of the table, ``entry`` less one.
    Others as in `LookupArray`.
    """

    def _written(self, m: Module) -> tuple[Value, Value]:
        array, load = self.array, self.load
        width = engine_of(array).cell(array)
        expanded = Signal(8 * array.columns * array.fill)
        for number in range(array.columns * array.fill):
            place, some = _code(load.data.word_select(number, width), array.weight_levels)
            m.d.comb += expanded.word_select(number, 8).eq(Mux(some, load.level.word_select(place, 8), 0))
        return (load.entry + 1)[:len(load.entry)], expanded

    def _index(self, row: int) -> tuple[Value, Value]:
        place, some = _code(self.symbols.word_select(row, symbol_width(self.array)), self.array.entries)
        return place, self.used[row] & some


class LevelArray(LookupArray):
    """Rows with a copy of the layer's table; cells with their weight's code.

    An activation's code reads its level in the copy, which the cells of the row share; each takes its weight's entry of
    it. Latency is ``1 + Pipeline.tree`` cycles, of which one is between level and entry; throughput one activation row
    in a cycle.

    Members
    -------
    load : codes of a group of rows; with ``preload`` one level of the table for all copies, ``entry`` less one.
    Others as in `LookupArray`.
    """

    stages = 2

    def _cells(self, m: Module) -> list[Value]:
        return [self._row(m, row) for row in range(self.array.rows)]

    def _row(self, m: Module, row: int) -> Value:
        array, later = self.array, delay(m, self.valid, 1, reset=True)
        level = self._level(m, row)
        codes = self._codes(m, row)
        width = len(codes) // array.columns
        found = Signal(8 * array.columns, name=f"entries_{row}", reset_less=True)
        values = []
        for column in range(array.columns):
            place, some = _code(codes.word_select(column, width), array.weight_levels)
            values.append(Mux(some, level.word_select(place, 8), 0))
        with m.If(later):
            m.d.sync += found.eq(Cat(values))
        return found

    def _level(self, m: Module, row: int) -> Signal:
        """The table's level at the row's activation, one cycle after ``valid``; zeros at the zero level."""
        load = self.load
        place, some = _code(self.symbols.word_select(row, symbol_width(self.array)), self.array.entries)
        m.submodules[f"copy_{row}"] = copy = Memory(shape=len(load.level), depth=self.array.entries, init=[])
        write, read = copy.write_port(), copy.read_port(domain="comb")
        m.d.comb += [write.en.eq(load.preload), write.addr.eq(load.entry + 1), write.data.eq(load.level),
                     read.addr.eq(place)]
        level = Signal(len(load.level), name=f"level_{row}", reset_less=True)
        with m.If(self.valid):
            m.d.sync += level.eq(Mux(self.used[row] & some, read.data, 0))
        return level

    def _codes(self, m: Module, row: int) -> Value:
        """Codes of the row's weights, of the bank that ``valid`` came with one cycle ago."""
        array, load = self.array, self.load
        width = engine_of(array).cell(array) * array.columns
        m.submodules[f"codes_{row}"] = codes = Memory(shape=width, depth=2, init=[])
        write, read = codes.write_port(), codes.read_port(domain="comb")
        m.d.comb += [write.en.eq(load.valid & (load.group == row // array.fill)), write.addr.eq(load.bank),
                     write.data.eq(load.data.word_select(row % array.fill, width)),
                     read.addr.eq(delay(m, self.bank, 1))]
        return read.data

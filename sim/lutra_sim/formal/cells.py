"""What cells compute: each claim is the cell's functional statement, of values as many cycles old as its latency."""

from collections.abc import Iterable

from amaranth.hdl import Assert, Cat, Const, Module, Mux, Signal, Value, ValueLike, signed

from lutra_hw.adder_tree import AdderTree
from lutra_hw.carry_tree import CarryTree
from lutra_hw.dot_products import DotProducts
from lutra_hw.product import SoftProduct
from lutra_hw.sign_flip_array import SignFlipArray
from lutra_hw.signals import delay
from lutra_hw.table_row import TableRow
from lutra_model.schedule import Pipeline

from .prove import Statement

__all__ = ["AddsAll", "AddsOnes", "FlipsSigns", "LooksUp", "Multiplies", "MultipliesSigned", "becomes", "comes_to",
           "since_reset", "total"]


def since_reset(m: Module, cycles: int) -> Value:
    """Whether there were so many cycles since reset, so that values of so many cycles ago are none before it."""
    return delay(m, Const(1), cycles)


def comes_to(m: Module, enables: list[Value], value: Value, o: Value, *, among: ValueLike = 1) -> None:
    """A value that all stages were enabled for, each one cycle after the one before, is there after the last.

    What is there stays while the last stage is not enabled. Of the values that come in, the claim is about those
    ``among`` which they are.
    """
    stages = len(enables)
    went = Cat(since_reset(m, stages), delay(m, Value.cast(among), stages),
               *(delay(m, enable, stages - n) for n, enable in enumerate(enables))).all()
    stays = since_reset(m, 1) & ~delay(m, enables[-1], 1)
    m.d.comb += [Assert(~went | (o == delay(m, value, stages))), Assert(~stays | (o == delay(m, o, 1)))]


def becomes(m: Module, register: Value, enable: Value, value: ValueLike) -> None:
    """A register takes the value when it is enabled, and keeps its own otherwise."""
    m.d.comb += Assert(~since_reset(m, 1) | (register == delay(m, Mux(enable, value, register), 1)))


def total(values: Iterable[Value]) -> Value:
    """The exact sum, added up by pairs."""
    values = list(values)
    while len(values) > 1:
        values = [sum(values[n:n + 2]) for n in range(0, len(values), 2)]
    return values[0]


class AddsAll(Statement):
    """An adder tree gives the sum of its values."""

    part: AdderTree

    def claim(self, m: Module) -> None:
        comes_to(m, list(self.part.enable), total(self.part.i), self.part.o)


class AddsOnes(Statement):
    """A carry tree gives the sum of its values and of its ones."""

    part: CarryTree

    def claim(self, m: Module) -> None:
        part = self.part
        comes_to(m, list(part.enable), total(part.i) + total(part.ones), part.o + part.one)


class Multiplies(Statement):
    """Merged multipliers give the dot products, in every column."""

    part: DotProducts

    def claim(self, m: Module) -> None:
        part = self.part
        for column in range(part.columns):
            total = Signal(signed(part.width), name=f"total_{column}")
            factors = [part.w[row].word_select(column, part.bits).as_signed() for row in range(part.rows)]
            m.d.comb += total.eq(sum(part.a[row].as_signed() * factors[row] for row in range(part.rows)))
            comes_to(m, list(part.enable), total, part.o.word_select(column, part.width).as_signed())


class LooksUp(Statement):
    """A row of table cells gives what was written last at its index, or zeros where it is not used.

    One entry, any one, is watched from reset on.
    """

    part: TableRow

    def claim(self, m: Module) -> None:
        part, place = self.part, Signal(range(self.part.words))
        chosen = Cat(self.choice() for _ in range(len(place)))
        m.d.comb += place.eq(Mux(since_reset(m, 1), delay(m, place, 1), chosen))
        word = Signal.like(part.data)
        with m.If(part.write & (Cat(part.entry, part.write_bank) == place)):
            m.d.sync += word.eq(part.data)
        found = part.read & (Cat(part.index, part.bank) == place)
        comes_to(m, [part.read], Mux(part.used, word, 0), part.o, among=found)
        words = [self.look(f"table[{number}]", len(word)) for number in range(part.words)]
        m.d.comb += Assert(Cat(words).word_select(place, len(word)) == word)


class FlipsSigns(Statement):
    """A sign-flip array gives the sum of +a, -a or nothing over the rows that are used, with the bank's weights.

    A group's load changes the weights of its rows in its bank, and no others.
    """

    part: SignFlipArray

    def claim(self, m: Module) -> None:
        part, array = self.part, self.part.array
        stages, width, load = 1 + Pipeline(array).tree, len(part.o) // array.columns, part.load
        sums: list[Value] = [Const(0)] * array.columns
        for row in range(array.rows):
            banks = [self.look(f"weights_{row}_{bank}", 2 * array.columns) for bank in range(2)]
            for bank, weights in enumerate(banks):
                mine = load.valid & (load.group == row // array.fill) & (load.bank == bank)
                becomes(m, weights, mine, load.data.word_select(row % array.fill, len(weights)))
            activation, weights = part.symbols.word_select(row, 8).as_signed(), Mux(part.bank, banks[1], banks[0])
            for column in range(array.columns):
                weight = weights.word_select(column, 2)
                term = Mux(weight == 1, activation, Mux(weight == 3, -activation, 0))
                sums[column] = sums[column] + Mux(part.used[row], term, 0)
        for column, total in enumerate(sums):
            went = since_reset(m, stages) & delay(m, part.valid, stages)
            found = part.o.word_select(column, width).as_signed()
            m.d.comb += Assert(~went | (found == delay(m, total, stages)))


class MultipliesSigned(Statement):
    """A product in logic is the product."""

    part: SoftProduct

    def claim(self, m: Module) -> None:
        m.d.comb += Assert(self.part.o == self.part.a * self.part.w)

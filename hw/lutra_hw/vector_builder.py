"""Reads sub-vectors from the index memory and has tables built of them."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .credit import Credit
from .settings import settings
from .signals import bits, delay
from .vector_order import Sweeps

__all__ = ["VectorBuilder", "addition", "additions", "half_table", "table_build"]


def half_table(array: Array) -> int:
    """Entries of a table without zero and without the negatives of others."""
    return 3**array.length // 2


def additions(length: int) -> list[tuple[int, bool]]:
    """Place of the activation that makes each entry of a half table from the one before, and whether it is subtracted.

    Entries follow the reflected ternary Gray code from its middle, zero, on: on the way to number ``n`` the digit with
    the place of the lowest one of ``n`` that is not zero moves, down where the sum of those above is odd.
    """
    found = []
    for number in range(3**length // 2 + 1, 3**length):
        digits = [number // 3**place % 3 for place in range(length)]
        place = next(place for place, digit in enumerate(digits) if digit)
        found.append((place, sum(digits[place + 1:]) % 2 == 1))
    return found


def table_build(array: Array) -> wiring.Signature:
    """What the cells do: take a token's sub-vectors; make the next entry.

    stage, lane : the index word that comes is the sub-vectors of this lane. add, first, step, bank : entry ``step + 1``
    of a table bank is made of the one before, or of zero, and of the scalar at ``place``, which is subtracted where
    ``minus``. lanes : tokens there are.
    """
    return wiring.Signature({
        "stage": Out(1), "lane": Out(bits(array.columns)), "add": Out(1), "first": Out(1),
        "step": Out(bits(half_table(array))), "place": Out(range(array.length)), "minus": Out(1), "bank": Out(1),
        "lanes": Out(array.columns)})


def addition(m: Module, build: wiring.PureInterface, length: int) -> None:
    """What a step of a build adds to the entry before."""
    with m.Switch(build.step):
        for step, (place, minus) in enumerate(additions(length)):
            with m.Case(step):
                m.d.comb += [build.place.eq(place), build.minus.eq(minus)]


class VectorBuilder(wiring.Component):
    """Builds a pair of table banks in turn: ``for block: for sweep: for row tile``.

    A table takes ``rows + 1 + half_table`` cycles: an index word for each activation row, one for the last to arrive,
    one for each entry. The next one's words are read after that. Words lie in a half as they are indexed: ``for row
    tile: for activation row``; in the first sweep each is awaited. A product begins with half 0.

    Members
    -------
    start : a product begins; its settings are there from the next cycle on.
    indexed : an index word is complete; it can be read in the next cycle.
    read, word : read of an index word.
    build : what the cells do in this cycle.
    free : a table bank is not needed any more; it can be built in the next cycle.
    some : a bank holds a complete table.
    free_half : the word is the last that is read of its half.
    moving : a word is read, or an entry made.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"start": In(1), "settings": In(settings(array)), "indexed": In(1), "free": In(1),
                          "read": Out(1), "word": Out(bits(2 * array.index_words)), "build": Out(table_build(array)),
                          "some": Out(1), "free_half": Out(1), "moving": Out(1)})

    def elaborate(self, platform):
        m = Module()
        build, row, last_row = self.build, Signal(bits(self.array.columns)), Signal()
        m.submodules.order = order = Sweeps(self.array)
        m.submodules.fresh = fresh = Credit(places=2 * self.array.index_words)  # words not yet read
        m.submodules.banks = banks = Credit(places=2)
        wiring.connect(m, wiring.flipped(self.settings), order.settings)
        m.d.comb += [
            last_row.eq(row == order.rows), fresh.put.eq(self.indexed), fresh.drop.eq(self.read & order.first_sweep),
            self.free_half.eq(self.read & last_row & order.last_tile & order.last_sweep),
            banks.drop.eq(self.free), banks.put.eq(order.step), self.some.eq(banks.some),
            build.stage.eq(delay(m, self.read, 1, reset=True)), build.lane.eq(delay(m, row, 1)),
            build.first.eq(build.step == 0), build.lanes.eq(Cat(order.rows >= lane for lane in
                                                                range(self.array.columns))),
            self.moving.eq(self.read | build.add)]
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += self.read.eq(fresh.some | ~order.first_sweep)
                with m.If(self.read):
                    m.d.sync += row.eq(Mux(last_row, 0, row + 1))
                    with m.If(last_row):
                        m.next = "ARRIVE"
            with m.State("ARRIVE"):
                m.next = "BUILD"
            with m.State("BUILD"):
                m.d.comb += build.add.eq(banks.room)
                with m.If(build.add):
                    m.d.sync += build.step.eq(build.step + 1)
                    with m.If(build.step == half_table(self.array) - 1):
                        m.d.comb += order.step.eq(1)
                        m.d.sync += [build.step.eq(0), build.bank.eq(~build.bank)]
                        m.next = "READ"
                        with m.If(order.done):
                            m.next = "IDLE"
        addition(m, build, self.array.length)
        self._index_word(m, last_row & order.last_tile, order.last_sweep, order.done)
        return m

    def _index_word(self, m: Module, swept: Signal, last_sweep: Signal, done: Signal) -> None:
        """Words count up in a half, for every sweep again; the other half follows."""
        half = Signal()
        with m.If(self.read):
            m.d.sync += self.word.eq(self.word + 1)
            with m.If(swept):
                m.d.sync += self.word.eq(Mux(half, self.array.index_words, 0))
                with m.If(last_sweep):
                    m.d.sync += [self.word.eq(Mux(half | done, 0, self.array.index_words)), half.eq(~half & ~done)]

"""Takes code words and parameters, and issues each output into a vector machine's array."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Error
from lutra_model.params import Array

from .commands import table_beat
from .credit import Credit
from .engines import beat_width, engine_of
from .loops import Loops
from .settings import settings
from .signals import bits, delay
from .vector_order import Sweeps

__all__ = ["VectorWalker", "parameter_beats", "vector_issue"]


def parameter_beats(array: Array) -> int:
    """Beats that carry the finisher's parameters of an output."""
    return -(-engine_of(array).parameters // array.rows)


def vector_issue(array: Array) -> wiring.Signature:
    """One output on its way through the array, with what the stages it meets must know."""
    return wiring.Signature({
        "valid": Out(1),
        "bank": Out(1),                        # of the tables
        "lanes": Out(array.columns),           # tokens there are
        "row": Out(bits(array.block_rows)),    # of the accumulators
        "first": Out(1),                       # row tile
        "last": Out(1),                        # row tile
        "turn": Out(1),                        # bank of the transposer
        "place": Out(bits(array.columns)),     # in the column tile
        "full": Out(1)})                       # of the column tile, the last one


class VectorWalker(wiring.Component):
    """One beat in a cycle: ``for block: for sweep: for row tile: for output``; the last row tile's are finished.

    There the beats of an output's parameters come before that of its code word. Beats come from the stream, or from
    the table memory, where they repeat for every block.

    Members
    -------
    start, next : the product ``next`` begins; its settings are there from the next cycle on.
    i : the table stream.
    read, address, memory : read of the table memory; the beat comes one cycle later.
    built : a table bank is complete.
    drained : a bank of the transposer is empty; it can be given to a column tile in the next cycle.
    o : the output issued in this cycle.
    code, parameters : its code word, and the parameters of its column, one cycle later.
    free_table : it is the last that needs its table bank.
    beat : a beat is issued or taken.
    fault : the error seen in this cycle.
    """

    i: stream.Interface

    def __init__(self, array: Array):
        self.array = array
        width = beat_width(array)
        super().__init__({
            "start": In(1), "next": In(settings(array)), "settings": In(settings(array)),
            "i": In(stream.Signature(table_beat(array))), "read": Out(1), "address": Out(32), "memory": In(width),
            "built": In(1), "drained": In(1), "o": Out(vector_issue(array)), "code": Out(width),
            "parameters": Out(8 * engine_of(array).parameters), "free_table": Out(1), "beat": Out(1),
            "fault": Out(Error)})

    def elaborate(self, platform):
        m = Module()
        array, layer, o = self.array, self.settings, self.o
        walking, begins, ended = Signal(), Signal(), Signal()
        m.submodules.order = order = Sweeps(array)
        m.submodules.banks = banks = Credit(places=2)  # of the transposer
        m.submodules.walk = walk = Loops(part=bits(parameter_beats(array) + 1), place=bits(array.columns), tile=16)
        wiring.connect(m, wiring.flipped(layer), order.settings)
        m.d.comb += [
            begins.eq(order.last_tile & (walk.count.part == 0) & (walk.count.place == 0)),
            walk.limit.part.eq(Mux(order.last_tile, parameter_beats(array), 0)),
            walk.limit.place.eq(Mux(order.last_sweep & walk.last.tile, layer.last_columns, array.columns - 1)),
            walk.limit.tile.eq(order.tiles), walk.step.eq(self.beat), order.step.eq(self.beat & walk.done),
            banks.put.eq(self.beat & begins), banks.drop.eq(self.drained),
            o.valid.eq(self.beat & walk.last.part), o.place.eq(walk.count.place), o.first.eq(order.first_tile),
            o.last.eq(order.last_tile), o.full.eq(order.last_tile & walk.last.place),
            o.lanes.eq(Cat(order.rows >= lane for lane in range(array.columns))),
            self.free_table.eq(order.step), ended.eq(order.step & order.done)]
        self._beats(m, walking & self.built & (banks.room | ~begins), order, ended)
        self._data(m, walk)
        with m.If(self.start):
            m.d.sync += walking.eq(1)
        with m.If(ended):
            m.d.sync += walking.eq(0)
        with m.If(o.valid):
            m.d.sync += o.row.eq(Mux(walk.done, 0, o.row + 1))
        with m.If(order.step):
            m.d.sync += o.bank.eq(~o.bank)
        with m.If(o.valid & o.full):
            m.d.sync += o.turn.eq(~o.turn)
        return m

    def _beats(self, m: Module, ready: Signal, order: Sweeps, ended: Signal) -> None:
        """A beat from where the operation has them."""
        streamed, last = self.settings.stream_tables, self.i.payload.last
        m.d.comb += [
            self.i.ready.eq(ready & streamed), self.read.eq(ready & ~streamed),
            self.beat.eq(self.read | self.i.ready & self.i.valid)]
        with m.If(self.read):
            m.d.sync += self.address.eq(self.address + 1)
            with m.If(order.step & order.last_tile & order.last_sweep):
                m.d.sync += self.address.eq(self.settings.tables)
            with m.If(self.address >= self.array.table_words):
                m.d.comb += self.fault.eq(Error.TABLE)
        with m.If(self.start):
            m.d.sync += self.address.eq(self.next.tables)
        with m.If(self.i.ready & self.i.valid & (last != ended)):
            m.d.comb += self.fault.eq(Mux(last, Error.SHORT, Error.LONG))

    def _data(self, m: Module, walk: Loops) -> None:
        """The beat in a register (the table memory's own); parameters stay until their column's next ones."""
        taken = Signal(beat_width(self.array), reset_less=True)
        parameter = delay(m, self.beat & ~walk.last.part, 1, reset=True)
        part = delay(m, walk.count.part, 1)
        m.d.comb += self.code.eq(Mux(delay(m, self.read, 1), self.memory, taken))
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += taken.eq(self.i.payload.data)
        for byte in range(len(self.parameters) // 8):
            beat, word = divmod(byte, self.array.rows)
            with m.If(parameter & (part == beat)):
                m.d.sync += self.parameters.word_select(byte, 8).eq(self.code.word_select(word, 8))

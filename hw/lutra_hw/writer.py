"""What results and loads become: words of activation memory, or beats of the output stream."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Error, Kind
from lutra_model.params import Array

from .activations import activation_write
from .settings import settings
from .signals import bits

__all__ = ["Writer"]


class Writer(wiring.Component):
    """Combinational: zeros beyond the last column, words of a load, used words of a row.

    Members
    -------
    valid, i : a row's bytes, or the bytes of a load's beat, byte 0 lowest.
    address, edge : where it goes; whether it is in the last column tile.
    o : the write, of an operation whose results stay.
    beat : the row leaves by the output stream; ``data`` are its bytes, ``last`` its last used byte.
    fault : the error seen in this cycle.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "settings": In(settings(array)), "valid": In(1), "i": In(8 * array.columns), "address": In(32),
            "edge": In(1), "o": Out(activation_write(array)), "beat": Out(1), "data": Out(8 * array.columns),
            "last": Out(bits(array.columns)), "fault": Out(Error)})

    def elaborate(self, platform):
        m = Module()
        array, layer, o = self.array, self.settings, self.o
        load, leaves = Signal(), Signal()
        count = Signal(range(array.columns + 1))
        stays = self.valid & ~leaves
        narrow = [Kind.POOL, Kind.ROW] if array.functions else [Kind.POOL]  # a word at a time
        full = Mux(layer.kind.matches(*narrow), array.word - 1, array.columns - 1)
        m.d.comb += [
            load.eq(layer.kind == Kind.LOAD), leaves.eq(layer.to_stream & ~load),
            self.last.eq(Mux(self.edge, layer.last_columns, full)),
            self.data.eq(Cat(Mux(self.last >= column, self.i.word_select(column, 8), 0)
                             for column in range(array.columns))),
            self.beat.eq(self.valid & leaves),
            o.en.eq(stays & (count <= array.beat_words)), o.side.eq(layer.side), o.address.eq(self.address)]
        m.d.comb += [o.data.eq(self.data),
                     count.eq(sum(self.last >= start for start in range(0, array.columns, array.word)))]
        with m.If(load):
            self._load(m, count)
        m.d.comb += o.count.eq(count)
        with m.If(stays & (count > array.beat_words)):
            m.d.comb += self.fault.eq(Error.SIZE)
        return m

    def _load(self, m: Module, count: Signal) -> None:
        """A beat's bytes, ``word_bytes`` to a word."""
        array = self.array
        with m.Switch(self.settings.word_bytes):
            for size in range(1, array.word + 1):
                with m.Case(size):
                    starts = range(0, array.columns, size)
                    m.d.comb += [self.o.data.eq(Cat(self._word(start, size) for start in starts)[:len(self.o.data)]),
                                 count.eq(sum(self.last >= start for start in starts))]
                    with m.If(~self.edge):
                        m.d.comb += count.eq(array.columns // size)

    def _word(self, start: int, size: int) -> Value:
        taken = self.data[8 * start:8 * (start + size)]
        return Cat(taken, Const(0, 8 * self.array.word - len(taken)))

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
    """Zeros beyond the last column, words of a load, used words of a row.

    Outputs are combinational; what settings say of them is there one cycle after the settings.

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
        leaves, stays = Signal(), Signal()
        last, used, count, fits = self._sizes(m)
        m.d.sync += leaves.eq(layer.to_stream & (layer.kind != Kind.LOAD))
        m.d.comb += [
            self.last.eq(last), stays.eq(self.valid & ~leaves),
            self.data.eq(Cat(Mux(used[column], self.i.word_select(column, 8), 0) for column in range(array.columns))),
            self.beat.eq(self.valid & leaves), o.en.eq(stays & fits), o.side.eq(layer.side),
            o.address.eq(self.address), o.count.eq(count), o.data.eq(self.data)]
        self._load(m)
        with m.If(stays & ~fits):
            m.d.comb += self.fault.eq(Error.SIZE)
        return m

    def _load(self, m: Module) -> None:
        """A beat's bytes, ``word_bytes`` to a word."""
        layer, columns = self.settings, self.array.columns
        for size in range(1, self.array.word + 1):
            chosen = Signal(name=f"words_of_{size}")
            m.d.sync += chosen.eq((layer.kind == Kind.LOAD) & (layer.word_bytes == size))
            with m.If(chosen):
                words = Cat(self._word(start, size) for start in range(0, columns, size))
                m.d.comb += self.o.data.eq(words[:len(self.o.data)])

    def _word(self, start: int, size: int) -> Value:
        taken = self.data[8 * start:8 * (start + size)]
        return Cat(taken, Const(0, 8 * self.array.word - len(taken)))

    def _sizes(self, m: Module) -> list[Value]:
        """The last used byte, those up to it, the words written, and whether a beat can have so many.

        Registers hold what settings say of the last column tile and of the others.
        """
        array, layer, found = self.array, self.settings, []
        narrow = [Kind.POOL, Kind.ROW] if array.functions else [Kind.POOL]  # a word at a time
        full = Mux(layer.kind.matches(*narrow), array.word - 1, array.columns - 1)
        for name, last in (("edge", layer.last_columns), ("inside", full)):
            words = Signal(range(array.columns + 1), name=f"{name}_words")
            m.d.comb += words.eq(_filled(last, array.columns, array.word))
            with m.If(layer.kind == Kind.LOAD), m.Switch(layer.word_bytes):
                for size in range(1, array.word + 1):
                    with m.Case(size):
                        m.d.comb += words.eq(_filled(last, array.columns, size) if name == "edge"
                                             else array.columns // size)
            first = (array.columns - 1) * (name == "inside")  # what settings of zeros say
            filled = first // array.word + 1
            held = [Signal(bits(array.columns), name=f"{name}_last", init=first),
                    Signal(array.columns, name=f"{name}_used", init=(2 << first) - 1),
                    Signal.like(words, name=f"{name}_count", init=filled),
                    Signal(name=f"{name}_fits", init=filled <= array.beat_words)]
            used = Cat(last >= column for column in range(array.columns))
            m.d.sync += [register.eq(value) for register, value in zip(
                held, (last, used, words, words <= array.beat_words), strict=True)]
            found.append(held)
        return [Mux(self.edge, edge, inside) for edge, inside in zip(*found, strict=True)]


def _filled(last: Value, columns: int, size: int) -> Value:
    """Words of ``size`` bytes that are begun up to the last byte."""
    return Value.cast(sum(last >= start for start in range(0, columns, size)))

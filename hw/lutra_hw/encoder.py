"""Encoders: what turns a sub-vector into the symbol that the array's rows are told."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .distance import Distance, distance_width
from .feeder import centroid_words
from .signals import bits, delay

__all__ = ["Encoder", "PassThrough", "symbol_width"]


def symbol_width(array: Array) -> int:
    """Bits of what a row is told: an index, or an activation."""
    return bits(array.entries) if array.is_lookup else 8


def _signature(array: Array) -> wiring.Signature:
    return wiring.Signature({
        "centroid": In(1), "vector": In(1), "data": In(8 * array.length), "entry": In(bits(array.entries)),
        "address": In(bits(centroid_words(array))), "entry_mask": In(array.entries),
        "o": Out(symbol_width(array))})


class Encoder(wiring.Component):
    """Index of the centroid nearest to a sub-vector; the lowest index wins a tie.

    Latency is ``Pipeline.encode`` cycles (centroid read, lanes, sum, one for each level of the minimum tree),
    throughput one sub-vector in a cycle.

    Members
    -------
    centroid : ``data`` is centroid ``entry`` of the codebook at ``address``.
    vector : ``data`` is a sub-vector, to be compared with the codebook at ``address``.
    entry_mask : entries that the layer's codebooks have, one bit each.
    o : the index.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(_signature(array))

    def elaborate(self, platform):
        m = Module()
        array = self.array
        word = 8 * array.length
        m.submodules.centroids = memory = Memory(shape=word * array.entries, depth=centroid_words(array), init=[])
        write = memory.write_port(granularity=word)
        read = memory.read_port()
        vector = Signal(word, reset_less=True)
        m.d.comb += [write.addr.eq(self.address), write.data.eq(self.data.replicate(array.entries)),
                     write.en.eq(self.centroid << self.entry), read.addr.eq(self.address), read.en.eq(self.vector)]
        with m.If(self.vector):
            m.d.sync += vector.eq(self.data)
        active = [self.vector]  # whether a sub-vector is in each stage
        for _ in range(Pipeline(array).encode):
            active.append(delay(m, active[-1], 1, reset=True))
        invalid = (1 << distance_width(array.length, array.metric)) - 1
        candidates: list[tuple[Value, Value]] = []
        for entry in range(array.entries):
            m.submodules[f"distance_{entry}"] = unit = Distance(length=array.length, metric=array.metric)
            m.d.comb += [unit.enable.eq(Cat(active[1], active[2])), unit.a.eq(vector),
                         unit.p.eq(read.data.word_select(entry, word))]
            candidates.append((Mux(self.entry_mask[entry], unit.o, invalid), Value.cast(entry)))
        for enable in active[3:-1]:
            candidates = self._level(m, candidates, enable)
        m.d.comb += self.o.eq(candidates[0][1])
        return m

    @staticmethod
    def _level(m: Module, candidates: list[tuple[Value, Value]], enable: Value) -> list[tuple[Value, Value]]:
        """The nearer of each two neighbours, in registers."""
        winners: list[tuple[Value, Value]] = []
        for (low, low_index), (high, high_index) in zip(candidates[::2], candidates[1::2], strict=False):
            distance = Signal.like(low, name="distance", reset_less=True)
            index = Signal(max(len(low_index), len(high_index)), name="index", reset_less=True)
            nearer = Signal(name="nearer")
            m.d.comb += nearer.eq(high < low)
            with m.If(enable):
                m.d.sync += [distance.eq(Mux(nearer, high, low)), index.eq(Mux(nearer, high_index, low_index))]
            winners.append((distance, index))
        return winners


class PassThrough(wiring.Component):
    """The encoder of a MAC array: the scalar itself, after ``Pipeline.encode`` = 1 cycle. Members as `Encoder`."""

    def __init__(self, array: Array):
        super().__init__(_signature(array))

    def elaborate(self, platform):
        m = Module()
        with m.If(self.vector):
            m.d.sync += self.o.eq(self.data)
        return m

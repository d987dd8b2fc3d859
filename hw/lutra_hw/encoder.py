"""Encoders: what turns a sub-vector into the symbol that the array's rows are told."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .distance import Distance, distance_width
from .engines import encoder_signature
from .signals import delay

__all__ = ["Encoder", "PassThrough"]


class Encoder(wiring.Component):
    """Index of the centroid nearest to a sub-vector; the lowest index wins a tie.

    It holds two codebooks: the one in use, and the one that is being loaded.

    Latency is ``Pipeline.encode`` cycles (sub-vector register, lanes, sum, one for each level of the minimum tree),
    throughput one sub-vector in a cycle.

    Members
    -------
    load, entry, centroid : centroid ``entry`` of the next codebook.
    turn : the next codebook is used, from the sub-vector that comes in this cycle on. What is loaded in this cycle
        already belongs to the codebook after it.
    vector, data : a sub-vector.
    entry_mask : entries that the operation's codebooks have, one bit each.
    o : the index.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__(encoder_signature(array))

    def elaborate(self, platform):
        m = Module()
        array = self.array
        vector = Signal(8 * array.length, reset_less=True)
        with m.If(self.vector):
            m.d.sync += vector.eq(self.data)
        active = [self.vector]  # whether a sub-vector is in each stage
        for _ in range(Pipeline(array).encode):
            active.append(delay(m, active[-1], 1, reset=True))
        invalid = (1 << distance_width(array.length, array.metric)) - 1
        candidates: list[tuple[Value, Value]] = []
        for entry, centroid in enumerate(self._codebook(m)):
            m.submodules[f"distance_{entry}"] = unit = Distance(length=array.length, metric=array.metric)
            m.d.comb += [unit.enable.eq(Cat(active[1], active[2])), unit.a.eq(vector), unit.p.eq(centroid)]
            candidates.append((Mux(self.entry_mask[entry], unit.o, invalid), Value.cast(entry)))
        for enable in active[3:-1]:
            candidates = self._level(m, candidates, enable)
        m.d.comb += self.o.eq(candidates[0][1])
        return m

    def _codebook(self, m: Module) -> list[Signal]:
        """The codebook in use."""
        loaded, working = ([Signal(8 * self.array.length, name=f"{name}_{entry}", reset_less=True)
                            for entry in range(self.array.entries)] for name in ("loaded", "working"))
        for entry, register in enumerate(loaded):
            with m.If(self.load & (self.entry == entry)):
                m.d.sync += register.eq(self.centroid)
        with m.If(self.turn):
            m.d.sync += [w.eq(p) for w, p in zip(working, loaded, strict=True)]
        return working

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
        super().__init__(encoder_signature(array))

    def elaborate(self, platform):
        m = Module()
        with m.If(self.vector):
            m.d.sync += self.o.eq(self.data)
        return m

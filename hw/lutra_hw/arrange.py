"""Makes sub-vectors of the words of a window."""

from collections.abc import Callable, Iterable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Arrange
from lutra_model.params import Array

from .settings import settings
from .signals import bits

__all__ = ["Arranger"]


class Arranger(wiring.Component):
    """Which byte of which lane each scalar of each encoder is (docs/hardware.md).

    Combinational; what settings say of it is there one cycle after them.

    Members
    -------
    settings : of the running operation.
    words : of the lanes, lane 0 lowest.
    group : number of the window's group, its low bits.
    o : sub-vectors of ``array.length`` scalars, encoder 0 lowest; those from the operation's length on are 0.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"settings": In(settings(array)), "words": In(8 * array.word * array.lanes),
                          "group": In(bits(array.word)), "o": Out(8 * array.encoders * array.length)})

    def elaborate(self, platform):
        m = Module()
        array = self.array
        picked = Signal(8 * array.lanes)  # byte ``group`` of each lane
        m.d.comb += picked.eq(Cat(self._word(lane).word_select(self.group, 8) if array.word > 1 else self._word(lane)
                                  for lane in range(array.lanes)))
        most = array.longest_run
        chosen, used = Signal(range(2 * most + 1)), Signal(array.length)  # registers: runs, then taps, by their length
        m.d.sync += [chosen.eq(0), used.eq(Cat(v < self.settings.length for v in range(array.length)))]
        for first, arrange in ((0, Arrange.RUN), (most, Arrange.TAPS)):
            with m.If(self.settings.arrange == arrange):
                m.d.sync += chosen.eq(first + self.settings.length)
        with m.Switch(chosen):
            self._by_length(m, 1, self._run)
            self._by_length(m, 1 + most, lambda e, v, length: self._tap(picked, e * length + v))
            with m.Default():
                m.d.comb += self.o.eq(Cat(Mux(used[v], self._byte(e, v), 0)
                                          for e in range(array.encoders) for v in range(array.length)))
        return m

    def _by_length(self, m: Module, first: int, scalar: Callable[[int, int, int], Value]) -> None:
        """``scalar(e, v, length)`` for every length that such an operation may have, each a case."""
        for length in range(1, self.array.longest_run + 1):
            with m.Case(first + length - 1):
                m.d.comb += self.o.eq(Cat(self._padded(scalar(e, v, length) for v in range(length))
                                          for e in range(self.array.encoders)))

    def _padded(self, scalars: Iterable[Value]) -> Value:
        known = Cat(scalars)
        return Cat(known, Const(0, 8 * self.array.length - len(known)))

    def _word(self, lane: int) -> Value:
        return self.words.word_select(lane, 8 * self.array.word)

    def _byte(self, encoder: int, lane: int) -> Value:
        """The encoder's byte of a lane of its group."""
        group, byte = divmod(encoder, self.array.word)
        return self._word(group * self.array.length + lane).word_select(byte, 8)

    def _run(self, encoder: int, scalar: int, length: int) -> Value:
        group, run = divmod(encoder, self.array.word)
        lane, byte = divmod(run * length + scalar, self.array.word)
        return self._word(group * self.array.length + lane).word_select(byte, 8)

    def _tap(self, picked: Signal, lane: int) -> Value:
        return picked.word_select(lane, 8) if lane < self.array.lanes else Const(0, 8)

"""Softmax and norm of activation rows, pass by pass (docs/arithmetic.md)."""

from functools import reduce

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.params import Array

from .piecewise import FUNCTION, FUNCTION_STAGES, PiecewiseUnit
from .row_memory import RowMemory
from .row_scale import CHANNEL_BITS, FACTOR_BITS, SCALE_STAGES, SUM_BITS, TOTAL_BITS, RowScale, below
from .signals import bits, chain, delay, held

__all__ = ["ROW_GAP", "ROW_STAGES", "ROW_WIDTH", "RowUnit", "row_flags"]

ROW_WIDTH = 20   # of an output, signed
# Stages, counted from the word:
MEET = 3          # a row's maximum or sum is known, this word's bytes included
TERM = MEET + 1 + FUNCTION_STAGES + 1  # exponentials, squares, centred bytes are known
ROW_STAGES = TERM + 2  # values, and a row's total
ROW_GAP = ROW_STAGES + SCALE_STAGES + 1 - TERM  # cycles between passes: a factor is in its memory when it is read


def row_flags(array: Array) -> data.StructLayout:
    """What goes with a word: row of the block; the row's first and last word; number of the pass; the last pass."""
    return data.StructLayout({"row": bits(array.block_rows), "first": 1, "last": 1, "number": 2, "emit": 1})


class RowUnit(wiring.Component):
    """Passes over the channels of activation rows, one word in a cycle.

    Softmax: pass 0 finds the maximum ``m`` of a row, pass 1 the sum of ``e = function(x - m)`` clamped to 15 bits and
    with it the row's factor and shift (`RowScale`), pass 2 gives ``(e * factor) >> shift``. Norm: pass 0 sums ``x`` and
    ``x ^ 2``, pass 1 gives ``((channels * x - sum) * factor) >> shift``.

    Latency is ``ROW_STAGES`` = 12 cycles, throughput one word in a cycle. A row's word must come at least
    ``ROW_GAP + 1`` = 15 cycles after the row's last one of the pass before.

    Members
    -------
    softmax, channels, epsilon : of the running operation; softmax or norm, channels of a row.
    last_byte : the last used byte of a row's last word.
    elementwise, scalar : its functions: the exponential; the reciprocal of a softmax, the reciprocal root of a norm.
    valid, flags, i : a word of signed bytes.
    emit, o : values of the last pass, ``ROW_WIDTH`` signed bits for each byte; unused bytes give any.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "softmax": In(1), "channels": In(CHANNEL_BITS), "epsilon": In(32), "last_byte": In(bits(array.word)),
            "elementwise": In(FUNCTION), "scalar": In(FUNCTION),
            "valid": In(1), "flags": In(row_flags(array)), "i": In(8 * array.word),
            "emit": Out(1), "o": Out(ROW_WIDTH * array.word)})

    def elaborate(self, platform):
        m = Module()
        self._valid = valid = chain(m, self.valid, ROW_STAGES, reset=True)
        self._flags = flags = [row_flags(self.array)(value) for value in chain(m, self.flags.as_value(), ROW_STAGES)]
        data = [self._register(m, 0, self._used(byte)) for byte in range(self.array.word)]
        known = self._known(m, data)
        terms, centred = self._terms(m, [delay(m, byte, MEET - 1) for byte in data], known)
        m.submodules.scale = scale = RowScale(self.array)
        self._total(m, terms, delay(m, known, ROW_STAGES - MEET), scale)
        m.d.comb += [scale.read.eq(valid[TERM - 1]), scale.read_row.eq(flags[TERM - 1].row),
                     self.emit.eq(valid[ROW_STAGES] & flags[ROW_STAGES].emit)]
        for byte, (term, one) in enumerate(zip(terms, centred, strict=True)):
            product = self._register(m, TERM, Mux(self.softmax, term, one) * scale.factor)
            scaled = product >> self._register(m, TERM, scale.shift)
            m.d.comb += self.o.word_select(byte, ROW_WIDTH).eq(self._register(m, TERM + 1, scaled[:ROW_WIDTH]))
        return m

    def _register(self, m: Module, stage: int, value: Value) -> Signal:
        """The value one cycle later, for words that are at the stage."""
        return held(m, self._valid[stage], value, f"after_{stage}")

    def _is_used(self, stage: int, byte: int) -> Value:
        return ~self._flags[stage].last | (self.last_byte >= byte)

    def _used(self, byte: int) -> Value:
        """A byte; one beyond the last channel is neither the largest nor adds anything."""
        least = Mux(self.softmax, -128, 0)
        return Mux(self._is_used(0, byte), self.i.word_select(byte, 8).as_signed(), least)

    def _known(self, m: Module, data: list[Signal]) -> Signal:
        """The row's maximum (softmax) or sum, in stage ``MEET``."""
        m.submodules.known = memory = RowMemory(self.array, SUM_BITS)
        largest = reduce(lambda a, b: Mux(a > b, a, b), data)
        flags = self._flags[1]
        m.d.comb += [
            memory.valid.eq(self._valid[1]), memory.row.eq(flags.row), memory.write.eq(flags.number == 0),
            memory.first.eq(flags.first), memory.maximum.eq(self.softmax),
            memory.i.eq(self._register(m, 1, Mux(self.softmax, largest, sum(data))))]
        return self._register(m, 2, memory.o.as_signed())

    def _terms(self, m: Module, data: list[Value], known: Signal) -> tuple[list[Value], list[Value]]:
        """Of each byte, in stage ``TERM``: its exponential or square; it times the channels, less the row's sum."""
        terms, centred = list[Value](), list[Value]()
        total = delay(m, known, TERM - 1 - MEET)
        for number, byte in enumerate(data):
            m.submodules[f"unit_{number}"] = unit = PiecewiseUnit()
            m.d.comb += [unit.function.eq(self.elementwise), unit.i.eq(self._register(m, MEET, byte - known)),
                         unit.enable.eq(Mux(self.softmax, Cat(self._valid[MEET + 1:TERM - 1]), 0))]
            late = delay(m, byte, FUNCTION_STAGES)
            times, root = self._register(m, TERM - 2, late * self.channels), delay(m, late, 1)
            power = Mux(self._is_used(TERM - 1, number), below(unit.o, FACTOR_BITS), 0)
            terms.append(self._register(m, TERM - 1, Mux(self.softmax, power, root * root)[:FACTOR_BITS]))
            centred.append(self._register(m, TERM - 1, times - total))
        return terms, centred

    def _total(self, m: Module, terms: list[Value], known: Value, scale: RowScale) -> None:
        """Sums of the terms of a row; the last one goes to its factor."""
        m.submodules.total = memory = RowMemory(self.array, TOTAL_BITS)
        enter, leave = self._flags[TERM], self._flags[ROW_STAGES]
        m.d.comb += [
            memory.valid.eq(self._valid[TERM]), memory.row.eq(enter.row),
            memory.write.eq(enter.number == self.softmax), memory.first.eq(enter.first),
            memory.i.eq(self._register(m, TERM, sum(terms))),
            scale.softmax.eq(self.softmax), scale.channels.eq(self.channels), scale.epsilon.eq(self.epsilon),
            scale.function.eq(self.scalar), scale.row.eq(leave.row), scale.sum.eq(known),
            scale.valid.eq(self._valid[ROW_STAGES] & leave.last & (leave.number == self.softmax)),
            scale.total.eq(self._register(m, TERM + 1, memory.o))]

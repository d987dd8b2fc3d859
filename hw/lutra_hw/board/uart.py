"""A serial line: receiver and transmitter of bytes, 8 data bits, no parity, one stop bit."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["BREAK_BITS", "Receiver", "Transmitter"]

BREAK_BITS = 16  # a byte with its stop bit holds the line low for at most nine bit times


def _check(divisor: int) -> int:
    if divisor < 4:
        raise ValueError(f"divisor must be at least 4, not {divisor}")
    return divisor


class Receiver(wiring.Component):
    """Bytes from a line; a byte is offered half a bit time after its stop bit began.

    A byte waits on ``o`` until it is taken or until the next one has arrived, which then takes its place. A byte
    without a stop bit is dropped. Bits are sampled in their middle: a sender whose clock is 2% off is understood.

    Parameters
    ----------
    divisor : clock cycles in one bit time, at least 4.

    Members
    -------
    rx : the line, asynchronous; high when idle.
    o : the bytes.
    line_break : the line has been low for ``BREAK_BITS`` bit times or longer.
    """

    o: stream.Interface

    def __init__(self, divisor: int):
        self.divisor = _check(divisor)
        super().__init__({"rx": In(1, init=1), "o": Out(stream.Signature(8)), "line_break": Out(1)})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        before = Signal(init=1)  # a byte starts with an edge: nothing starts while a break lasts
        m.d.sync += before.eq(line)

        timer = Signal(range(self.divisor))  # cycles until the middle of the next bit
        bits = Signal(range(11))             # bits of this byte still to sample, start and stop included
        data = Signal(8)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(bits == 0):
            m.d.sync += [bits.eq(Mux(before & ~line, 10, 0)), timer.eq(self.divisor // 2 - 1)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [bits.eq(bits - 1), timer.eq(self.divisor - 1)]
            with m.If((bits == 10) & line):  # a glitch, not a start bit
                m.d.sync += bits.eq(0)
            with m.Elif(bits > 1):
                m.d.sync += data.eq(data[1:] | line << 7)
            with m.Elif(line):
                m.d.sync += [self.o.payload.eq(data), self.o.valid.eq(1)]

        low = Signal(range(BREAK_BITS * self.divisor + 1))
        m.d.comb += self.line_break.eq(low == BREAK_BITS * self.divisor)
        with m.If(line):
            m.d.sync += low.eq(0)
        with m.Elif(~self.line_break):
            m.d.sync += low.eq(low + 1)
        return m


class Transmitter(wiring.Component):
    """Bytes to a line, ten bit times each, without a gap while ``i`` offers them.

    Parameters
    ----------
    divisor : clock cycles in one bit time, at least 4.

    Members
    -------
    i : the bytes.
    tx : the line, registered; high when idle.
    """

    i: stream.Interface

    def __init__(self, divisor: int):
        self.divisor = _check(divisor)
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self.divisor))
        bits = Signal(range(11))    # bit times of this byte that have not ended
        data = Signal(9, init=-1)   # bits still to send; ones fill up, the last of them is the stop bit
        ending = (bits == 0) | ((bits == 1) & (timer == 0))
        m.d.comb += self.i.ready.eq(ending)
        with m.If(ending):
            m.d.sync += bits.eq(0)
            with m.If(self.i.valid):
                m.d.sync += [self.tx.eq(0), data.eq(self.i.payload | 1 << 8),
                             bits.eq(10), timer.eq(self.divisor - 1)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [self.tx.eq(data[0]), data.eq(data >> 1 | 1 << 8),
                         bits.eq(bits - 1), timer.eq(self.divisor - 1)]
        return m

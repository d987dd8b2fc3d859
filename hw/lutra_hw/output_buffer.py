"""Output buffer: every place in it is reserved before its row is issued."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .signals import bits

__all__ = ["OutputBuffer"]


class OutputBuffer(wiring.Component):
    """A first-in first-out buffer that its writer never finds full.

    A beat written in one cycle is on offer in the next; one beat in a cycle. A place is free again one cycle after its
    beat was taken.

    Members
    -------
    reserve : a place is reserved; allowed while there is ``room``.
    write, data : a beat comes to a reserved place.
    forget : no more beats come to the places that are reserved after this cycle: they are free again.
    o : the beats in their order.
    emptied : the only beat is taken in this cycle.
    """

    reserve: Signal
    room: Signal
    write: Signal
    data: Signal
    forget: Signal
    emptied: Signal
    o: stream.Interface

    def __init__(self, *, width: int, depth: int):
        self.depth = depth
        super().__init__({"reserve": In(1), "room": Out(1, init=1), "write": In(1), "data": In(width), "forget": In(1),
                          "emptied": Out(1), "o": Out(stream.Signature(width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=len(self.data), depth=self.depth, init=[])
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        reserved, held = (Signal(bits(self.depth + 1), name=name) for name in ("reserved", "held"))
        head, tail, taken = Signal(range(self.depth)), Signal(range(self.depth)), Signal()
        m.d.comb += [
            taken.eq(self.o.valid & self.o.ready), self.emptied.eq(taken & (held == 1)),
            self.o.valid.eq(held != 0),
            write.addr.eq(tail), write.data.eq(self.data), write.en.eq(self.write),
            read.addr.eq(head), self.o.payload.eq(read.data)]
        stays = held + self.write - taken
        m.d.sync += held.eq(stays)
        self._count(m, reserved, taken)
        with m.If(self.forget):
            m.d.sync += [reserved.eq(stays), self.room.eq(stays != self.depth)]
        with m.If(self.write):
            m.d.sync += tail.eq(Mux(tail == self.depth - 1, 0, tail + 1))
        with m.If(taken):
            m.d.sync += head.eq(Mux(head == self.depth - 1, 0, head + 1))
        return m

    def _count(self, m: Module, reserved: Signal, taken: Signal) -> None:
        """Places that are reserved, and whether there are more, known before the cycle begins."""
        with m.If(self.reserve & ~taken):
            m.d.sync += [reserved.eq(reserved + 1), self.room.eq(reserved != self.depth - 1)]
        with m.If(taken & ~self.reserve):
            m.d.sync += [reserved.eq(reserved - 1), self.room.eq(1)]

"""Rules of streams: what is offered stays until it is taken; a buffer gives all that it got, once, in order."""

from amaranth.hdl import Array, Assert, Assume, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Flow

from lutra_hw.credit import Credit
from lutra_hw.machine import Machine
from lutra_hw.output_buffer import OutputBuffer
from lutra_model.schedule import Pipeline

from .prove import Statement

__all__ = ["BeatsStay", "BufferKeeps", "CreditCounts", "MachineOffers", "OffersStay", "offers_stay"]


PAYLOAD = 3  # number of the frame reader's last state


def offers_stay(m: Module, port: stream.Interface) -> None:
    """What is offered at a stream's output is never withdrawn and does not change until it is taken."""
    payload = Value.cast(port.payload)
    waits, offered = Signal(), Signal.like(payload)
    m.d.sync += [waits.eq(port.valid & ~port.ready), offered.eq(payload)]
    with m.If(waits):
        m.d.comb += [Assert(port.valid), Assert(payload == offered)]


def in_order(depth: int, held: Value, reserved: Value, head: Value, tail: Value) -> Assert:
    """Registers of an output buffer that it can come to: places in use are reserved and follow each other."""
    end = head + held
    return Assert((held <= reserved) & (reserved <= depth) & (head < depth) & (tail < depth)
                  & (tail == Mux(end < depth, end, end - depth)))


class OffersStay(Statement):
    """Every stream that a component gives keeps the rules, whatever comes in and whenever it is taken."""

    def claim(self, m: Module) -> None:
        for name, member in self.part.signature.members.items():
            if member.is_signature and isinstance(member.signature, stream.Signature) and member.flow is Flow.Out:
                offers_stay(m, getattr(self.part, name))


class BeatsStay(OffersStay):
    """The same of a frame reader, or of a link with one: a beat waits in the state in which no byte is taken."""

    def __init__(self, part: wiring.Component, *, reader: str = "", channels: int) -> None:
        self._reader, self._channels = reader, channels
        super().__init__(part)

    def claim(self, m: Module) -> None:
        super().claim(m)
        full, state = self.look(f"{self._reader}full", self._channels), self.look(f"{self._reader}fsm_state", 2)
        m.d.comb += Assert((full == 0) | (state == PAYLOAD))


class BufferKeeps(Statement):
    """An output buffer whose writer reserves a place for each beat: rules of its stream, no beat lost, doubled or
    overtaken, and no place lost.

    One beat, any one, is watched from its write on: its data, and how many beats must leave before it.
    """

    part: OutputBuffer

    def claim(self, m: Module) -> None:
        part, depth = self.part, self.part.depth
        held, reserved, ahead = (Signal(range(depth + 1), name=name) for name in ("held", "reserved", "ahead"))
        watched, data = Signal(), Signal.like(part.data)
        taken = part.o.valid & part.o.ready
        stays = held + part.write - taken
        m.d.comb += [Assume(~part.reserve | part.room), Assume(~part.write | (held < reserved))]
        m.d.sync += [held.eq(stays), reserved.eq(Mux(part.forget, stays, reserved + part.reserve - taken)),
                     ahead.eq(Mux(watched, ahead, held) - taken)]
        with m.If(~watched):
            m.d.sync += [watched.eq(part.write & self.choice()), data.eq(part.data)]
        with m.Elif(taken & (ahead == 0)):
            m.d.comb += Assert(part.o.payload == data)
            m.d.sync += watched.eq(0)
        offers_stay(m, part.o)
        m.d.comb += [Assert(part.o.valid == (held != 0)), Assert(part.emptied == (taken & (held == 1))),
                     Assert(part.room == (reserved != depth))]
        head = self._state(m, held, reserved)
        with m.If(watched):
            m.d.comb += [Assert(ahead < held), Assert(self._word(head + ahead) == data)]

    def _state(self, m: Module, held: Signal, reserved: Signal) -> Signal:
        """What induction needs to know of the buffer's registers; its first place in use."""
        depth = self.part.depth
        head, tail = (self.look(f"{port}__addr", range(depth)) for port in ("read", "write"))
        m.d.comb += [Assert(self.look("held", held.shape()) == held),
                     Assert(self.look("reserved", held.shape()) == reserved),
                     in_order(depth, held, reserved, head, tail)]
        return head

    def _word(self, place: Value) -> Value:
        """The word at a place, counted on from the last one to the first."""
        words = [self.look(f"memory[{n}]", self.part.data.shape()) for n in range(self.part.depth)]
        return Array([*words, *words])[place]


class CreditCounts(Statement):
    """A credit's level is what was put less what was dropped, within its places, for a user who keeps its rules."""

    part: Credit

    def claim(self, m: Module) -> None:
        part, level = self.part, Signal.like(self.part.level)
        m.d.comb += [Assume(~part.put | part.room), Assume(~part.drop | part.some)]
        m.d.sync += level.eq(level + part.put - part.drop)
        m.d.comb += [Assert(part.level == level), Assert(level <= part.places), Assert(part.some == (level != 0)),
                     Assert(part.room == (level != part.places))]


class MachineOffers(Statement):
    """A machine's output keeps the rules of AXI4-Stream, failures included, and its whole core may do what it likes.

    But for this: it reserves places only while there is room, and writes to reserved ones.
    """

    part: Machine

    def claim(self, m: Module) -> None:
        part, depth = self.part, Pipeline(self.part.array).buffer
        port = stream.Signature(data.StructLayout({
            "data": len(part.m_axis_tdata), "keep": len(part.m_axis_tkeep), "last": 1})).create(path=("output",))
        m.d.comb += [port.valid.eq(part.m_axis_tvalid), port.ready.eq(part.m_axis_tready), port.payload.eq(
            Cat(part.m_axis_tdata, part.m_axis_tkeep, part.m_axis_tlast))]
        offers_stay(m, port)
        held, reserved = (self.look(f"buffer.{name}", range(depth + 1)) for name in ("held", "reserved"))
        head, tail = (self.look(f"buffer.{port}__addr", range(depth)) for port in ("read", "write"))
        reserve, room, write = (self.look(f"buffer.{name}", 1) for name in ("reserve", "room", "write"))
        m.d.comb += [Assume(~reserve | room), Assume(~write | (held < reserved)),
                     in_order(depth, held, reserved, head, tail)]

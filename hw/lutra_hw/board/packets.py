"""Packets to the host: acknowledgements, output beats, status, identity, each with its check."""

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from lutra_model.link import ACKNOWLEDGE, BEAT, CHECK_BYTES, IDENTITY, REFUSED, STATUS, WINDOW_BYTES, Identity

__all__ = ["PacketWriter"]

LEAST = 3 + CHECK_BYTES  # bytes of a frame


class PacketWriter(wiring.Component):
    """Turns output beats, acknowledgements and what else there is to say into bytes.

    A packet is a byte that says what it is, its content, low byte first, and its check: a CRC-32 of all packets since
    reset without their checks. Acknowledgements go first, then beats; a status packet waits until no such is to be
    sent, so that all beats of a run come before its end, and an identity packet until nothing else is. One byte in
    two cycles, for a line is much slower.

    Parameters
    ----------
    columns : bytes in a beat.

    Members
    -------
    i : the beats.
    acknowledge : one acknowledgement for each cycle in which it is high.
    refused : a packet says, once, that this has become high.
    status : the status word; a packet says it after each change of its state or error.
    request : a packet says it after this cycle.
    hello : a packet says the identity after this cycle.
    identity : what it says; must not change before it has been said.
    o : the bytes.
    """

    i: stream.Interface
    o: stream.Interface
    acknowledge: Signal
    refused: Signal
    status: Signal
    request: Signal
    hello: Signal
    identity: Signal

    def __init__(self, columns: int):
        self.columns = columns
        super().__init__({"i": In(stream.Signature(8 * columns)), "acknowledge": In(1), "refused": In(1),
                          "status": In(32), "request": In(1), "hello": In(1), "identity": In(8 * Identity.SIZE),
                          "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=8).create()
        held = Signal(8 * max(self.columns, 4), reset_less=True)  # left of a packet's content, but an identity's
        left = Signal(range(max(self.columns, Identity.SIZE) + CHECK_BYTES + 1))  # bytes to be said, check included
        checked = Signal()  # the byte on o is part of the check
        told = self.identity.word_select((Identity.SIZE + CHECK_BYTES - left)[:4], 8)
        check, checking = crc.crc.word_select((CHECK_BYTES - left)[:2], 8), left <= CHECK_BYTES
        m.d.comb += [crc.data.eq(self.o.payload), crc.valid.eq(self.o.valid & self.o.ready & ~checked)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        introducing = self._begin(m, ~self.o.valid & (left == 0), held, left, checked)
        with m.If(~self.o.valid & (left != 0)):
            m.d.sync += [self.o.payload.eq(Mux(checking, check, Mux(introducing, told, held))), self.o.valid.eq(1),
                         held.eq(held >> 8), left.eq(left - 1), checked.eq(checking)]
        return m

    def _begin(self, m: Module, begin: Value, held: Signal, left: Signal, checked: Signal) -> Signal:
        """The first byte of what comes first of what is to be sent; whether the packet says the identity."""
        owed = Signal(range(WINDOW_BYTES // LEAST + 1))  # acknowledgements not sent yet
        status = Signal(32)                              # one cycle old
        asked, greeted, refused = Signal(), Signal(), Signal()  # status and identity are to be sent; refusal was
        sends = [(self.refused & ~refused, REFUSED, held, 0), (owed != 0, ACKNOWLEDGE, held, 0),
                 (self.i.valid, BEAT, self.i.payload, self.columns), (asked, STATUS, status, 4),
                 (greeted, IDENTITY, held, Identity.SIZE)]
        chosen = {first: Signal(name=f"sends_{first}") for _, first, _, _ in sends}
        introducing, others = Signal(), Const(0, 1)
        for due, first, content, size in sends:
            m.d.comb += chosen[first].eq(begin & due & ~others)
            with m.If(chosen[first]):
                m.d.sync += [self.o.payload.eq(first), self.o.valid.eq(1), held.eq(content), checked.eq(0),
                             left.eq(size + CHECK_BYTES), introducing.eq(first == IDENTITY)]
            others |= due
        m.d.comb += self.i.ready.eq(chosen[BEAT])
        m.d.sync += [refused.eq(refused | chosen[REFUSED]), owed.eq(owed + self.acknowledge - chosen[ACKNOWLEDGE]),
                     status.eq(self.status), greeted.eq(self.hello | (greeted & ~chosen[IDENTITY])),
                     asked.eq((status[:8] != self.status[:8]) | self.request | (asked & ~chosen[STATUS]))]
        return introducing

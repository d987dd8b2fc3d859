"""Packets to the host: acknowledgements, output beats, status, identity, each with its check."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from lutra_model.link import ACKNOWLEDGE, BEAT, CHECK_BYTES, IDENTITY, REFUSED, STATUS, WINDOW_BYTES, Identity

__all__ = ["PacketWriter"]


class PacketWriter(wiring.Component):
    """Turns output beats, acknowledgements and what else there is to say into bytes.

    A packet is a byte that says what it is, its content, low byte first, and its check: a CRC-32 of all packets since
    reset without their checks. Acknowledgements go first, then beats; a status packet waits until no such is to be
    sent, so that all beats of a run come before its end, and an identity packet until nothing else is. One byte in
    each cycle.

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
    identity : what it says.
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
        longest = max(self.columns, Identity.SIZE)
        held = Signal(8 * longest)                          # what is left of a packet's content
        left = Signal(range(longest + CHECK_BYTES + 1))     # bytes of the packet to be said, check included
        checking = left <= CHECK_BYTES
        kind, free = Signal(8), Signal()                    # of the next packet; a byte may be put on o
        begin = Signal()                                    # a packet begins if one is to be sent
        m.d.comb += [free.eq(~self.o.valid | self.o.ready), begin.eq(free & (left == 0)), crc.data.eq(kind)]
        with m.If(free & (left != 0)):
            m.d.comb += [crc.data.eq(held), crc.valid.eq(~checking)]
            m.d.sync += [self.o.payload.eq(Mux(checking, crc.crc.word_select((-left)[:2], 8), held)),
                         held.eq(held >> 8), left.eq(left - 1)]
        with m.If(free):
            m.d.sync += self.o.valid.eq((left != 0) | crc.valid)
        self._choose(m, begin, kind, held, left, crc.valid)
        return m

    def _choose(self, m: Module, begin: Signal, kind: Signal, held: Signal, left: Signal, valid: Signal) -> None:
        """What comes first of what is to be sent."""
        owed = Signal(range(WINDOW_BYTES + 1))  # acknowledgements not sent yet
        status = Signal(32)                     # one cycle old
        asked, greeted, told = Signal(), Signal(), Signal()  # status and identity are to be sent; refusal was
        sends = [(self.refused & ~told, REFUSED, 0, 0), (owed != 0, ACKNOWLEDGE, 0, 0),
                 (self.i.valid, BEAT, self.i.payload, self.columns), (asked, STATUS, status, 4),
                 (greeted, IDENTITY, self.identity, Identity.SIZE)]
        chosen = {first: Signal(name=f"sends_{first}") for _, first, _, _ in sends}
        others = 0
        for due, first, content, size in sends:
            m.d.comb += chosen[first].eq(begin & due & ~others)
            with m.If(chosen[first]):
                m.d.comb += [kind.eq(first), valid.eq(1)]
                m.d.sync += [self.o.payload.eq(first), held.eq(content), left.eq(size + CHECK_BYTES)]
            others |= due
        m.d.comb += self.i.ready.eq(chosen[BEAT])
        m.d.sync += [told.eq(told | chosen[REFUSED]), owed.eq(owed + self.acknowledge - chosen[ACKNOWLEDGE]),
                     status.eq(self.status), greeted.eq(self.hello | (greeted & ~chosen[IDENTITY])),
                     asked.eq((status[:8] != self.status[:8]) | self.request | (asked & ~chosen[STATUS]))]

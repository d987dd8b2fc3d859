"""Frames from the host, checked and buffered whole."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.link import CHECK_BYTES, WINDOW_BYTES

__all__ = ["FrameBuffer"]


class FrameBuffer(wiring.Component):
    """Holds frames back until their check has come; a wrong one ends it all.

    A frame is a channel byte, the payload's byte count (two bytes, low one first), the payload, and the check: a
    CRC-32 of all frames since reset without their checks, low byte first. What leaves are whole right frames without
    their checks. After a wrong check, or a byte for which there is no room, nothing leaves any more but the frames
    before it.

    Members
    -------
    i : bytes; always ready.
    o : bytes of right frames, up to one in each cycle.
    refused : a frame was wrong; high until reset.
    """

    i: stream.Interface
    o: stream.Interface
    refused: Signal

    def __init__(self):
        super().__init__({"i": In(stream.Signature(8, always_ready=True)), "o": Out(stream.Signature(8)),
                          "refused": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(data_width=8).create()
        byte, keep, whole = Signal(), Signal(), Signal()  # one to be looked at; no check; the last of a right frame
        place, left = Signal(range(CHECK_BYTES)), Signal(16)  # in header or check; payload bytes to come
        count = Cat(left[8:], self.i.payload)
        m.d.comb += [byte.eq(self.i.valid & ~self.refused), crc.data.eq(self.i.payload), crc.valid.eq(keep)]
        with m.FSM():
            with m.State("HEADER"), m.If(byte):
                m.d.comb += keep.eq(1)
                m.d.sync += [place.eq(Mux(place == 2, 0, place + 1)), left.eq(count)]
                with m.If((place == 2) & (count != 0)):
                    m.next = "PAYLOAD"
                with m.Elif(place == 2):
                    m.next = "CHECK"
            with m.State("PAYLOAD"), m.If(byte):
                m.d.comb += keep.eq(1)
                m.d.sync += left.eq(left - 1)
                with m.If(left == 1):
                    m.next = "CHECK"
            with m.State("CHECK"), m.If(byte):
                m.d.sync += place.eq(place + 1)
                with m.If(self.i.payload != crc.crc.word_select(place, 8)):
                    m.d.sync += self.refused.eq(1)
                with m.Elif(place == CHECK_BYTES - 1):
                    m.d.comb += whole.eq(1)
                    m.next = "HEADER"
        self._buffer(m, keep, whole)
        return m

    def _buffer(self, m: Module, keep: Signal, whole: Signal) -> None:
        """Bytes are written as they come; they may be read once their frame is known to be right."""
        m.submodules.memory = memory = Memory(shape=8, depth=WINDOW_BYTES, init=[])
        write, read = memory.write_port(), memory.read_port()
        written, right, taken = (Signal(range(2 * WINDOW_BYTES)) for _ in range(3))
        full = (written ^ taken) == WINDOW_BYTES
        free = ~self.o.valid | self.o.ready
        fetch = free & (taken != right)
        m.d.comb += [write.addr.eq(written), write.data.eq(self.i.payload), write.en.eq(keep & ~full),
                     read.addr.eq(taken), read.en.eq(fetch), self.o.payload.eq(read.data)]
        m.d.sync += [written.eq(written + keep), taken.eq(taken + fetch)]
        with m.If(free):
            m.d.sync += self.o.valid.eq(fetch)
        with m.If(whole):
            m.d.sync += right.eq(written)
        with m.If(keep & full):
            m.d.sync += self.refused.eq(1)

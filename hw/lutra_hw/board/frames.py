"""Frames from the host: checked and buffered whole, then taken apart into beats."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.link import CHANNELS, CHECK_BYTES, LAST, WINDOW_BYTES

__all__ = ["FrameBuffer", "FrameReader", "beat"]

REQUEST = CHANNELS.index("status")


def beat(size: int) -> stream.Signature:
    """A stream of beats of ``size`` bytes, byte 0 lowest, with ``tlast``."""
    return stream.Signature(data.StructLayout({"data": 8 * size, "last": 1}))


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


class FrameReader(wiring.Component):
    """Takes frames apart and offers their payload in beats.

    A frame is a channel byte, the payload's byte count (two bytes, low one first) and the payload, which is whole
    beats of that channel. One byte is taken in each cycle in which no beat waits; the payload of a channel without
    beats is dropped.

    Parameters
    ----------
    beat_bytes : bytes in a beat of each channel.

    Members
    -------
    i : the bytes of the frames.
    o0, o1, ... : the beats of each channel; ``last`` in the last one of a frame that says so.
    done : high for one cycle for each frame, when its last byte has been taken and its last beat has left.
    request : the same, for frames that ask for the status.
    """

    i: stream.Interface
    done: Signal
    request: Signal

    def __init__(self, beat_bytes: tuple[int, ...]):
        assert min(beat_bytes) >= 1
        assert len(beat_bytes) <= REQUEST
        self.beat_bytes = beat_bytes
        super().__init__({"i": In(stream.Signature(8)), "done": Out(1), "request": Out(1),
                          **{f"o{channel}": Out(beat(size)) for channel, size in enumerate(beat_bytes)}})

    @property
    def outputs(self) -> list[stream.Interface]:
        """The streams of the channels, in their order."""
        return [getattr(self, f"o{channel}") for channel in range(len(self.beat_bytes))]

    def elaborate(self, platform):
        m = Module()
        longest = max(self.beat_bytes)
        head = Signal(8)
        channel = head[:-1]
        count = Signal(16)               # payload bytes not taken yet
        held = Signal(8 * longest)       # bytes enter at the top: a whole beat is the top of it
        missing = Signal(range(longest + 1))  # bytes that the beat lacks
        full = Signal(len(self.beat_bytes))  # a beat waits, for the channel of that place
        size: Value | int = 1
        assert 1 << len(channel) == LAST
        for number, (output, beat_size) in enumerate(zip(self.outputs, self.beat_bytes, strict=True)):
            size = Mux(channel == number, beat_size, size)
            m.d.comb += [output.payload.data.eq(held[-8 * beat_size:]), output.payload.last.eq(head[-1] & (count == 0)),
                         output.valid.eq(full[number])]
            with m.If(output.valid & output.ready):
                m.d.sync += full[number].eq(0)
        m.d.comb += self.request.eq(self.done & (channel == REQUEST))

        with m.FSM():
            with m.State("CHANNEL"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += head.eq(self.i.payload)
                with m.If(self.i.valid):
                    m.next = "LOW"
            with m.State("LOW"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [count[:8].eq(self.i.payload), missing.eq(size)]
                with m.If(self.i.valid):
                    m.next = "HIGH"
            with m.State("HIGH"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += count[8:].eq(self.i.payload)
                with m.If(self.i.valid):
                    m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [self.i.ready.eq((full == 0) & (count != 0)), self.done.eq((full == 0) & (count == 0))]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += [count.eq(count - 1), held.eq(Cat(held, self.i.payload)[8:]),
                                 missing.eq(Mux(missing == 1, size, missing - 1)),
                                 *(bit.eq((missing == 1) & (channel == number)) for number, bit in enumerate(full))]
                with m.If(self.done):
                    m.next = "CHANNEL"
        return m

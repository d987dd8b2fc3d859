"""The host link: frames of bytes to the machine's input streams, its output beats to packets of bytes."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from lutra_model.link import ACKNOWLEDGE, BEAT, WINDOW_BYTES

__all__ = ["FrameReader", "HostLink", "PacketWriter"]


class FrameReader(wiring.Component):
    """Takes frames apart and offers their payload in beats.

    A frame is a channel byte, the payload's byte count (two bytes, low one first) and the payload, which is whole
    beats of that channel. One byte is taken in each cycle in which no beat waits; the payload of an unknown channel
    is dropped.

    Parameters
    ----------
    beat_bytes : bytes in a beat of each channel.

    Members
    -------
    i : the bytes of the frames.
    o0, o1, ... : the beats of each channel, byte 0 lowest.
    done : high for one cycle for each frame, when its last byte has been taken and its last beat has left.
    """

    i: stream.Interface
    done: Signal

    def __init__(self, beat_bytes: tuple[int, ...]):
        assert min(beat_bytes) >= 1
        self.beat_bytes = beat_bytes
        super().__init__({"i": In(stream.Signature(8)), "done": Out(1),
                          **{f"o{channel}": Out(stream.Signature(8 * size))
                             for channel, size in enumerate(beat_bytes)}})

    @property
    def outputs(self) -> list[stream.Interface]:
        """The streams of the channels, in their order."""
        return [getattr(self, f"o{channel}") for channel in range(len(self.beat_bytes))]

    def elaborate(self, platform):
        m = Module()
        longest = max(self.beat_bytes)
        channel = Signal(8)
        count = Signal(16)               # payload bytes not taken yet
        beat = Signal(8 * longest)       # bytes enter at the top: a whole beat is the top of it
        missing = Signal(range(longest + 1))  # bytes that the beat lacks
        full = Signal()                  # a beat waits
        size: Value | int = 1
        known = Signal()
        for number, (output, beat_size) in enumerate(zip(self.outputs, self.beat_bytes, strict=True)):
            size = Mux(channel == number, beat_size, size)
            m.d.comb += [output.payload.eq(beat[-8 * beat_size:]), output.valid.eq(full & (channel == number))]
            with m.If(output.valid & output.ready):
                m.d.sync += full.eq(0)
        m.d.comb += known.eq(channel < len(self.beat_bytes))

        with m.FSM():
            with m.State("CHANNEL"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += channel.eq(self.i.payload)
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
                m.d.comb += [self.i.ready.eq(~full & (count != 0)), self.done.eq(~full & (count == 0))]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += [count.eq(count - 1), beat.eq(Cat(beat, self.i.payload)[8:]),
                                 missing.eq(Mux(missing == 1, size, missing - 1)),
                                 full.eq((missing == 1) & known)]
                with m.If(self.done):
                    m.next = "CHANNEL"
        return m


class PacketWriter(wiring.Component):
    """Turns output beats and acknowledgements into bytes.

    An acknowledgement is the byte ``ACKNOWLEDGE``; a beat is the byte ``BEAT`` and the bytes that ``keep`` marks,
    which are the lowest ones. Acknowledgements go first; a beat is never interrupted.

    Parameters
    ----------
    columns : bytes in a beat.

    Members
    -------
    i : the beats.
    acknowledge : one acknowledgement for each cycle in which it is high.
    o : the bytes.
    """

    i: stream.Interface
    o: stream.Interface
    acknowledge: Signal

    def __init__(self, columns: int):
        self.columns = columns
        beat = data.StructLayout({"data": 8 * columns, "keep": columns})
        super().__init__({"i": In(stream.Signature(beat)), "acknowledge": In(1),
                          "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        owed = Signal(range(WINDOW_BYTES + 1))  # acknowledgements not sent yet
        held = Signal(8 * self.columns)         # what is left of a beat
        keep = Signal(self.columns)
        free = Signal()                         # a byte may be put on o
        m.d.comb += free.eq(~self.o.valid | self.o.ready)
        acknowledging = ~keep[0] & (owed != 0)
        m.d.comb += self.i.ready.eq(free & ~keep[0] & (owed == 0))
        m.d.sync += owed.eq(owed + self.acknowledge - (free & acknowledging))
        with m.If(free):
            m.d.sync += self.o.valid.eq(keep[0] | acknowledging | self.i.valid)
            with m.If(keep[0]):
                m.d.sync += [self.o.payload.eq(held), held.eq(held >> 8), keep.eq(keep >> 1)]
            with m.Elif(acknowledging):
                m.d.sync += self.o.payload.eq(ACKNOWLEDGE)
            with m.Else():
                m.d.sync += [self.o.payload.eq(BEAT), held.eq(self.i.payload.data)]
                m.d.sync += keep.eq(Mux(self.i.valid, self.i.payload.keep, 0))
        return m


class HostLink(wiring.Component):
    """Frames in, packets out, and a buffer for the frames that the host may have under way.

    Parameters
    ----------
    beat_bytes : bytes in a beat of each channel.
    columns : bytes in an output beat.

    Members
    -------
    i : bytes from the host; ready while it keeps at most ``WINDOW_BYTES`` bytes unacknowledged.
    o : bytes to the host.
    o0, o1, ... : the beats of each channel.
    beats : the output beats.
    """

    i: stream.Interface
    o: stream.Interface
    beats: stream.Interface

    def __init__(self, beat_bytes: tuple[int, ...], columns: int):
        self.reader = FrameReader(beat_bytes)
        self.writer = PacketWriter(columns)
        channels = {name: member for name, member in self.reader.signature.members.items()
                    if name not in ("i", "done")}
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)), **channels,
                          "beats": In(self.writer.i.signature.flip())})

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = self.reader
        m.submodules.writer = self.writer
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=8, depth=WINDOW_BYTES)
        wiring.connect(m, wiring.flipped(self.i), fifo.w_stream)
        wiring.connect(m, fifo.r_stream, self.reader.i)
        for channel, output in enumerate(self.reader.outputs):
            wiring.connect(m, output, wiring.flipped(getattr(self, f"o{channel}")))
        wiring.connect(m, wiring.flipped(self.beats), self.writer.i)
        wiring.connect(m, self.writer.o, wiring.flipped(self.o))
        m.d.comb += self.writer.acknowledge.eq(self.reader.done)
        return m

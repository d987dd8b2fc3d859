"""The host link: frames of bytes to the machine's input streams; output beats and status to packets of bytes."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from lutra_model.link import ACKNOWLEDGE, BEAT, CHANNELS, LAST, STATUS, WINDOW_BYTES

__all__ = ["FrameReader", "HostLink", "PacketWriter", "beat"]

REQUEST = CHANNELS.index("status")


def beat(size: int) -> stream.Signature:
    """A stream of beats of ``size`` bytes, byte 0 lowest, with ``tlast``."""
    return stream.Signature(data.StructLayout({"data": 8 * size, "last": 1}))


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


class PacketWriter(wiring.Component):
    """Turns output beats, acknowledgements and the machine's status into bytes.

    A packet is a byte that says what it is and its content, low byte first: nothing after ``ACKNOWLEDGE``, the beat
    after ``BEAT``, the status word after ``STATUS``. Acknowledgements go first; a status packet waits until nothing
    else is to be sent, so that all beats of a run come before its end. One byte in each cycle.

    Parameters
    ----------
    columns : bytes in a beat.

    Members
    -------
    i : the beats.
    acknowledge : one acknowledgement for each cycle in which it is high.
    status : the status word; a packet says it after each change of its state or error.
    request : a packet says it after this cycle.
    o : the bytes.
    """

    i: stream.Interface
    o: stream.Interface
    acknowledge: Signal
    status: Signal
    request: Signal

    def __init__(self, columns: int):
        self.columns = columns
        super().__init__({"i": In(stream.Signature(8 * columns)), "acknowledge": In(1), "status": In(32),
                          "request": In(1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        owed = Signal(range(WINDOW_BYTES + 1))  # acknowledgements not sent yet
        longest = max(self.columns, 4)
        held = Signal(8 * longest)              # what is left of a packet
        left = Signal(range(longest + 1))       # bytes of that
        status, asked = Signal(32), Signal()    # one cycle old; it is to be sent
        free = Signal()                         # a byte may be put on o
        m.d.comb += [free.eq(~self.o.valid | self.o.ready), self.i.ready.eq(free & (left == 0) & (owed == 0))]
        acknowledging = (left == 0) & (owed != 0)
        m.d.sync += [owed.eq(owed + self.acknowledge - (free & acknowledging)), status.eq(self.status)]
        with m.If(free):
            m.d.sync += self.o.valid.eq((left != 0) | acknowledging | self.i.valid | asked)
            with m.If(left != 0):
                m.d.sync += [self.o.payload.eq(held), held.eq(held >> 8), left.eq(left - 1)]
            with m.Elif(acknowledging):
                m.d.sync += self.o.payload.eq(ACKNOWLEDGE)
            with m.Elif(self.i.valid):
                m.d.sync += [self.o.payload.eq(BEAT), held.eq(self.i.payload), left.eq(self.columns)]
            with m.Elif(asked):
                m.d.sync += [self.o.payload.eq(STATUS), held.eq(status), left.eq(4), asked.eq(0)]
        with m.If((status[:8] != self.status[:8]) | self.request):
            m.d.sync += asked.eq(1)
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
    status : the machine's.
    """

    i: stream.Interface
    o: stream.Interface
    beats: stream.Interface
    status: Signal

    def __init__(self, beat_bytes: tuple[int, ...], columns: int):
        self.reader = FrameReader(beat_bytes)
        self.writer = PacketWriter(columns)
        channels = {f"o{channel}": Out(beat(size)) for channel, size in enumerate(beat_bytes)}
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)), **channels,
                          "beats": In(stream.Signature(8 * columns)), "status": In(32)})

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
        m.d.comb += [self.writer.acknowledge.eq(self.reader.done), self.writer.request.eq(self.reader.request),
                     self.writer.status.eq(self.status)]
        return m

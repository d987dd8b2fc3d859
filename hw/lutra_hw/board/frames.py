"""Frames from the host, taken apart into beats."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.link import CHANNELS, LAST

__all__ = ["FrameReader", "beat"]

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
        held = Signal(8 * longest, reset_less=True)       # bytes enter at the top: a whole beat is the top of it
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

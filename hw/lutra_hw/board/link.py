"""The host link: frames of bytes to the machine's input streams; output beats and status to packets of bytes."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.link import NONCE_BYTES, VERSION

from .frames import FrameBuffer, FrameReader, beat
from .packets import PacketWriter

__all__ = ["HostLink"]


class HostLink(wiring.Component):
    """Frames in, packets out, and a buffer for the frames that the host may have under way.

    It answers each hello by the identity: version, digest, mark, nonce. The mark is the nonce of the last hello with
    ``tlast``; it outlives a reset, as memories do, and is 0 in a new bitstream.

    Parameters
    ----------
    beat_bytes : bytes in a beat of each channel of the machine's.
    columns : bytes in an output beat.
    digest : of the machine, as :func:`lutra_model.link.machine_digest` makes it.

    Members
    -------
    i : bytes from the host, who keeps at most ``WINDOW_BYTES`` bytes unacknowledged; always ready.
    o : bytes to the host.
    o0, o1, ... : the beats of each channel.
    beats : the output beats.
    status : the machine's.
    """

    i: stream.Interface
    o: stream.Interface
    beats: stream.Interface
    status: Signal

    def __init__(self, beat_bytes: tuple[int, ...], columns: int, digest: bytes):
        self.digest = digest
        self.buffer = FrameBuffer()
        self.reader = FrameReader((*beat_bytes, NONCE_BYTES))
        self.writer = PacketWriter(columns)
        channels = {f"o{channel}": Out(beat(size)) for channel, size in enumerate(beat_bytes)}
        super().__init__({"i": In(stream.Signature(8, always_ready=True)), "o": Out(stream.Signature(8)), **channels,
                          "beats": In(stream.Signature(8 * columns)), "status": In(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer, m.submodules.reader, m.submodules.writer = self.buffer, self.reader, self.writer
        wiring.connect(m, wiring.flipped(self.i), self.buffer.i)
        wiring.connect(m, self.buffer.o, self.reader.i)
        *channels, hello = self.reader.outputs
        for channel, output in enumerate(channels):
            wiring.connect(m, output, wiring.flipped(getattr(self, f"o{channel}")))
        wiring.connect(m, wiring.flipped(self.beats), self.writer.i)
        wiring.connect(m, self.writer.o, wiring.flipped(self.o))
        nonce, mark = Signal(8 * NONCE_BYTES), Signal(8 * NONCE_BYTES, reset_less=True)
        known = Const(int.from_bytes(bytes([VERSION]) + self.digest, "little"), 8 * (1 + len(self.digest)))
        m.d.comb += [self.writer.acknowledge.eq(self.reader.done), self.writer.request.eq(self.reader.request),
                     self.writer.status.eq(self.status), self.writer.refused.eq(self.buffer.refused),
                     self.writer.hello.eq(hello.valid), self.writer.identity.eq(Cat(known, mark, nonce)),
                     hello.ready.eq(1)]
        with m.If(hello.valid):
            m.d.sync += nonce.eq(hello.payload.data)
        with m.If(hello.valid & hello.payload.last):
            m.d.sync += mark.eq(hello.payload.data)
        return m

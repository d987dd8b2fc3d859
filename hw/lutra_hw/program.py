"""Program memory, and the operation that runs."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.operation import descriptor_words
from lutra_model.params import Array

from .commands import memory_write
from .settings import decode, settings
from .signals import bits, delay

__all__ = ["ADDRESS_BITS", "Program"]

ADDRESS_BITS = 24  # of a program address in the status word


class Program(wiring.Component):
    """Fetches one operation ahead, one word in a cycle, and starts it when the one before is done.

    With ``D = descriptor_words(array)``, an operation is ready ``D + 2`` cycles after ``run`` (the first) or after the
    start of the one before.

    Members
    -------
    write : write of the program memory.
    run, address, runs : the program at ``address`` runs so many times, from this cycle on.
    ready, next, next_address : an operation is fetched; its settings; where it lies. They stay until it starts.
    start : it starts in this cycle.
    done : the running operation is done in this cycle.
    settings, running_address : of the running operation, from the cycle after its start until the next start.
    finished : the program's last operation is done in this cycle; ``ended``: for the last time.
    moving : a word is fetched in this cycle, or an operation starts or is done.
    fault : a word beyond the memory is to be fetched.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "write": In(memory_write(32)), "run": In(1), "address": In(32), "runs": In(32),
            "ready": Out(1), "next": Out(settings(array)), "next_address": Out(ADDRESS_BITS),
            "start": Out(1), "done": In(1), "settings": Out(settings(array)), "running_address": Out(ADDRESS_BITS),
            "finished": Out(1), "ended": Out(1), "moving": Out(1), "fault": Out(1)})

    def elaborate(self, platform):
        m = Module()
        width = 32 * descriptor_words(self.array)
        fetched, running = (Signal(width, name=name, reset_less=True) for name in ("fetched", "running"))
        busy, left, last = Signal(), Signal(32), Signal()  # an operation runs; runs not yet begun; no other comes
        m.d.comb += [
            self.start.eq(self.ready & (~busy | self.done)),
            self.finished.eq(self.done & self.settings.final), self.ended.eq(self.done & last),
            *decode(fetched, self.next), *decode(running, self.settings)]
        with m.If(self.done):
            m.d.sync += busy.eq(0)
        with m.If(self.start):
            m.d.sync += [busy.eq(1), running.eq(fetched), self.running_address.eq(self.next_address),
                         last.eq(self.next.final & (left == 1)), left.eq(left - self.next.final)]
        with m.If(self.run):
            m.d.sync += left.eq(self.runs)
        self._fetch(m, fetched, self.start & ~(self.next.final & (left == 1)))
        return m

    def _fetch(self, m: Module, fetched: Signal, again: Signal) -> None:
        """One word read in a cycle; it comes in the next."""
        words = descriptor_words(self.array)
        m.submodules.memory = memory = Memory(shape=32, depth=self.array.program_words, init=[])
        write, read = memory.write_port(), memory.read_port()
        reading, word, address, origin = Signal(), Signal(bits(words)), Signal(32), Signal(32)
        coming, place = delay(m, reading, 1, reset=True), delay(m, word, 1)
        m.d.comb += [self.moving.eq(reading | coming | self.start | self.done),
                     write.en.eq(self.write.en), write.addr.eq(self.write.address), write.data.eq(self.write.data),
                     read.en.eq(reading), read.addr.eq(address),
                     self.fault.eq(reading & (address >= self.array.program_words))]
        with m.If(reading):
            m.d.sync += [address.eq(address + 1), word.eq(word + 1)]
            with m.If(word == words - 1):
                m.d.sync += [word.eq(0), reading.eq(0)]
        with m.If(coming):
            m.d.sync += fetched.word_select(place, 32).eq(read.data)
            with m.If(place == words - 1):
                m.d.sync += self.ready.eq(1)
        with m.If(self.start):
            m.d.sync += self.ready.eq(0)
        first = Mux(self.run, self.address, Mux(self.next.final, origin, address))
        with m.If(self.run | again):
            m.d.sync += [reading.eq(1), address.eq(first), self.next_address.eq(first)]
        with m.If(self.run):
            m.d.sync += origin.eq(self.address)

"""Codebook memory, and what loads its codebooks into the encoders one slot ahead."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutra_model.operation import FIELDS, Kind
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .commands import codebook_pieces, codebook_write
from .engines import engine_of
from .loops import Nest
from .settings import settings
from .signals import bits, chain, delay

__all__ = ["Codebooks"]

HANDED = 3  # cycles from a slot's first row fed to the next slot's first beat at the encoders, at the earliest
KEPT = ("entries", "parts_x", "parts_y", "groups", "blocks", "codebooks")  # fields that loading needs


class Codebooks(wiring.Component):
    """Loads a slot's codebook while the one before is in use, one beat in a cycle: ``entries``, or those of a tree.

    A slot's first beat is issued 2 cycles after the first row of the slot before was fed at the earliest (a tree's: as
    many more as it has levels); its own first row can be fed in the cycle after its last beat. Every block loads all
    codebooks again.

    Members
    -------
    write : write of 32 bits of a memory word.
    next_ready, next : the operation that comes next; it stays until it starts.
    next_taken : it is taken in this cycle (or has no codebooks to load).
    turn : the first row of a slot is fed in this cycle.
    loaded : the next slot's codebook is complete when its first row gets to the encoders.
    issued : a beat is issued in this cycle. It is read when the row before it gets to the encoders at the earliest.
    load, entry, data : in the cycle after it is read it is there: centroid ``entry`` (or byte of a tree) of every
        encoder, encoder 0 lowest.
    fault : its address is beyond the memory.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "write": In(codebook_write()), "next_ready": In(1), "next": In(settings(array)), "next_taken": Out(1),
            "turn": In(1), "loaded": Out(1), "issued": Out(1), "fault": Out(1),
            "load": Out(1), "entry": Out(bits(array.entries)), "data": Out(8 * engine_of(array).codebook(array))})

    def elaborate(self, platform):
        m = Module()
        kept = {name: Signal(FIELDS[name].width, name=name, reset_less=True) for name in KEPT}
        late = Pipeline(self.array).fetch - HANDED
        loading, passed = Signal(), Signal()  # codebooks are left; ``next`` has been taken
        address = Signal(32, reset_less=True)
        m.submodules.nest = nest = Nest(entry=16, part_x=8, part_y=8, group=16, block=16)
        turned, takes = Signal(), Signal()  # the loaded codebook may not change yet; a product is taken
        turns = chain(m, self.turn, engine_of(self.array).hold(self.array), reset=True)
        slot = nest.last.part_x & nest.last.part_y & nest.last.group
        m.d.comb += [
            self.next_taken.eq(self.next_ready & ~passed & ~loading),
            self.issued.eq(loading & ~self.loaded & ~turned),
            self.fault.eq(self.issued & (address >= self.array.codebook_words)),
            takes.eq(self.next_taken & (self.next.kind == Kind.PRODUCT)), nest.start.eq(takes),
            nest.step.eq(self.issued),
            self.load.eq(delay(m, self.issued, 1 + late, reset=True)),
            self.entry.eq(delay(m, nest.count.entry, 1 + late))]
        self._limit(m, nest.begin, {name: getattr(self.next, name) for name in KEPT})
        self._limit(m, nest.limit, kept)
        m.d.sync += [passed.eq(self.next_ready & (passed | self.next_taken)), turned.eq(Cat(turns).any())]
        with m.If(takes):
            m.d.sync += [loading.eq(1), address.eq(self.next.codebooks),
                         *(register.eq(getattr(self.next, name)) for name, register in kept.items())]
        with m.If(self.turn):
            m.d.sync += self.loaded.eq(0)
        with m.If(self.issued):
            m.d.sync += [loading.eq(~nest.done), self.loaded.eq(nest.last.entry),
                         address.eq(Mux(nest.last.entry & slot, kept["codebooks"], address + 1))]
        self._memory(m, delay(m, self.issued, late, reset=True), delay(m, address, late))
        return m

    def _limit(self, m: Module, limits: wiring.PureInterface, fields: Mapping[str, Value]) -> None:
        beats = engine_of(self.array).slot
        assert beats
        m.d.comb += [limits.entry.eq(beats(self.array, fields["entries"])),
                     limits.part_x.eq(fields["parts_x"]), limits.part_y.eq(fields["parts_y"]),
                     limits.group.eq(fields["groups"]), limits.block.eq(fields["blocks"])]

    def _memory(self, m: Module, en: Value, address: Value) -> None:
        pieces = codebook_pieces(self.array)
        m.submodules.memory = memory = Memory(shape=32 * pieces, depth=self.array.codebook_words, init=[])
        write, read = memory.write_port(granularity=32), memory.read_port()
        m.d.comb += [write.addr.eq(self.write.address), write.data.eq(self.write.data.replicate(pieces)),
                     write.en.eq(self.write.en << self.write.piece),
                     read.addr.eq(address), read.en.eq(en), self.data.eq(read.data)]

"""Takes table beats, from their memory or from the stream, into table banks and parameter banks."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Error, Kind
from lutra_model.params import Array

from .commands import table_beat
from .credit import Credit
from .engines import beat_width, engine_of
from .loops import Loops
from .program import ADDRESS_BITS
from .settings import settings
from .signals import bits, delay

__all__ = ["Loader", "parameter_beats", "parameter_write", "table_write"]

KEPT = ("entries", "row_tiles", "column_tiles", "blocks", "tables", "stream_tables")


def parameter_beats(array: Array) -> int:
    """Beats that carry the finisher's parameters of a column tile."""
    return -(-engine_of(array).parameters // (beat_width(array) // (8 * array.columns)))


def table_write(array: Array) -> wiring.Signature:
    """One table entry (or weight) of every column for each row of a group, on its way into the array."""
    return wiring.Signature({"valid": Out(1), "bank": Out(1), "group": Out(bits(array.rows // array.fill)),
                             "entry": Out(bits(array.entries)), "data": Out(beat_width(array))})


def parameter_write(array: Array) -> wiring.Signature:
    """The next bytes of the finisher's parameters of every column."""
    return wiring.Signature({"valid": Out(1), "bank": Out(1), "beat": Out(bits(parameter_beats(array))),
                             "data": Out(beat_width(array))})


class Loader(wiring.Component):
    """One beat in a cycle while a bank for it is free; it reaches the bank two cycles later.

    An operation is taken in the first cycle in which it is offered and all beats of the one before have been issued;
    beats follow from the next cycle on. A norm (of machines with functions) has parameters only: a set for each column
    tile, which is a word.

    Members
    -------
    offered, next, next_address : an operation, its settings, its program address.
    taken : it is taken in this cycle (and has no beats unless it is a product or a norm).
    running_address : program address of the operation that was taken last.
    i : the table stream.
    read, address, memory : read of the table memory; the beat comes one cycle later.
    table, parameter : writes, one cycle after their beat.
    beat : a beat is issued or taken in this cycle.
    loaded : a tile, its parameters included, is complete with it.
    free, free_parameters : a bank is freed in this cycle; it can be filled from the next on.
    some : a table bank holds a complete tile.
    turn : one tile ends in this cycle or was ended before, and the next is complete: it becomes the one in use.
    fault : the error seen in this cycle.
    some_parameters, used_parameters : of a machine with functions: a set of a norm is complete and not used; one is
        used.
    """

    i: stream.Interface

    def __init__(self, array: Array):
        self.array = array
        width = beat_width(array)
        super().__init__({
            "offered": In(1), "next": In(settings(array)), "next_address": In(ADDRESS_BITS), "taken": Out(1),
            "running_address": Out(ADDRESS_BITS),
            "i": In(stream.Signature(table_beat(array))), "read": Out(1), "address": Out(32), "memory": In(width),
            "table": Out(table_write(array)), "parameter": Out(parameter_write(array)), "beat": Out(1),
            "loaded": Out(1), "free": In(1), "free_parameters": In(1), "some": Out(1), "turn": Out(1),
            "fault": Out(Error),
            **({"some_parameters": Out(1), "used_parameters": In(1)} if array.functions else {})})

    def elaborate(self, platform):
        m = Module()
        self._loading, self._trailing = Signal(), Signal()  # trailing: the parameters of a column tile
        self._norm: Value = Signal(name="norm") if self.array.functions else Const(0)
        self._layer = {name: Signal.like(getattr(self.next, name), name=name) for name in KEPT}
        m.submodules.tables = tables = Credit(places=2)
        m.submodules.parameters = parameters = Credit(places=2)
        groups = self._take(m)
        inner, trail, outer = self._loops(m, groups)
        ends = inner.step & inner.done & ~outer.last.tile | trail.step & trail.done  # of a tile
        self._beats(m, self._loading & (tables.room | self._norm) & (~self._trailing | parameters.room), outer)
        m.d.comb += [
            inner.step.eq(self.beat & ~self._trailing), trail.step.eq(self.beat & self._trailing),
            self.loaded.eq(ends & ~self._norm), outer.step.eq(ends),
            tables.put.eq(self.loaded), tables.drop.eq(self.free),
            parameters.put.eq(trail.step & trail.done), parameters.drop.eq(self.free_parameters),
            self.some.eq(tables.some),
            self.turn.eq(self.free & (self.loaded | (tables.level == 2)) | self.loaded & ~tables.some)]
        with m.If(inner.step & inner.done & outer.last.tile):
            m.d.sync += self._trailing.eq(1)
        with m.If(trail.step & trail.done):
            m.d.sync += self._trailing.eq(self._norm)
        with m.If(outer.step & outer.done):
            m.d.sync += self._loading.eq(0)
        self._write(m, inner, trail)
        if self.array.functions:
            m.submodules.sets = sets = Credit(places=2)
            m.d.comb += [sets.put.eq(trail.step & trail.done & self._norm), sets.drop.eq(self.used_parameters),
                         self.some_parameters.eq(sets.some)]
        return m

    def _take(self, m: Module) -> Signal:
        """Keeps what the beats of the operation need; gives the last tile's groups of rows, less one."""
        array = self.array
        groups, norm = Signal(bits(array.rows // array.fill)), self._is_norm()
        m.d.comb += self.taken.eq(self.offered & ~self._loading)
        with m.If(self.taken):
            firsts = (group * array.fill // array.encoders for group in range(1, array.rows // array.fill))
            m.d.sync += [*(kept.eq(getattr(self.next, name)) for name, kept in self._layer.items()),
                         groups.eq(sum(self.next.last_slots >= slot for slot in firsts)),
                         self._loading.eq((self.next.kind == Kind.PRODUCT) | norm), self.address.eq(self.next.tables),
                         self.running_address.eq(self.next_address)]
            if array.functions:
                m.d.sync += [self._norm.eq(norm), self._trailing.eq(norm)]
        return groups

    def _is_norm(self) -> Value:
        """Whether the operation offered has parameters but no tables."""
        return (self.next.kind == Kind.ROW) & ~self.next.maximum if self.array.functions else Const(0)

    def _loops(self, m: Module, groups: Signal) -> tuple[Loops, Loops, Loops]:
        array, layer = self.array, self._layer
        m.submodules.inner = inner = Loops(entry=bits(array.entries), group=bits(array.rows // array.fill))
        m.submodules.trail = trail = Loops(beat=bits(parameter_beats(array)))
        m.submodules.outer = outer = Loops(tile=16, column=16, block=16)
        m.d.comb += [
            inner.limit.entry.eq(layer["entries"]),
            inner.limit.group.eq(Mux(outer.last.tile, groups, array.rows // array.fill - 1)),
            trail.limit.beat.eq(parameter_beats(array) - 1),
            outer.limit.tile.eq(Mux(self._norm, 0, layer["row_tiles"])), outer.limit.column.eq(layer["column_tiles"]),
            outer.limit.block.eq(layer["blocks"])]
        return inner, trail, outer

    def _beats(self, m: Module, ready: Signal, outer: Loops) -> None:
        """A beat from the stream, or from the table memory, whose beats repeat for every block."""
        streamed, layer = self._layer["stream_tables"], self._layer
        m.d.comb += [
            self.i.ready.eq(ready & streamed), self.read.eq(ready & ~streamed),
            self.beat.eq(self.read | self.i.ready & self.i.valid)]
        with m.If(self.read):
            m.d.sync += self.address.eq(self.address + 1)
            with m.If(outer.step & outer.last.tile & outer.last.column):
                m.d.sync += self.address.eq(layer["tables"])
            with m.If(self.address >= self.array.table_words):
                m.d.comb += self.fault.eq(Error.TABLE)
        last = outer.step & outer.done
        with m.If(self.i.ready & self.i.valid & (self.i.payload.last != last)):
            m.d.comb += self.fault.eq(Mux(last, Error.LONG, Error.SHORT))

    def _write(self, m: Module, inner: Loops, trail: Loops) -> None:
        """The beat in a register (the table memory's own), with its place."""
        table, parameter = self.table, self.parameter
        bank, parameter_bank = Signal(), Signal()
        taken = Signal(beat_width(self.array), reset_less=True)
        beat = Mux(delay(m, self.read, 1), self.memory, taken)
        m.d.comb += [table.data.eq(beat), parameter.data.eq(beat)]
        m.d.sync += [table.valid.eq(inner.step), parameter.valid.eq(trail.step)]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += taken.eq(self.i.payload.data)
        with m.If(inner.step):
            m.d.sync += [table.group.eq(inner.count.group), table.entry.eq(inner.count.entry), table.bank.eq(bank)]
        with m.If(trail.step):
            m.d.sync += [parameter.beat.eq(trail.count.beat), parameter.bank.eq(parameter_bank)]
        with m.If(self.loaded):
            m.d.sync += bank.eq(~bank)
        with m.If(trail.step & trail.done):
            m.d.sync += parameter_bank.eq(~parameter_bank)

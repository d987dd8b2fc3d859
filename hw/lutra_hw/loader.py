"""Takes table beats, from their memory or from the stream, into table banks and parameter banks."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Error, Kind
from lutra_model.params import Array

from .commands import table_beat
from .credit import Credit
from .engines import beat_width, engine_of, symbol_width
from .loops import Loops, Nest
from .program import ADDRESS_BITS
from .settings import settings
from .signals import bits, delay

__all__ = ["Loader", "parameter_beats", "parameter_write", "table_write"]

KEPT = ("entries", "row_tiles", "column_tiles", "blocks", "block", "last_block", "tables", "stream_tables", "gather")
LEVELS = ("codebooks",)  # kept where there are tables of levels


def parameter_beats(array: Array) -> int:
    """Beats that carry the finisher's parameters of a column tile."""
    return -(-engine_of(array).parameters // (beat_width(array) // (8 * array.columns)))


def table_write(array: Array) -> wiring.Signature:
    """One table entry (or weight) of every column for each row of a group, on its way into the array.

    Where there are tables of levels, ``level`` is what comes with it, or (``preload``) comes without.
    """
    levels = {"preload": Out(1), "level": Out(8 * engine_of(array).codebook(array))} if engine_of(array).levels else {}
    return wiring.Signature({**levels, "valid": Out(1), "bank": Out(1), "group": Out(bits(array.rows // array.fill)),
                             "entry": Out(bits(array.entries)), "data": Out(beat_width(array))})


def parameter_write(array: Array) -> wiring.Signature:
    """The next bytes of the finisher's parameters of every column."""
    return wiring.Signature({"valid": Out(1), "bank": Out(1), "beat": Out(bits(parameter_beats(array))),
                             "data": Out(beat_width(array))})


class Loader(wiring.Component):
    """One beat in a cycle while a bank for it is free; it reaches the bank two cycles later (in a gather: three).

    A gather reads an index word in the cycle of each table beat and the selected entries in the next; its tile is
    complete one cycle later. The first time that it reads an index word it waits until that is there.

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
    level_read, level_address, level_memory : read of a level of the layer's table, if there are such tables; it comes
        one cycle later.
    beat : a beat is issued or taken in this cycle, or written on with another level, or a level is preloaded.
    loaded : a tile, its parameters included, is complete with it.
    free, free_parameters : a bank is freed in this cycle; it can be filled from the next on.
    some : a table bank holds a complete tile.
    indexed : an index word of a gather is complete; it can be read from the next cycle on. index_read, index_word :
        read of one. symbols : what it holds, one cycle later. offsets : the entry that each row of the group selected,
        with the address (0 in other operations). These only in a machine that gathers.
    turn : one tile ends in this cycle or was ended before, and the next is complete: it becomes the one in use.
    fault : the error seen in this cycle.
    some_parameters, used_parameters : of a machine with functions: a set of a norm is complete and not used; one is
        used.
    """

    i: stream.Interface

    def __init__(self, array: Array):
        self.array = array
        self._levels = engine_of(array).levels
        width = beat_width(array)
        levels = {"level_read": Out(1), "level_address": Out(32),
                  "level_memory": In(8 * engine_of(array).codebook(array))}
        super().__init__({
            "offered": In(1), "next": In(settings(array)), "next_address": In(ADDRESS_BITS), "taken": Out(1),
            "running_address": Out(ADDRESS_BITS),
            "i": In(stream.Signature(table_beat(array))), "read": Out(1), "address": Out(32), "memory": In(width),
            "table": Out(table_write(array)), "parameter": Out(parameter_write(array)), "beat": Out(1),
            "loaded": Out(1), "free": In(1), "free_parameters": In(1), "some": Out(1), "turn": Out(1),
            "fault": Out(Error), **self._ports(), **(levels if self._levels else {})})

    def elaborate(self, platform):
        m = Module()
        self._loading, self._trailing = Signal(), Signal()  # trailing: the parameters of a column tile
        self._norm: Value = Signal(name="norm") if self.array.functions else Const(0)
        self._layer = {name: Signal.like(getattr(self.next, name), name=name)
                       for name in KEPT + (LEVELS if self._levels else ())}
        self._gather = self._layer["gather"] if self.array.gather else Const(0)
        self._address, self._group_ends = Signal(32), Signal()
        m.submodules.tables = tables = Credit(places=2)
        m.submodules.parameters = parameters = Credit(places=2)
        groups = self._take(m)
        inner, trail, outer = self._loops(m, groups)
        ends = inner.step & inner.done & ~outer.last.tile | trail.step & trail.done  # of a tile
        known, (preloading, level) = self._indices(m, inner, outer), self._preload(m, tables)
        ready = (self._loading & ~preloading & (tables.room | self._norm)
                 & Mux(self._trailing, parameters.room, known))
        step = self._beats(m, ready, inner, outer)
        m.d.comb += [
            self.beat.eq(step | level), inner.step.eq(step & ~self._trailing), trail.step.eq(step & self._trailing),
            self.loaded.eq(ends & ~self._norm), outer.step.eq(ends),
            tables.put.eq(self.loaded), tables.drop.eq(self.free),
            parameters.put.eq(trail.step & trail.done), parameters.drop.eq(self.free_parameters),
            self.some.eq(self._complete(m) if self.array.gather else tables.some),
            self.turn.eq(self.free & (self.loaded | (tables.level == 2)) | self.loaded & ~tables.some)]
        with m.If(inner.step & inner.done & outer.last.tile):
            m.d.sync += self._trailing.eq(1)
        with m.If(trail.step & trail.done):
            m.d.sync += self._trailing.eq(self._norm)
        with m.If(outer.step & outer.done):
            m.d.sync += self._loading.eq(0)
        self._write(m, inner, trail)
        self._read_levels(m, inner, level)
        if self.array.functions:
            m.submodules.sets = sets = Credit(places=2)
            m.d.comb += [sets.put.eq(trail.step & trail.done & self._norm), sets.drop.eq(self.used_parameters),
                         self.some_parameters.eq(sets.some)]
        return m

    def _ports(self) -> dict[str, wiring.Member]:
        """What a machine with functions, and one that gathers, has beside the others."""
        array = self.array
        rows = {"some_parameters": Out(1), "used_parameters": In(1)} if array.functions else {}
        if not array.gather:
            return rows
        symbols = symbol_width(array)
        return rows | {"indexed": In(1), "index_read": Out(1), "index_word": Out(bits(2 * array.index_words)),
                "symbols": In(symbols * array.rows), "offsets": Out(symbols * array.fill)}

    def _late(self, m: Module, value: Value) -> Value:
        """The value, in a gather one cycle later."""
        return Mux(self._gather, delay(m, value, 1, reset=True), value) if self.array.gather else value

    def _complete(self, m: Module) -> Value:
        """A table bank holds a complete tile, that of a gather one cycle after its last beat."""
        m.submodules.complete = complete = Credit(places=2)
        m.d.comb += [complete.put.eq(self._late(m, self.loaded)), complete.drop.eq(self.free)]
        return complete.some

    def _indices(self, m: Module, inner: Loops, outer: Loops) -> Value:
        """Reads the index word of each table beat of a gather; tells whether the next one is there.

        Words lie in a half as they were indexed, ``for row tile: for activation row``. Every group of rows and every
        column tile reads them again; a block's half follows that of the block before.
        """
        m.d.comb += self._group_ends.eq(inner.last.entry)
        if not self.array.gather:
            return Const(1)
        array, gathers = self.array, self._gather & inner.step
        m.submodules.fresh = fresh = Credit(places=2 * array.index_words)  # words not yet read
        first, half = outer.first.column & (inner.count.group == 0), Signal()
        tile, start = Signal.like(self.index_word), Signal.like(self.index_word)  # first words of tile and next half
        selected = self.symbols.word_select(delay(m, inner.count.group, 1), len(self.offsets))
        m.d.comb += [
            fresh.put.eq(self.indexed), fresh.drop.eq(gathers & first), self.index_read.eq(gathers),
            self.offsets.eq(Mux(delay(m, gathers, 1, reset=True), selected, 0)),
            start.eq(Mux(outer.last.column, Mux(half | outer.last.block, 0, array.index_words),
                         Mux(half, array.index_words, 0)))]
        with m.If(gathers):
            m.d.sync += self.index_word.eq(self.index_word + 1)
            with m.If(inner.last.entry):
                m.d.sync += self.index_word.eq(tile)
            with m.If(inner.done):
                following = Mux(outer.last.tile, start, self.index_word + 1)
                m.d.sync += [self.index_word.eq(following), tile.eq(following)]
                with m.If(outer.last.tile & outer.last.column):
                    m.d.sync += half.eq(~half & ~outer.last.block)
        return ~self._gather | fresh.some | ~first

    def _take(self, m: Module) -> Signal:
        """Keeps what the beats of the operation need; gives the last tile's groups of rows, less one."""
        array = self.array
        groups, norm = Signal(bits(array.rows // array.fill)), self._is_norm()
        m.d.comb += self.taken.eq(self.offered & ~self._loading)
        with m.If(self.taken):
            firsts = (group * array.fill // array.encoders for group in range(1, array.rows // array.fill))
            m.d.sync += [*(kept.eq(getattr(self.next, name)) for name, kept in self._layer.items()),
                         groups.eq(sum(self.next.last_slots >= slot for slot in firsts)),
                         self._loading.eq((self.next.kind == Kind.PRODUCT) | norm), self._address.eq(self.next.tables),
                         self.running_address.eq(self.next_address)]
            if array.functions:
                m.d.sync += [self._norm.eq(norm), self._trailing.eq(norm)]
        return groups

    def _is_norm(self) -> Value:
        """Whether the operation offered has parameters but no tables."""
        return (self.next.kind == Kind.ROW) & ~self.next.maximum if self.array.functions else Const(0)

    def _loops(self, m: Module, groups: Signal) -> tuple[Loops, Loops, Nest]:
        array, layer = self.array, self._layer
        m.submodules.inner = inner = Loops(entry=bits(array.entries), group=bits(array.rows // array.fill))
        m.submodules.trail = trail = Loops(beat=bits(parameter_beats(array)))
        m.submodules.outer = outer = Nest(tile=16, column=16, block=16)
        m.d.comb += [
            inner.limit.entry.eq(0 if self._levels == "preload" else Mux(
                self._gather, Mux(outer.last.block, layer["last_block"], layer["block"]), layer["entries"])),
            inner.limit.group.eq(Mux(outer.last.tile, groups, array.rows // array.fill - 1)),
            trail.limit.beat.eq(parameter_beats(array) - 1), outer.start.eq(self.taken)]
        starting = {name: getattr(self.next, name) for name in ("row_tiles", "column_tiles", "blocks")}
        for limit, norm, fields in ((outer.begin, self._is_norm(), starting), (outer.limit, self._norm, layer)):
            m.d.comb += [limit.tile.eq(Mux(norm, 0, fields["row_tiles"])), limit.column.eq(fields["column_tiles"]),
                         limit.block.eq(fields["blocks"])]
        return inner, trail, outer

    def _beats(self, m: Module, ready: Value, inner: Loops, outer: Loops) -> Signal:
        """A beat from the stream, or from table memory, whose beats repeat for every block; or the next level of one.

        The signal says that there is one.
        """
        streamed, layer, step, fresh = self._layer["stream_tables"], self._layer, Signal(), Signal()
        read, again = Signal(), outer.step & outer.last.tile & outer.last.column
        gathered = self._gather & ~self._trailing  # the address stays until all rows have their entries
        m.d.comb += [
            fresh.eq(inner.count.entry == 0 if self._levels == "expand" else 1),
            self.i.ready.eq(ready & streamed & fresh), read.eq(ready & ~streamed & fresh),
            self.read.eq(self._late(m, read)), self.address.eq(self._late(m, self._address)),
            step.eq(read | self.i.ready & self.i.valid | ready & ~fresh)]
        with m.If(read):
            with m.If(gathered):
                m.d.sync += self._address.eq(self._address + Mux(self._group_ends, layer["entries"] + 1, 0))
            with m.Else():
                m.d.sync += self._address.eq(Mux(again, layer["tables"], self._address + 1))
            with m.If(self._address + Mux(gathered, layer["entries"], 0) >= self.array.table_words):
                m.d.comb += self.fault.eq(Error.TABLE)
        last = outer.step & outer.done
        with m.If(self.i.ready & self.i.valid & (self.i.payload.last != last)):
            m.d.comb += self.fault.eq(Mux(last, Error.LONG, Error.SHORT))
        return step

    def _preload(self, m: Module, tables: Credit) -> tuple[Signal, Signal]:
        """Levels are still to be preloaded; one is in this cycle, when no tile is in use."""
        preloading, step = Signal(), Signal()
        if self._levels == "preload":
            m.submodules.level = self._level = level = Loops(entry=bits(self.array.entries))
            m.d.comb += [step.eq(self._loading & preloading & (tables.level == 0)), level.step.eq(step),
                         level.limit.entry.eq(self._layer["entries"])]
            with m.If(step & level.done):
                m.d.sync += preloading.eq(0)
            with m.If(self.taken):
                m.d.sync += preloading.eq(self.next.kind == Kind.PRODUCT)
        return preloading, step

    def _read_levels(self, m: Module, inner: Loops, preload: Signal) -> None:
        """A level for every table beat's step, or before all of them."""
        if not self._levels:
            return
        table, count = self.table, self._level.count if self._levels == "preload" else inner.count
        m.d.comb += [self.level_read.eq(preload if self._levels == "preload" else inner.step),
                     self.level_address.eq(self._layer["codebooks"] + count.entry),
                     table.level.eq(self.level_memory)]
        m.d.sync += table.preload.eq(preload)
        with m.If(self.level_read):
            m.d.sync += table.entry.eq(count.entry)
        with m.If(self.level_read & (self.level_address >= self.array.codebook_words)):
            m.d.comb += self.fault.eq(Error.CODEBOOK)

    def _write(self, m: Module, inner: Loops, trail: Loops) -> None:
        """The beat in a register (the table memory's own), with its place."""
        table, parameter = self.table, self.parameter
        bank, parameter_bank = Signal(), Signal()
        taken = Signal(beat_width(self.array), reset_less=True)
        table_step, parameter_step, group, entry, beats, table_bank, parameters = (
            self._late(m, value) for value in (inner.step, trail.step, inner.count.group, inner.count.entry,
                                               trail.count.beat, bank, parameter_bank))
        stored = Signal(reset_less=True)  # the newest beat is the table memory's
        beat = Mux(stored, self.memory, taken)
        m.d.comb += [table.data.eq(beat), parameter.data.eq(beat)]
        m.d.sync += [table.valid.eq(table_step), parameter.valid.eq(parameter_step)]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [taken.eq(self.i.payload.data), stored.eq(0)]
        with m.If(self.read):
            m.d.sync += stored.eq(1)
        with m.If(table_step):
            m.d.sync += [table.group.eq(group), table.entry.eq(entry), table.bank.eq(table_bank)]
        with m.If(parameter_step):
            m.d.sync += [parameter.beat.eq(beats), parameter.bank.eq(parameters)]
        with m.If(self.loaded):
            m.d.sync += bank.eq(~bank)
        with m.If(trail.step & trail.done):
            m.d.sync += parameter_bank.eq(~parameter_bank)

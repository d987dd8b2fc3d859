"""The sequencer: program, loader and walker, and the credits between them."""

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.operation import Arrange, Error, Kind
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .commands import codebook_write, memory_write, table_beat
from .engines import beat_width, engine_of, symbol_width
from .level_memory import LevelMemory
from .loader import Loader, parameter_write, table_write
from .program import ADDRESS_BITS, Program
from .row_scale import CHANNEL_BITS
from .settings import kinds, settings
from .signals import bits, delay
from .table_memory import TableMemory
from .walker import Walker, issue

__all__ = ["Sequencer", "share"]


def share(m: Module, source: wiring.PureInterface, *users: wiring.PureInterface) -> None:
    """Every user sees the same settings."""
    for name in source.signature.members:
        m.d.comb += [getattr(user, name).eq(getattr(source, name)) for user in users]


class Sequencer(wiring.Component):
    """Runs operations in the order, and with the credits, of docs/hardware.md.

    Members
    -------
    program, table_words : writes of the program memory and the table memory. levels : of the memory of levels, if any.
    run, address, runs, done, finished, ended : see `Program`.
    tables : the table stream.
    start, settings : an operation starts in this cycle; of the running one.
    ready, next, taken : an operation that the codebook loader has not taken yet; its settings; it takes it.
    indexed : a word of the index memory is complete with this cycle's write.
    table, parameter, turn : see `Loader`.
    row, reserve, free_half : see `Walker`.
    index_read, index_word, symbols : of a machine that gathers, see `Loader`.
    room : the output buffer has a place.
    moving : something moves in this cycle.
    fault, place : the error seen in the cycle before; program address of its operation.
    running_place, codebook_place : program addresses of the running operation; of the one whose codebooks are loaded.
    some_parameters, word_ends : of a machine with functions: a norm has the parameters of its next word; a word's last
        row is fed in this cycle.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "program": In(memory_write(32)), "table_words": In(memory_write(beat_width(array))),
            **({"levels": In(codebook_write())} if engine_of(array).levels else {}),
            "run": In(1), "address": In(32), "runs": In(32), "done": In(1), "finished": Out(1), "ended": Out(1),
            "tables": In(stream.Signature(table_beat(array))), "start": Out(1), "settings": Out(settings(array)),
            "ready": Out(1), "next": Out(settings(array)), "taken": In(1), "indexed": In(1),
            "table": Out(table_write(array)), "parameter": Out(parameter_write(array)), "turn": Out(1),
            "row": Out(issue(array)), "reserve": Out(1), "free_half": Out(1), "room": In(1), "moving": Out(1),
            "fault": Out(Error), "place": Out(ADDRESS_BITS), "running_place": Out(ADDRESS_BITS),
            "codebook_place": Out(ADDRESS_BITS), **self._ports()})

    def _ports(self) -> dict[str, wiring.Member]:
        """What a machine with functions, and one that gathers, has beside the others."""
        array = self.array
        rows = {"some_parameters": Out(1), "word_ends": In(1)} if array.functions else {}
        if not array.gather:
            return rows
        return rows | {"index_read": Out(1), "index_word": Out(bits(2 * array.index_words)),
                       "symbols": In(symbol_width(array) * array.rows)}

    def elaborate(self, platform):
        m = Module()
        m.submodules.program = program = Program(self.array)
        m.submodules.memory = memory = TableMemory(self.array)
        m.submodules.loader = loader = Loader(self.array)
        m.submodules.walker = walker = Walker(self.array)
        for own, inner in [(self.program, program.write), (self.table_words, memory.write),
                           (self.tables, loader.i), (self.table, loader.table), (self.parameter, loader.parameter),
                           (self.row, walker.o)]:
            connect(m, flipped(own), inner)
        if engine_of(self.array).levels:
            m.submodules.level_memory = levels = LevelMemory(self.array)
            connect(m, flipped(self.levels), levels.write)
            m.d.comb += [levels.read.eq(loader.level_read), levels.address.eq(loader.level_address),
                         loader.level_memory.eq(levels.data)]
        share(m, program.settings, self.settings, walker.settings)
        share(m, program.next, self.next, loader.next)
        released = Signal()  # a column tile's last row will need its parameters no more when this is over
        stages = Pipeline(self.array)
        m.d.comb += [
            program.run.eq(self.run), program.address.eq(self.address), program.runs.eq(self.runs),
            program.done.eq(self.done), self.finished.eq(program.finished), self.ended.eq(program.ended),
            self.start.eq(program.start), self.running_place.eq(program.running_address),
            memory.read.eq(loader.read), memory.address.eq(loader.address), loader.memory.eq(memory.data),
            self.turn.eq(loader.turn), self.reserve.eq(walker.reserve), self.free_half.eq(walker.free_half),
            released.eq(delay(m, walker.o.valid & walker.o.release, stages.release - 1, reset=True)),
            loader.free.eq(walker.free_table), loader.free_parameters.eq(released),
            walker.start.eq(program.start & (program.next.kind == Kind.PRODUCT)),
            walker.indexed.eq(self.indexed), walker.loaded.eq(loader.some), walker.room.eq(self.room),
            self.moving.eq(program.moving | loader.beat | walker.o.valid)]
        if self.array.functions:
            left = delay(m, self.word_ends, stages.row_release - 1, reset=True)
            m.d.comb += [self.some_parameters.eq(loader.some_parameters), loader.used_parameters.eq(self.word_ends),
                         loader.free_parameters.eq(released | left)]
        if self.array.gather:
            m.d.comb += [loader.indexed.eq(self.indexed & program.settings.gather), loader.symbols.eq(self.symbols),
                         self.index_read.eq(loader.index_read), self.index_word.eq(loader.index_word),
                         memory.offsets.eq(loader.offsets)]
        self._offer(m, program, loader)
        self._faults(m, program, loader.fault, loader.running_address)
        return m

    def _offer(self, m: Module, program: Program, loader: Loader) -> None:
        """Each of the two loaders takes an operation once, before it starts or when it does."""
        seen = [Signal(name=f"{name}_took") for name in ("loader", "codebooks")]
        m.d.comb += [loader.offered.eq(program.ready & ~seen[0]), loader.next_address.eq(program.next_address),
                     self.ready.eq(program.ready & ~seen[1])]
        with m.If(loader.taken):
            m.d.sync += seen[0].eq(1)
        with m.If(self.taken & self.ready):
            m.d.sync += [seen[1].eq(1), self.codebook_place.eq(program.next_address)]
        with m.If(program.start):
            m.d.sync += [flag.eq(0) for flag in seen]

    def _ungathered(self, operation: wiring.PureInterface) -> Value:
        """A gather that the machine does not do."""
        entries = self.array.entries
        return (Const(not self.array.gather) | operation.stream_tables | (operation.block >= entries)
                | (operation.last_block >= entries))

    def _faults(self, m: Module, program: Program, fault: Signal, place: Signal) -> None:
        """What an operation says is checked when it starts; its addresses are when they are used."""
        operation, started = program.next, delay(m, program.start, 1, reset=True)
        begins, loads = delay(m, program.next_address, 1), delay(m, place, 1)
        later = delay(m, Value.cast(fault), 1, reset=True)
        checks = [(~operation.kind.matches(*kinds(self.array)), Error.KIND), (self._beyond(operation), Error.SIZE),
                  (self._no_function(operation), Error.FUNCTION)]
        found = [(started & delay(m, wrong, 1), error) for wrong, error in checks]
        found.append((delay(m, program.fault, 1, reset=True), Error.PROGRAM))
        m.d.comb += [self.fault.eq(later), self.place.eq(loads)]
        for wrong, error in reversed(found):
            with m.If(wrong):
                m.d.comb += [self.fault.eq(error), self.place.eq(begins)]

    def _beyond(self, operation: wiring.PureInterface) -> Value:
        """Whether an operation says more than the machine holds."""
        array = self.array
        product, load = operation.kind == Kind.PRODUCT, operation.kind == Kind.LOAD
        return ((operation.block >= array.block_rows) | (operation.last_block >= array.block_rows)
                | (operation.last_columns >= array.columns)
                | product & ((operation.entries >= array.entries) | (operation.length > array.length)
                             | (operation.length == 0) | self._long_run(operation)
                             | (operation.last_slots >= array.slots)
                             | operation.gather & self._ungathered(operation))
                | load & ((operation.word_bytes > array.word) | (operation.word_bytes == 0))
                | self._long_row(operation))

    def _long_run(self, operation: wiring.PureInterface) -> Value:
        """Whether an operation has longer runs than the machine knows."""
        return (operation.arrange != Arrange.WINDOW) & (operation.length > self.array.longest_run)

    def _long_row(self, operation: wiring.PureInterface) -> Value:
        """Whether a ROW has more channels than its sums can take."""
        if not self.array.functions:
            return Const(0)
        channels = operation.parts_x * self.array.word + operation.last_columns  # less one
        return (operation.kind == Kind.ROW) & (channels >> CHANNEL_BITS - 1 != 0)

    def _no_function(self, operation: wiring.PureInterface) -> Value:
        """Whether an operation names a slot beyond the memory, or a ROW none where it needs one."""
        if not self.array.functions:
            return Const(0)
        row, first, second = operation.kind == Kind.ROW, operation.function, operation.second
        return ((first > self.array.functions) | (second > self.array.functions)
                | row & ((first == 0) | operation.maximum & (second == 0)))

"""The sequencer of a vector machine: program, builder and walker, and the transposer that they fill."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.operation import Error, Kind
from lutra_model.params import Array

from .commands import memory_write, table_beat
from .engines import beat_width, engine_of
from .program import ADDRESS_BITS, Program
from .sequencer import Sequencer, share
from .settings import settings
from .signals import bits
from .table_memory import TableMemory
from .vector_builder import VectorBuilder, table_build
from .vector_walker import VectorWalker, vector_issue

__all__ = ["VectorSequencer"]


class VectorSequencer(Sequencer):
    """Runs operations in the order, and with the credits, of docs/hardware.md.

    Members
    -------
    read, word, build : see `VectorBuilder`.
    row, code, parameters : see `VectorWalker`.
    drained : see there; the transposer's.
    Others as in `Sequencer`; ``reserve`` is the transposer's.
    """

    def __init__(self, array: Array):
        self.array = array
        wiring.Component.__init__(self, {
            "program": In(memory_write(32)), "table_words": In(memory_write(beat_width(array))),
            "run": In(1), "address": In(32), "runs": In(32), "done": In(1), "finished": Out(1), "ended": Out(1),
            "tables": In(stream.Signature(table_beat(array))), "start": Out(1), "settings": Out(settings(array)),
            "ready": Out(1), "next": Out(settings(array)), "taken": In(1), "indexed": In(1),
            "read": Out(1), "word": Out(bits(2 * array.index_words)), "build": Out(table_build(array)),
            "row": Out(vector_issue(array)), "code": Out(beat_width(array)),
            "parameters": Out(8 * engine_of(array).parameters), "drained": In(1), "free_half": Out(1),
            "room": In(1), "reserve": Out(1), "moving": Out(1), "fault": Out(Error), "place": Out(ADDRESS_BITS),
            "running_place": Out(ADDRESS_BITS), "codebook_place": Out(ADDRESS_BITS)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.program = program = Program(self.array)
        m.submodules.memory = memory = TableMemory(self.array)
        m.submodules.builder = builder = VectorBuilder(self.array)
        m.submodules.walker = walker = VectorWalker(self.array)
        for own, inner in [(self.program, program.write), (self.table_words, memory.write), (self.tables, walker.i),
                           (self.row, walker.o), (self.build, builder.build)]:
            connect(m, flipped(own), inner)
        share(m, program.settings, self.settings, walker.settings, builder.settings)
        share(m, program.next, self.next, walker.next)
        begins = program.start & (program.next.kind == Kind.PRODUCT)
        passed = Signal()  # the operation that comes next has no codebooks to load
        m.d.comb += [
            program.run.eq(self.run), program.address.eq(self.address), program.runs.eq(self.runs),
            program.done.eq(self.done), self.finished.eq(program.finished), self.ended.eq(program.ended),
            self.start.eq(program.start), self.running_place.eq(program.running_address),
            self.ready.eq(program.ready & ~passed),
            memory.read.eq(walker.read), memory.address.eq(walker.address), walker.memory.eq(memory.data),
            builder.start.eq(begins), builder.indexed.eq(self.indexed), builder.free.eq(walker.free_table),
            self.read.eq(builder.read), self.word.eq(builder.word), self.free_half.eq(builder.free_half),
            walker.start.eq(begins), walker.built.eq(builder.some), walker.drained.eq(self.drained),
            self.code.eq(walker.code), self.parameters.eq(walker.parameters),
            self.moving.eq(program.moving | walker.beat | builder.moving)]
        with m.If(self.taken & self.ready):
            m.d.sync += passed.eq(1)
        with m.If(program.start):
            m.d.sync += passed.eq(0)
        self._faults(m, program, walker.fault, program.running_address)
        return m

    def _beyond(self, operation: wiring.PureInterface) -> Value:
        """A block has a token for each column at most, a sweep no more outputs than there are accumulators."""
        array = self.array
        return super()._beyond(operation) | (operation.kind == Kind.PRODUCT) & (
            (operation.block >= array.columns) | (operation.last_block >= array.columns)
            | ((operation.sweep + 1) * array.columns > array.block_rows))

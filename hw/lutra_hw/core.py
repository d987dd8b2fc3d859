"""All of the machine that a failure resets: from the program to activation memory and the output beats."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.operation import Error, Kind
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .accumulator import Accumulator, accumulator_width
from .commands import codebook_write, memory_write, table_beat
from .engines import beat_width, engine_of
from .finisher import Finisher, finisher_width
from .front import Front
from .functions import FunctionMemory, function_write
from .placer import Placer
from .program import ADDRESS_BITS
from .residual import AddStage
from .row_unit import ROW_WIDTH
from .sequencer import Sequencer, share
from .signals import bits, delay
from .sum_lane import SumLane
from .writer import Writer

__all__ = ["Core", "activation_beat"]

RESIDUAL = 3  # cycles from the address of a residual to its data


LOADS = ("valid", "preload")  # what says that a table write is one


def activation_beat(array: Array) -> data.StructLayout:
    """A beat of the activation stream."""
    return data.StructLayout({"data": 8 * array.columns, "last": 1})


class Core(wiring.Component):
    """Runs operations; results leave for a buffer whose places are reserved when their rows are issued.

    Members
    -------
    program, codebook, table, function : writes of the memories (the last of a machine with functions).
    run, address, runs, finished, ended : see `Program`.
    tables, activations : the table stream; the activation stream.
    room, reserve : of the output buffer, see `OutputBuffer`.
    beat, data, last, end : an output beat, its bytes, its last used byte; whether it is its operation's last.
    emptied : the output buffer's only beat is taken.
    moving : something moved in the cycle before.
    fault, place : the error seen in the cycle before; program address of its operation.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "program": In(memory_write(32)), "codebook": In(codebook_write()),
            "table": In(memory_write(beat_width(array))),
            **({"function": In(function_write())} if array.functions else {}),
            "run": In(1), "address": In(32), "runs": In(32), "finished": Out(1), "ended": Out(1),
            "tables": In(stream.Signature(table_beat(array))),
            "activations": In(stream.Signature(activation_beat(array))),
            "room": In(1), "reserve": Out(1), "beat": Out(1), "data": Out(8 * array.columns),
            "last": Out(bits(array.columns)), "end": Out(1), "emptied": In(1),
            "moving": Out(1), "fault": Out(Error), "place": Out(ADDRESS_BITS)})

    def elaborate(self, platform):
        m = Module()
        array = self.array
        m.submodules.sequencer = sequencer = self._sequencer()
        m.submodules.front = front = Front(array)
        m.submodules.accumulator = accumulator = Accumulator(array)
        m.submodules.finisher = finisher = self._finisher()
        m.submodules.add = add = AddStage(array)
        m.submodules.placer = placer = Placer(array)
        m.submodules.writer = writer = Writer(array)
        for own, inner in [(self.program, sequencer.program), (self.table, sequencer.table_words),
                           (self.tables, sequencer.tables),
                           (self.codebook, sequencer.levels if engine_of(array).levels else front.codebook_write)]:
            connect(m, flipped(own), inner)
        share(m, sequencer.settings, front.settings, add.settings, placer.settings, writer.settings)
        share(m, sequencer.next, front.next, placer.next)
        self._control(m, sequencer, front)
        self._sum(m, sequencer, front, accumulator, finisher)
        placed, results = self._finish(m, sequencer, front, accumulator, finisher)
        taken = self._load(m, sequencer, placer)
        self._write(m, placed, results, taken, front, add, placer, writer)
        self._end(m, taken, sequencer, front, placer, writer)
        return m

    def _sequencer(self) -> Sequencer:
        return Sequencer(self.array)

    def _finisher(self) -> Finisher:
        return Finisher(self.array)

    def _control(self, m: Module, sequencer: Sequencer, front: Front) -> None:
        m.d.comb += [
            sequencer.run.eq(self.run), sequencer.address.eq(self.address), sequencer.runs.eq(self.runs),
            self.finished.eq(sequencer.finished), self.ended.eq(sequencer.ended),
            front.start.eq(sequencer.start), front.next_ready.eq(sequencer.ready),
            sequencer.taken.eq(front.next_taken), sequencer.indexed.eq(front.indexed),
            front.free_half.eq(sequencer.free_half),
            front.room.eq(self.room), sequencer.room.eq(self.room),
            self.reserve.eq(sequencer.reserve | front.reserve)]

    def _sum(self, m: Module, sequencer: Sequencer, front: Front, accumulator: Accumulator,
             finisher: Finisher) -> None:
        """Array and accumulators; a row's index word is read when it is issued, a pool's sums come by themselves.

        A register lies before everything that comes to the cells.
        """
        array, row, layer = self.array, sequencer.row, sequencer.settings
        stages = Pipeline(array).tree + 1
        m.submodules.cells = cells = engine_of(array).cells(array)
        m.d.comb += [getattr(cells.load, name).eq(delay(m, getattr(sequencer.table, name), 1, reset=name in LOADS))
                     for name in sequencer.table.signature.members]
        last_tile, symbols = delay(m, row.last, 2), Signal.like(front.symbols)
        pooled = front.pooled
        m.d.comb += [
            front.read.eq(row.valid & row.opens), front.read_word.eq(row.word), symbols.eq(front.symbols),
            cells.symbols.eq(delay(m, symbols, 1)),
            *(bit.eq(~last_tile | (layer.last_slots >= number // array.encoders))
              for number, bit in enumerate(cells.used)),
            cells.turn.eq(delay(m, sequencer.turn, 1, reset=True)), cells.valid.eq(delay(m, row.valid, 2, reset=True)),
            cells.bank.eq(delay(m, row.bank, 2)),
            accumulator.pool.eq(layer.kind == Kind.POOL),
            accumulator.maximum.eq(accumulator.pool & layer.maximum),
            accumulator.valid.eq(delay(m, row.valid & row.closes, stages, reset=True) | pooled.valid),
            accumulator.i.eq(cells.o), accumulator.pooled.eq(front.sums)]
        if array.gather:  # the loader reads the indices; the cells are told the number of the row
            m.d.comb += sequencer.symbols.eq(front.symbols)
            with m.If(layer.gather):
                told = Signal(len(front.symbols) // array.rows)
                m.d.comb += [told.eq(delay(m, row.row, 1)), symbols.eq(told.replicate(array.rows)),
                             front.read.eq(sequencer.index_read), front.read_word.eq(sequencer.index_word)]
        for name in ("row", "first", "last"):
            ours = delay(m, getattr(row, name), stages)
            m.d.comb += getattr(accumulator, name).eq(Mux(accumulator.pool, getattr(pooled, name), ours))
        if engine_of(array).planes:
            m.d.comb += [cells.plane.eq(delay(m, row.plane, 2)), cells.opens.eq(delay(m, row.opens, 2))]
        if engine_of(array).lane:
            self._lane(m, sequencer, front, finisher, cells)

    def _lane(self, m: Module, sequencer: Sequencer, front: Front, finisher: Finisher,
              cells: wiring.Component) -> None:
        """The sum of a row's activations comes with its first plane, two cycles before a plane's sums."""
        row, ahead = sequencer.row, Pipeline(self.array).tree
        m.submodules.lane = lane = SumLane(self.array)
        connect(m, sequencer.parameter, lane.load)
        bank = front.bank if self.array.functions else 0  # norms take parameter banks, too
        m.d.comb += [lane.valid.eq(delay(m, row.valid & row.opens, ahead, reset=True)), lane.i.eq(cells.lane),
                     *(getattr(lane, name).eq(delay(m, getattr(row, name), ahead))
                       for name in ("row", "first", "last")),
                     lane.bank.eq(delay(m, row.parameters, ahead) ^ bank),
                     finisher.correction.eq(Mux(sequencer.settings.kind == Kind.PRODUCT, lane.o, 0))]

    def _finish(self, m: Module, sequencer: Sequencer, front: Front, accumulator: Accumulator,
                finisher: Finisher) -> tuple[Signal, Signal]:
        """Finisher; what comes back says when a row's residual is to be read, and the row ``RESIDUAL`` cycles later."""
        connect(m, sequencer.parameter, finisher.load)
        row, layer, stages = sequencer.row, sequencer.settings, Pipeline(self.array)
        valid = (delay(m, row.valid & row.last & row.closes, stages.sum, reset=True)
                 | delay(m, front.pooled.valid & front.pooled.last, 3, reset=True))
        bank, totals, pool = delay(m, row.parameters, stages.sum), accumulator.o, accumulator.pool
        if self.array.functions:
            self._functions(m, sequencer, front, finisher)
            softmax = layer.maximum & (layer.kind == Kind.ROW)
            valid, bank, pool = valid | front.rowed, bank ^ front.bank, pool | softmax
            totals = self._values(m, totals, front)
        m.d.comb += [
            finisher.valid.eq(valid), finisher.bank.eq(bank), finisher.i.eq(totals), finisher.pool.eq(pool),
            finisher.multiplier.eq(layer.multiplier), finisher.shift.eq(layer.shift), finisher.low.eq(layer.low),
            finisher.high.eq(layer.high)]
        return delay(m, finisher.valid, stages.finish - RESIDUAL, reset=True), finisher.o

    def _functions(self, m: Module, sequencer: Sequencer, front: Front, finisher: Finisher) -> None:
        """Function memory: the two functions of an operation are read when it starts, before its first row is fed."""
        layer = sequencer.settings
        m.submodules.functions = memory = FunctionMemory(slots=self.array.functions)
        connect(m, flipped(self.function), memory.write)
        m.d.comb += [
            memory.read.eq(delay(m, sequencer.start, 1, reset=True)), memory.numbers[0].eq(layer.function),
            memory.numbers[1].eq(Mux(layer.maximum, layer.second, layer.function)),
            front.functions.eq(memory.o), front.parameters.eq(sequencer.some_parameters),
            sequencer.word_ends.eq(front.word_ends), finisher.function.eq(memory.o[0]),
            finisher.apply.eq((layer.function != 0) & (layer.kind != Kind.ROW))]

    def _values(self, m: Module, totals: Value, front: Front) -> Value:
        """Totals of the accumulators or, in the columns of a word, values of the row unit."""
        width, array, merged = accumulator_width(self.array), self.array, []
        for column in range(array.columns):
            total = Signal(signed(finisher_width(array)), name=f"total_{column}")
            m.d.comb += total.eq(totals.word_select(column, width).as_signed())
            if column < array.word:
                with m.If(front.rowed):
                    m.d.comb += total.eq(front.values.word_select(column, ROW_WIDTH).as_signed())
            merged.append(total)
        return Cat(merged)

    def _load(self, m: Module, sequencer: Sequencer, placer: Placer) -> Signal:
        """A load takes a beat in every cycle; the signal says that it does."""
        loading, taken = Signal(), Signal()
        m.d.comb += [self.activations.ready.eq(loading), taken.eq(loading & self.activations.valid)]
        with m.If(sequencer.start):
            m.d.sync += loading.eq(sequencer.next.kind == Kind.LOAD)
        with m.Elif(taken & placer.end):
            m.d.sync += loading.eq(0)
        return taken

    def _write(self, m: Module, placed: Signal, results: Signal, taken: Signal, front: Front, add: AddStage,
               placer: Placer, writer: Writer) -> None:
        """Placer, add stage and writer; a load's beat is placed when it is taken, and written from a register."""
        layer, stages = placer.settings, Pipeline(self.array)
        later = RESIDUAL + stages.add
        loaded, beat = delay(m, taken, 1, reset=True), delay(m, self.activations.payload.data, 1)
        placed_at = {name: delay(m, Mux(taken, value, delay(m, value, later - 1)), 1) for name, value in [
            ("target", placer.target), ("edge", placer.edge), ("end", placer.end)]}
        m.d.comb += [
            placer.start.eq(front.start), placer.step.eq(placed | taken),
            front.residual.en.eq(placed & layer.residual), front.residual.side.eq(~layer.source_side),
            front.residual.address.eq(placer.residual),
            add.valid.eq(delay(m, placed, RESIDUAL, reset=True)), add.i.eq(results),
            add.residual.eq(front.residual_data),
            writer.valid.eq(delay(m, placed, later, reset=True) | loaded),
            writer.i.eq(Mux(loaded, beat, add.o)), writer.address.eq(placed_at["target"]),
            writer.edge.eq(placed_at["edge"]), self.end.eq(placed_at["end"]),
            self.beat.eq(writer.beat), self.data.eq(writer.data), self.last.eq(writer.last)]
        connect(m, writer.o, front.write)

    def _end(self, m: Module, taken: Signal, sequencer: Sequencer, front: Front, placer: Placer,
             writer: Writer) -> None:
        """The operation is done when its last word is written, or its last beat has left; or something is wrong."""
        leaving, early = Signal(), self.activations.payload.last  # the last beat is in the output buffer
        m.d.comb += [
            sequencer.done.eq(delay(m, writer.o.en & self.end | leaving & self.emptied, 1, reset=True)),
            self.moving.eq(delay(m, sequencer.moving | front.fed | taken, 1, reset=True))]
        with m.If(leaving & self.emptied):
            m.d.sync += leaving.eq(0)
        with m.If(self.beat & self.end):
            m.d.sync += leaving.eq(1)
        running, length = sequencer.running_place, Mux(early, Error.SHORT, Error.LONG)
        found = [(writer.fault, running), (Mux(taken & (early != placer.end), length, Error.NONE), running),
                 (front.fault, Mux(front.fault == Error.CODEBOOK, sequencer.codebook_place, running))]
        later = [(delay(m, Value.cast(fault), 1, reset=True), delay(m, place, 1)) for fault, place in found]
        m.d.comb += self.place.eq(later[0][1])
        for fault, place in [*later, (Value.cast(sequencer.fault), sequencer.place)]:  # the later ones go first
            with m.If(fault.any()):
                m.d.comb += [self.fault.eq(fault), self.place.eq(place)]

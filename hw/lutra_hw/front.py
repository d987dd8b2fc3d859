"""Front of the machine: from activations in memory to indices in memory, and to sums of pools."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from lutra_model.operation import Error
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .accumulator import pool_width
from .activations import ActivationMemory, activation_read, activation_write
from .arrange import Arranger
from .codebooks import Codebooks
from .commands import codebook_write
from .engines import engine_of, symbol_width
from .feeder import Feeder, index_place, pool_flags
from .gather import Gather
from .index_memory import IndexMemory
from .piecewise import FUNCTION
from .pool import Pool
from .row_unit import ROW_WIDTH, RowUnit
from .settings import settings
from .signals import bits, delay

__all__ = ["Front", "pool_beat"]


def pool_beat(array: Array) -> wiring.Signature:
    """A part's sums of an activation row: row of the block, first and last part, last row of the operation."""
    return wiring.Signature({"valid": Out(1), "row": Out(bits(array.block_rows)), "first": Out(1), "last": Out(1),
                             "end": Out(1)})


def _row_members(array: Array) -> dict[str, wiring.Member]:
    return {"functions": In(data.ArrayLayout(FUNCTION, 2)), "parameters": In(1), "word_ends": Out(1),
            "rowed": Out(1), "values": Out(ROW_WIDTH * array.word), "bank": Out(1)}


class Front(wiring.Component):
    """Activation memory, window former, encoders and index memory.

    One activation row is fed in a cycle. Its index word is written ``fetch + encode`` cycles later, its pool's sums
    are there ``fetch + 2`` cycles later. After a reset it holds what its memories held.

    Members
    -------
    start, settings : the operation ``next`` starts; its settings, from the next cycle on until the next start.
    next_ready, next, next_taken : the operation that comes next, until it starts; the codebook loader takes it.
    codebook_write : write of codebook memory.
    room, reserve : the output buffer has a place; a pool's row fed in this cycle reserves it.
    free_half : an index half is freed; a row of the next block may be fed in the next cycle.
    indexed : an index word is complete with this cycle's write; its row can be issued in the next cycle.
    read, read_word, symbols : read of an index word; what it holds one cycle later, row 0 lowest.
    pooled, sums : a pool's row, ``fetch`` cycles after it was fed, and its sums two cycles after that.
    residual, residual_data, write : of activation memory, see `ActivationMemory`.
    fed : a row is fed, or a codebook beat issued.
    fault : what is wrong in this cycle.
    functions, parameters, word_ends : of a machine with functions: the operation's two; see `Feeder`.
    rowed, values, bank : a ROW's values come to the finisher in this cycle, ``Pipeline.row`` cycles after their word
        was fed; the bank of their parameters.
    """

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "start": In(1), "settings": In(settings(array)),
            "next_ready": In(1), "next": In(settings(array)), "next_taken": Out(1),
            "codebook_write": In(codebook_write()), "room": In(1), "reserve": Out(1), "free_half": In(1),
            "indexed": Out(1), "read": In(1), "read_word": In(bits(2 * array.index_words)),
            "symbols": Out(symbol_width(array) * array.rows),
            "pooled": Out(pool_beat(array)), "sums": Out(array.word * pool_width(array)),
            "residual": In(activation_read(array)), "residual_data": Out(8 * array.columns),
            "write": In(activation_write(array)), "fed": Out(1), "fault": Out(Error),
            **(_row_members(array) if array.functions else {})})

    def elaborate(self, platform):
        m = Module()
        m.submodules.feeder = feeder = Feeder(self.array)
        m.submodules.gather = gather = Gather(self.array)
        m.submodules.activations = memory = ActivationMemory(self.array)
        for part in (feeder, gather):
            connect(m, flipped(self.settings), part.settings)
        connect(m, flipped(self.next), feeder.next)
        connect(m, flipped(self.residual), memory.residual)
        connect(m, flipped(self.write), memory.write)
        m.d.comb += [
            feeder.start.eq(self.start), feeder.free_half.eq(self.free_half), feeder.room.eq(self.room),
            self.reserve.eq(feeder.reserve),
            gather.valid.eq(feeder.product | feeder.pool | self._row(m, feeder, gather)),
            gather.base.eq(feeder.base), gather.py.eq(feeder.py), gather.px.eq(feeder.px),
            gather.last_group.eq(feeder.last_group), memory.source_side.eq(self.settings.source_side),
            memory.used.eq(gather.used), memory.rows.eq(gather.rows), gather.data.eq(memory.data),
            self.residual_data.eq(memory.residual_data)]
        self._pool(m, feeder, gather.words)
        codebooks = self._codebooks(m, feeder)
        self._index(m, feeder, self._symbols(m, feeder, gather.words, codebooks))
        m.d.comb += self.fed.eq(gather.valid | (codebooks.issued if codebooks else 0))
        self._faults(m, feeder, gather, memory, codebooks)
        return m

    def _pool(self, m: Module, feeder: Feeder, words: Value) -> None:
        m.submodules.pool = pool = Pool(self.array)
        fetched = delay(m, feeder.pool, Pipeline(self.array).fetch, reset=True)
        flags = pool_flags(self.array)(delay(m, feeder.flags.as_value(), Pipeline(self.array).fetch))
        m.d.comb += [
            pool.enable.eq(Cat(fetched, delay(m, fetched, 1, reset=True))), pool.maximum.eq(self.settings.maximum),
            pool.words.eq(words[:len(pool.words)]), self.sums.eq(pool.o), self.pooled.valid.eq(fetched),
            *(getattr(self.pooled, name).eq(flags[name]) for name in ("row", "first", "last", "end"))]

    def _row(self, m: Module, feeder: Feeder, gather: Gather) -> Value:
        """The row unit; whether a ROW's word is fed."""
        if not self.array.functions:
            return Const(0)
        m.submodules.rows = unit = RowUnit(self.array)
        operation, stages, bank = self.settings, Pipeline(self.array), Signal()
        with m.If(feeder.word_ends):
            m.d.sync += bank.eq(~bank)
        m.d.comb += [
            feeder.parameters.eq(self.parameters), self.word_ends.eq(feeder.word_ends),
            unit.softmax.eq(operation.maximum), unit.epsilon.eq(operation.epsilon),
            unit.channels.eq(operation.parts_x * self.array.word + operation.last_columns + 1),
            unit.last_byte.eq(operation.last_columns), unit.elementwise.eq(self.functions[0]),
            unit.scalar.eq(self.functions[1]), unit.valid.eq(delay(m, feeder.row, stages.fetch, reset=True)),
            unit.flags.eq(delay(m, feeder.word.as_value(), stages.fetch)), unit.i.eq(gather.words),
            self.rowed.eq(unit.emit), self.values.eq(unit.o), self.bank.eq(delay(m, bank, stages.row))]
        return feeder.row

    def _codebooks(self, m: Module, feeder: Feeder) -> Codebooks | None:
        """The codebook loader; a MAC array has none and lets every operation pass."""
        if not engine_of(self.array).slot:
            passed = delay(m, self.next_ready, 1, reset=True)
            m.d.comb += [feeder.loaded.eq(1), self.next_taken.eq(self.next_ready & ~passed)]
            return None
        m.submodules.codebooks = codebooks = Codebooks(self.array)
        connect(m, flipped(self.next), codebooks.next)
        connect(m, flipped(self.codebook_write), codebooks.write)
        m.d.comb += [codebooks.next_ready.eq(self.next_ready), self.next_taken.eq(codebooks.next_taken),
                     codebooks.turn.eq(feeder.turn), feeder.loaded.eq(codebooks.loaded)]
        return codebooks

    def _symbols(self, m: Module, feeder: Feeder, words: Value, codebooks: Codebooks | None) -> Value:
        """What the encoders make of the words."""
        array, fetch = self.array, Pipeline(self.array).fetch
        m.submodules.arranger = arranger = Arranger(array)
        connect(m, flipped(self.settings), arranger.settings)
        m.d.comb += [arranger.words.eq(words), arranger.group.eq(delay(m, feeder.group[:bits(array.word)], fetch))]
        vector, turn = (delay(m, value, fetch, reset=True) for value in (feeder.product, feeder.turn))
        mask = Cat(self.settings.entries >= entry for entry in range(array.entries))
        symbols = []
        for number in range(array.encoders):
            encoder = engine_of(array).encoder(array)
            m.submodules[f"encoder_{number}"] = encoder
            width, share = len(encoder.data), len(encoder.centroid)
            m.d.comb += [encoder.vector.eq(vector), encoder.data.eq(arranger.o.word_select(number, width)),
                         encoder.turn.eq(turn), encoder.entry_mask.eq(mask),
                         encoder.zero.eq(self.settings.zero), encoder.last.eq(self.settings.entries + 1)]
            if codebooks:
                m.d.comb += [encoder.load.eq(codebooks.load), encoder.entry.eq(codebooks.entry),
                             encoder.centroid.eq(codebooks.data.word_select(number, share))]
            symbols.append(encoder.o)
        return Cat(symbols)

    def _index(self, m: Module, feeder: Feeder, symbols: Value) -> None:
        m.submodules.index_memory = memory = IndexMemory(self.array)
        latency = Pipeline(self.array).fetch + Pipeline(self.array).encode
        place = index_place(self.array)(delay(m, feeder.index.as_value(), latency))
        m.d.comb += [
            memory.write.eq(delay(m, feeder.product, latency, reset=True)), memory.write_word.eq(place.word),
            memory.slot.eq(place.slot), memory.symbols.eq(symbols), self.indexed.eq(memory.write & place.complete),
            memory.read.eq(self.read), memory.read_word.eq(self.read_word), self.symbols.eq(memory.data)]

    def _faults(self, m: Module, feeder: Feeder, gather: Gather, memory: ActivationMemory,
                codebooks: Codebooks | None) -> None:
        m.d.comb += self.fault.eq(memory.fault)
        for seen, error in [(codebooks.fault if codebooks else Signal(), Error.CODEBOOK), (feeder.fault, Error.SIZE),
                            (gather.conflict, Error.CONFLICT), (gather.beyond, Error.READ)]:
            with m.If(seen):
                m.d.comb += self.fault.eq(error)

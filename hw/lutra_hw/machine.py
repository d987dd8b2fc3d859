"""The machine of docs/hardware.md: the top of the hardware."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from lutra_model.params import Array
from lutra_model.schedule import Pipeline

from .accumulator import Accumulator
from .encoder import Encoder, PassThrough
from .finisher import Finisher
from .index_memory import IndexMemory
from .lookup_array import LookupArray
from .mac_array import MacArray
from .output_buffer import OutputBuffer
from .sequencer import Sequencer
from .signals import delay, sink_ports, take
from .verilog import convert

__all__ = ["Machine", "verilog"]


class Machine(wiring.Component):
    """Runs product layers as their descriptors come, with the timing of docs/hardware.md.

    Members
    -------
    s_axis_cmd, s_axis_act, s_axis_table : AXI4-Stream inputs (``_tdata``, ``_tvalid``, ``_tready``).
    m_axis : AXI4-Stream output (``_tdata``, ``_tkeep``, ``_tlast``, ``_tvalid``, ``_tready``).
    """

    def __init__(self, array: Array):
        self.array = array
        columns = array.columns
        super().__init__({
            **sink_ports("s_axis_cmd", 32), **sink_ports("s_axis_act", 8 * array.length * array.encoders),
            **sink_ports("s_axis_table", 8 * columns),
            "m_axis_tdata": Out(8 * columns), "m_axis_tkeep": Out(columns), "m_axis_tlast": Out(1),
            "m_axis_tvalid": Out(1), "m_axis_tready": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = sequencer = Sequencer(self.array)
        connect(m, take(m, self, "s_axis_cmd"), sequencer.command)
        connect(m, take(m, self, "s_axis_table"), sequencer.tables)
        words = self._encode(m, sequencer)
        totals = self._sum(m, sequencer, words)
        self._finish(m, sequencer, totals)
        return m

    def _encode(self, m: Module, sequencer: Sequencer) -> IndexMemory:
        """Encoders, and their symbols into the index memory."""
        array, beat = self.array, sequencer.beat
        m.submodules.words = words = IndexMemory(array)
        activations = take(m, self, "s_axis_act")
        m.d.comb += [sequencer.valid.eq(activations.valid), activations.ready.eq(sequencer.ready)]
        for number in range(array.encoders):
            encoder = Encoder(array) if array.is_lookup else PassThrough(array)
            m.submodules[f"encoder_{number}"] = encoder
            m.d.comb += [encoder.centroid.eq(beat.centroid), encoder.vector.eq(beat.vector),
                         encoder.entry.eq(beat.entry), encoder.address.eq(beat.address),
                         encoder.entry_mask.eq(sequencer.settings.entry_mask),
                         encoder.data.eq(activations.payload.word_select(number, 8 * array.length)),
                         words.symbols.word_select(number, len(encoder.o)).eq(encoder.o)]
        stages = Pipeline(array).encode
        m.d.comb += [words.write.eq(delay(m, beat.vector, stages, reset=True)),
                     words.write_word.eq(delay(m, beat.word, stages)), words.slot.eq(delay(m, beat.slot, stages)),
                     sequencer.indexed.eq(delay(m, beat.vector & beat.complete, stages, reset=True))]
        return words

    def _sum(self, m: Module, sequencer: Sequencer, words: IndexMemory) -> Accumulator:
        """Array and accumulators; the row's word is read when it is issued."""
        array, row = self.array, sequencer.row
        stages = Pipeline(array).tree + 1
        m.submodules.cells = cells = LookupArray(array) if array.is_lookup else MacArray(array)
        m.submodules.accumulator = accumulator = Accumulator(array)
        connect(m, sequencer.table, cells.load)
        used = Signal(array.rows)
        m.d.comb += [
            words.read.eq(row.valid), words.read_word.eq(row.word),
            used.eq(Mux(delay(m, row.last, 1), sequencer.settings.row_mask, ~0)),
            cells.turn.eq(sequencer.turn), cells.valid.eq(delay(m, row.valid, 1, reset=True)),
            cells.bank.eq(delay(m, row.bank, 1)), cells.used.eq(used), cells.symbols.eq(words.data),
            accumulator.valid.eq(delay(m, row.valid, stages, reset=True)),
            accumulator.row.eq(delay(m, row.row, stages)),
            accumulator.first.eq(delay(m, row.first, stages)), accumulator.last.eq(delay(m, row.last, stages)),
            accumulator.i.eq(cells.o)]
        return accumulator

    def _finish(self, m: Module, sequencer: Sequencer, totals: Accumulator) -> None:
        """Finisher and output buffer; the buffer's place is reserved when the row is issued."""
        array, row, layer, stages = self.array, sequencer.row, sequencer.settings, Pipeline(self.array)
        m.submodules.finisher = finisher = Finisher(array)
        m.submodules.buffer = buffer = OutputBuffer(width=8 * array.columns + 2, depth=stages.buffer)
        connect(m, sequencer.parameter, finisher.load)
        leaving = row.valid & row.last
        edge, end = Signal(), Signal()
        m.d.comb += [
            finisher.valid.eq(delay(m, leaving, stages.sum, reset=True)), finisher.i.eq(totals.o),
            finisher.bank.eq(delay(m, row.parameters, stages.sum)),
            finisher.low.eq(layer.low), finisher.high.eq(layer.high),
            buffer.reserve.eq(leaving), sequencer.room.eq(buffer.room),
            buffer.write.eq(delay(m, leaving, stages.sum + stages.finish, reset=True)),
            buffer.data.eq(Cat(finisher.o, delay(m, row.edge, stages.sum + stages.finish),
                               delay(m, row.end, stages.sum + stages.finish))),
            Cat(self.m_axis_tdata, edge, end).eq(buffer.o.payload),
            self.m_axis_tkeep.eq(Mux(edge, layer.column_mask, ~0)), self.m_axis_tlast.eq(end),
            self.m_axis_tvalid.eq(buffer.o.valid), buffer.o.ready.eq(self.m_axis_tready),
            sequencer.done.eq(buffer.o.valid & buffer.o.ready & end)]


def verilog(array: Array, name: str = "lutra") -> str:
    """Verilog of the machine with top module ``name``."""
    return convert(Machine(array), name)

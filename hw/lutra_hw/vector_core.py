"""The core of a vector machine: outputs pass array and finisher one after the other, for all tokens at once."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import connect, flipped

from lutra_model.operation import Kind
from lutra_model.schedule import Pipeline

from .accumulator import Accumulator
from .core import RESIDUAL, Core
from .finisher import Finisher
from .front import Front
from .sequencer import Sequencer
from .signals import delay
from .transposer import Transposer
from .vector_cells import VectorCells
from .vector_finisher import VectorFinisher
from .vector_sequencer import VectorSequencer

__all__ = ["VectorCore"]


class VectorCore(Core):
    """As `Core`; a transposer behind the finisher brings outputs into the order that the stages after it know."""

    def _sequencer(self) -> Sequencer:
        return VectorSequencer(self.array)

    def _finisher(self) -> Finisher:
        return VectorFinisher(self.array)

    def _sum(self, m: Module, sequencer: VectorSequencer, front: Front, accumulator: Accumulator,
             finisher: Finisher) -> None:
        """Array and accumulators: a word for each output of a sweep, a pool's sums come by themselves."""
        row, layer, pooled = sequencer.row, sequencer.settings, front.pooled
        stages = Pipeline(self.array).tree + 1
        m.submodules.cells = cells = VectorCells(self.array)
        connect(m, sequencer.build, cells.build)
        m.d.comb += [
            front.read.eq(sequencer.read), front.read_word.eq(sequencer.word), cells.symbols.eq(front.symbols),
            cells.valid.eq(delay(m, row.valid, 1, reset=True)), cells.bank.eq(delay(m, row.bank, 1)),
            cells.lanes.eq(delay(m, row.lanes, 1)), cells.code.eq(sequencer.code),
            accumulator.pool.eq(layer.kind == Kind.POOL),
            accumulator.maximum.eq(accumulator.pool & layer.maximum),
            accumulator.valid.eq(delay(m, row.valid, stages, reset=True) | pooled.valid),
            accumulator.i.eq(delay(m, cells.o, 1)), accumulator.pooled.eq(front.sums)]
        for name in ("row", "first", "last"):
            ours = delay(m, getattr(row, name), stages)
            m.d.comb += getattr(accumulator, name).eq(Mux(accumulator.pool, getattr(pooled, name), ours))

    def _finish(self, m: Module, sequencer: VectorSequencer, front: Front, accumulator: Accumulator,
                finisher: VectorFinisher) -> tuple[Signal, Signal]:
        """Finisher, then the transposer for a product; a pool's rows come in order."""
        row, layer, stages = sequencer.row, sequencer.settings, Pipeline(self.array)
        m.submodules.transposer = transposer = Transposer(self.array)
        connect(m, flipped(front.settings), transposer.settings)
        summed = delay(m, row.valid & row.last, stages.sum, reset=True)
        pooled = delay(m, front.pooled.valid & front.pooled.last, 3, reset=True)
        later = stages.sum + stages.finish
        placed, results = Signal(), Signal.like(finisher.o)
        m.d.comb += [
            finisher.valid.eq(summed | pooled), finisher.i.eq(accumulator.o), finisher.pool.eq(accumulator.pool),
            finisher.parameters.eq(delay(m, sequencer.parameters, stages.sum - 1)),
            finisher.multiplier.eq(layer.multiplier), finisher.shift.eq(layer.shift), finisher.low.eq(layer.low),
            finisher.high.eq(layer.high),
            transposer.write.eq(delay(m, summed, stages.finish, reset=True)), transposer.i.eq(finisher.o),
            transposer.write_bank.eq(delay(m, row.turn, later)), transposer.place.eq(delay(m, row.place, later)),
            transposer.full.eq(delay(m, row.valid & row.full, later, reset=True)),
            transposer.room.eq(self.room), sequencer.drained.eq(transposer.drained),
            sequencer.reserve.eq(transposer.reserve),
            placed.eq(transposer.valid | delay(m, pooled, stages.finish - RESIDUAL, reset=True)),
            results.eq(Mux(accumulator.pool, finisher.o, delay(m, transposer.o, RESIDUAL - 2)))]
        return placed, results

"""The bare array of a vector machine: tables are built of activations, code words look them up."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from lutra_model.bare import Bare

from .bare import BareMachine, Ongoing
from .signals import delay
from .vector_builder import addition, half_table
from .vector_cells import VectorCells

__all__ = ["BareVector"]


class BareVector(BareMachine):
    """One beat of sub-vectors for each token, then the tables' entries; then a table beat of code words an output.

    An operation's ``entries`` are tokens, its rows outputs. Tables lie in the one bank that is used.
    """

    def __init__(self, array: Bare):
        super().__init__(array)
        self._adding = Signal(name="adding")  # all tokens are there

    def _cells(self, m: Module, ongoing: Ongoing) -> None:
        array = self.array
        m.submodules.cells = cells = VectorCells(array, banks=1)
        build, building = cells.build, ongoing("LOAD")
        lanes = Cat(self.last_entry >= lane for lane in range(array.columns))
        valid = ongoing("PASS") & self.s_axis_table_tvalid
        addition(m, build, array.length)
        m.d.comb += [
            build.stage.eq(building & ~self._adding & self.s_axis_act_tvalid), build.lane.eq(self.entry),
            build.add.eq(building & self._adding), build.first.eq(self.entry == 0), build.step.eq(self.entry),
            build.lanes.eq(lanes),
            cells.symbols.eq(self.s_axis_act_tdata), cells.valid.eq(valid), cells.lanes.eq(lanes),
            cells.code.eq(self.s_axis_table_tdata), self.sums.i.eq(cells.o),
            self.sums.coming.eq(delay(m, valid, array.tree - 1, reset=True))]

    def _learn(self, m: Module) -> Value:
        """There is nothing to learn."""
        return Const(1)

    def _load(self, m: Module) -> Value:
        """Whether the last entry is made."""
        last_token, last_step = self.entry == self.last_entry, self.entry == half_table(self.array) - 1
        m.d.comb += self.s_axis_act_tready.eq(~self._adding)
        step, last = Mux(self._adding, 1, self.s_axis_act_tvalid), Mux(self._adding, last_step, last_token)
        with m.If(step):
            m.d.sync += self.entry.eq(Mux(last, 0, self.entry + 1))
            with m.If(last):
                m.d.sync += self._adding.eq(~self._adding)
        return self._adding & last_step

    def _issue(self, m: Module) -> Value:
        """Whether an output's code words are taken."""
        m.d.comb += self.s_axis_table_tready.eq(1)
        return self.s_axis_table_tvalid

"""A bare array behind streams: command words, tables and activations in, sums out."""

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.bare import Bare
from lutra_model.operation import State

from .bare_sums import BareSums
from .engines import beat_width, sum_width
from .signals import bits, held, sink_ports

__all__ = ["BareMachine", "Ongoing"]

Ongoing = Callable[[str], Value]  # whether the machine is in a state


class BareMachine(wiring.Component):
    """Passes, one after the other, as `lutra_model.bare.command` says; ports as a `Machine` has them.

    One row (of planes: one plane) is taken in a cycle, and one row of sums leaves in one. `Bare.pass_cycles` says how
    long a pass takes where no stream waits. A command beyond ``block_rows`` is a failure, after which everything is
    taken and nothing done until a reset.

    Members
    -------
    s_axis_cmd, s_axis_act, s_axis_table : AXI4-Stream inputs; ``tlast`` has no meaning.
    m_axis : AXI4-Stream output: rows of sums, whole bytes each, low byte first, column 0 lowest; ``tlast`` on a pass's
        last row.
    status : the state in bits 1..0, as that of a machine.
    """

    def __init__(self, array: Bare):
        self.array = array
        self.sum_bytes = -(-sum_width(array, array.codebooks) // 8)  # the host has them of `Bare.sum_bytes`
        size = 8 * array.columns * self.sum_bytes
        super().__init__({
            **sink_ports("s_axis_cmd", 32), **sink_ports("s_axis_act", 8 * array.activation_bytes, last=True),
            **sink_ports("s_axis_table", beat_width(array), last=True),
            "m_axis_tdata": Out(size), "m_axis_tkeep": Out(size // 8), "m_axis_tlast": Out(1),
            "m_axis_tvalid": Out(1), "m_axis_tready": In(1), "status": Out(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.sums = self.sums = BareSums(self.array)
        word = held(m, self.s_axis_cmd_tvalid & self.s_axis_cmd_tready, self.s_axis_cmd_tdata, "word")
        self.last_row, self.last_entry = word[:16], word[16:24]
        self.first, goes, loads = word[24:27]
        self.row, self.entry, self.group = Signal(16), Signal(8), Signal(bits(self.array.rows // self.array.fill))
        left = Signal(17)  # rows that are under way
        step, shown = Signal(), Signal()
        m.d.comb += self.sums.first.eq(self.first)
        self._output(m)
        m.d.sync += left.eq(left + step - self.sums.written)
        with m.FSM() as fsm:
            with m.State("IDLE"):
                coming = self.s_axis_cmd_tdata
                m.d.comb += self.s_axis_cmd_tready.eq(1)
                with m.If(self.s_axis_cmd_tvalid):
                    m.d.comb += self.sums.begin.eq(1)
                    m.d.sync += [self.row.eq(0), self.entry.eq(0), self.group.eq(0)]
                    m.next = "TURN"
                    with m.If(coming[26]):
                        m.next = "LOAD"
                    with m.If(coming[27]):
                        m.next = "LEARN"
                    with m.If(coming[:16] >= self.array.block_rows):
                        m.next = "FAILED"
            with m.State("LEARN"), m.If(self._learn(m)):
                m.next = "TURN"
                with m.If(loads):
                    m.next = "LOAD"
            with m.State("LOAD"), m.If(self._load(m)):
                m.next = "TURN"
            with m.State("TURN"):  # two cycles: new weights reach the cells
                m.d.sync += shown.eq(~shown)
                with m.If(shown):
                    m.next = "PASS"
            with m.State("PASS"):
                m.d.comb += step.eq(self._issue(m))
                with m.If(step):
                    m.d.sync += self.row.eq(self.row + 1)
                    with m.If(self.row == self.last_row):
                        m.next = "FLUSH"
            with m.State("FLUSH"), m.If(left == 0):
                m.d.sync += self.row.eq(0)
                m.next = "IDLE"
                with m.If(goes):
                    m.next = "DRAIN"
            with m.State("DRAIN"), m.If(self._drain(m)):
                m.next = "IDLE"
            with m.State("FAILED"):
                m.d.comb += [getattr(self, f"s_axis_{name}_tready").eq(1) for name in ("cmd", "act", "table")]
        m.d.comb += self.status[:2].eq(Mux(fsm.ongoing("FAILED"), State.FAILED, ~fsm.ongoing("IDLE")))
        self._cells(m, fsm.ongoing)
        return m

    def _drain(self, m: Module) -> Value:
        """Rows of sums leave through two registers; whether the last one is taken."""
        stages, ends = self.stages, self.ends
        goes = ~stages[1] | self.m_axis_tready
        m.d.comb += self.sums.drain.eq(goes)
        with m.If(goes):
            more = self.row <= self.last_row
            m.d.sync += [self.row.eq(self.row + more), stages.eq(Cat(more, stages)),
                         ends.eq(Cat(self.row == self.last_row, ends))]
        return stages[1] & ends[1] & self.m_axis_tready

    def _output(self, m: Module) -> None:
        """What is on offer stands in registers alone."""
        size, sums = 8 * self.sum_bytes, self.sums
        self.stages, self.ends = Signal(2), Signal(2)  # a row is in the memory's register, in the output's; the last
        m.d.comb += [sums.row.eq(self.row), self.m_axis_tkeep.eq(-1), self.m_axis_tvalid.eq(self.stages[1]),
                     self.m_axis_tlast.eq(self.ends[1])]
        for column in range(self.array.columns):
            total = sums.o.word_select(column, sums.width).as_signed()
            m.d.comb += self.m_axis_tdata.word_select(column, size).as_signed().eq(total)

"""The machine's state, its errors and its watchdog."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import Error, State

from .program import ADDRESS_BITS

__all__ = ["Status"]


class Status(wiring.Component):
    """State and status word, one cycle after what changes them.

    Members
    -------
    run : a run begins with the next cycle. finished : one of its passes ends in this cycle; ended: the last.
    fault, place : the error seen in this cycle, and the program address of its operation.
    clear : the machine goes on after a failure.
    watched : a run fails after more than ``patience`` cycles in a row in which nothing is ``moving``.
    failed : the state.
    status : the status word.
    """

    def __init__(self) -> None:
        super().__init__({
            "run": In(1), "finished": In(1), "ended": In(1), "fault": In(Error), "place": In(ADDRESS_BITS),
            "clear": In(1), "watched": In(1), "patience": In(32), "moving": In(1), "failed": Out(1), "status": Out(32)})

    def elaborate(self, platform):
        m = Module()
        state, error, number, resting = Signal(State), Signal(Error), Signal(ADDRESS_BITS), Signal(32)
        fault = Signal(Error)
        running, expired = state == State.RUNNING, Signal()
        m.d.comb += [
            expired.eq(running & ~self.moving & self.watched & (resting == self.patience)),
            fault.eq(Mux(expired & (self.fault == Error.NONE), Error.WATCHDOG, self.fault)),
            self.failed.eq(state == State.FAILED),
            self.status.eq(Cat(Value.cast(state), Value.cast(error), Const(0, 2), number))]
        m.d.sync += resting.eq(Mux(running & ~self.moving, resting + 1, 0))
        with m.If(self.finished):
            m.d.sync += number.eq(number + 1)
        with m.If(self.ended):
            m.d.sync += state.eq(State.IDLE)
        with m.If(self.run):
            m.d.sync += [state.eq(State.RUNNING), number.eq(0)]
        with m.If((fault != Error.NONE) & ~self.failed):
            m.d.sync += [state.eq(State.FAILED), error.eq(fault), number.eq(self.place)]
        with m.If(self.clear):
            m.d.sync += [state.eq(State.IDLE), error.eq(Error.NONE), number.eq(0)]
        return m

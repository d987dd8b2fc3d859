"""Nested loop counters."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Loops"]


class Loops(wiring.Component):
    """Counters of nested loops; all are zero after the last step.

    Levels are named, innermost first. A level's limit may depend on the ``last`` of an outer level.

    Parameters
    ----------
    widths : bits of the counter of each level.

    Members
    -------
    step : the innermost loop's body runs in this cycle.
    limit : iterations of each level less one.
    count : number of the iteration of each level.
    last : whether a level is in its last iteration.
    done : whether all are.
    """

    step: Signal
    done: Signal
    limit: wiring.PureInterface
    count: wiring.PureInterface
    last: wiring.PureInterface

    def __init__(self, **widths: int):
        self.widths = widths
        numbers = wiring.Signature({name: Out(width) for name, width in widths.items()})
        flags = wiring.Signature({name: Out(1) for name in widths})
        super().__init__({"step": In(1), "limit": In(numbers), "count": Out(numbers), "last": Out(flags),
                          "done": Out(1)})

    def elaborate(self, platform):
        m = Module()
        inner = Const(1)
        for name in self.widths:
            count, last = getattr(self.count, name), getattr(self.last, name)
            m.d.comb += last.eq(count == getattr(self.limit, name))
            with m.If(self.step & inner):
                m.d.sync += count.eq(Mux(last, 0, count + 1))
            inner = inner & last
        m.d.comb += self.done.eq(inner)
        return m

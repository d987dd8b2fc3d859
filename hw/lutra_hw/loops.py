"""Nested loop counters."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Loops", "Nest"]


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

    LAST = 0  # ``last`` after a reset, where it is a register
    step: Signal
    done: Signal
    limit: wiring.PureInterface
    count: wiring.PureInterface
    last: wiring.PureInterface

    def __init__(self, **widths: int):
        self.widths = widths
        numbers = wiring.Signature({name: Out(width) for name, width in widths.items()})
        flags = wiring.Signature({name: Out(1) for name in widths})
        lasts = wiring.Signature({name: Out(1, init=self.LAST) for name in widths})
        super().__init__({"step": In(1), "limit": In(numbers), "count": Out(numbers), "last": Out(lasts),
                          "done": Out(1), **self._ports(flags)})

    def _ports(self, flags: wiring.Signature) -> dict[str, wiring.Member]:
        """Members that a kind of loops has beside the others."""
        return {}

    def elaborate(self, platform):
        m = Module()
        inner = Const(1)
        for name in self.widths:
            count, last, step = getattr(self.count, name), getattr(self.last, name), self.step & inner
            self._find_last(m, name, step)
            with m.If(step):
                m.d.sync += count.eq(Mux(last, 0, count + 1))
            inner = inner & last
        m.d.comb += self.done.eq(inner)
        return m

    def _find_last(self, m: Module, name: str, step: Value) -> None:
        """Whether one level, which steps when all inside are in their last iteration, is in its own."""
        m.d.comb += getattr(self.last, name).eq(getattr(self.count, name) == getattr(self.limit, name))


class Nest(Loops):
    """Loops whose ``last`` are registers, for those who have much to do with them in one cycle.

    Members
    -------
    limit : of the iteration that the *next* cycle is in.
    other, chosen : a second limit, and whether it is the one; what depends on an outer level is ``chosen`` by its
        ``coming``, late in the cycle.
    coming : ``last`` of the next cycle.
    """

    LAST = 1  # no operation has a limit yet: what counts to 0 is in its last iteration
    other: wiring.PureInterface
    chosen: wiring.PureInterface
    coming: wiring.PureInterface

    def _ports(self, flags: wiring.Signature) -> dict[str, wiring.Member]:
        numbers = wiring.Signature({name: Out(width) for name, width in self.widths.items()})
        return {"coming": Out(flags), "other": In(numbers), "chosen": In(flags)}

    def _find_last(self, m: Module, name: str, step: Value) -> None:
        count, last, coming, chosen = (getattr(part, name)
                                       for part in (self.count, self.last, self.coming, self.chosen))
        found = [Mux(step, Mux(last, limit == 0, count + 1 == limit), count == limit)
                 for limit in (getattr(self.limit, name), getattr(self.other, name))]
        m.d.comb += coming.eq(Mux(chosen, found[1], found[0]))
        m.d.sync += last.eq(coming)

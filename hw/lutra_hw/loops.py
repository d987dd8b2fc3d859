"""Nested loop counters."""

from collections.abc import Mapping

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Loops", "Nest", "bound", "stepped"]


def stepped(after: Value, last: Value, limit: Value) -> tuple[Value, Value]:
    """What two registers of a counter are after a step: the number after its count, and whether the count is its limit.

    The counter begins anew after its last number. Nothing is added up before it is compared.
    """
    return Mux(last, 1, after + 1), Mux(last, limit == 0, after == limit)


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
            self._count(m, name, inner)
            inner = inner & getattr(self.last, name)
        m.d.comb += self.done.eq(inner)
        return m

    def _count(self, m: Module, name: str, inner: Value) -> None:
        """One level, which steps when all inside (``inner``) are in their last iteration."""
        count, last = getattr(self.count, name), getattr(self.last, name)
        m.d.comb += last.eq(count == getattr(self.limit, name))
        with m.If(self.step & inner):
            m.d.sync += count.eq(Mux(last, 0, count + 1))


class Nest(Loops):
    """Loops whose ``first`` and ``last`` are registers, for those who have much to do with them in one cycle.

    Limits are constant from an operation's start to the next.

    Members
    -------
    start : an operation begins with the next cycle; all counters are zero, and no body runs in this cycle.
    begin : limits of the operation that starts. ``limit``: of the one that runs.
    begin_other, other, chosen : a second limit, and whether it is the one; what depends on an outer level is ``chosen``
        by its ``coming``, late in the cycle.
    coming : ``last`` of the next cycle, if there is a start or a step in this one.
    first : whether a level is in its first iteration.
    """

    LAST = 1  # no operation has a limit yet: what counts to 0 is in its last iteration
    start: Signal
    begin: wiring.PureInterface
    other: wiring.PureInterface
    begin_other: wiring.PureInterface
    chosen: wiring.PureInterface
    coming: wiring.PureInterface
    first: wiring.PureInterface

    def _ports(self, flags: wiring.Signature) -> dict[str, wiring.Member]:
        numbers = wiring.Signature({name: Out(width) for name, width in self.widths.items()})
        firsts = wiring.Signature({name: Out(1, init=1) for name in self.widths})
        return {"start": In(1), "begin": In(numbers), "other": In(numbers), "begin_other": In(numbers),
                "chosen": In(flags), "coming": Out(flags), "first": Out(firsts)}

    def _count(self, m: Module, name: str, inner: Value) -> None:
        """A register holds what comes after the count, see `stepped`."""
        count, last, coming = (getattr(part, name) for part in (self.count, self.last, self.coming))
        after, found = Signal(len(count), name=f"{name}_after", init=1), []
        for begin, limit in ((self.begin, self.limit), (self.begin_other, self.other)):
            following, ends = stepped(after, last, getattr(limit, name))
            found.append(Mux(self.start, getattr(begin, name) == 0, ends))
        with m.If(self.step & inner):
            m.d.sync += [count.eq(Mux(last, 0, after)), after.eq(following), getattr(self.first, name).eq(last)]
        changes = self.start | inner
        m.d.comb += coming.eq(Mux(changes, Mux(getattr(self.chosen, name), found[1], found[0]), last))
        with m.If(self.start | self.step):
            m.d.sync += last.eq(coming)


def bound(m: Module, nest: Nest, start: Value, coming: wiring.PureInterface, running: wiring.PureInterface,
          limits: Mapping[str, str]) -> None:
    """The nest's limits from fields of two operations, that of ``row`` by whether its block is the last.

    Parameters
    ----------
    start : the operation ``coming`` starts; ``running`` are the settings of the one that runs.
    limits : the field of each level.
    """
    m.d.comb += nest.start.eq(start)
    for first, other, operation in ((nest.begin, nest.begin_other, coming), (nest.limit, nest.other, running)):
        m.d.comb += [getattr(first, level).eq(getattr(operation, field)) for level, field in limits.items()]
        m.d.comb += other.row.eq(operation.last_block)
    m.d.comb += nest.chosen.row.eq(nest.coming.block)

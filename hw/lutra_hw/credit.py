"""Credits: how many places of a shared memory are taken."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .signals import bits

__all__ = ["Credit"]


class Credit(wiring.Component):
    """Counts places that are taken; ``put`` and ``drop`` show in the next cycle.

    Parameters
    ----------
    places : places there are. The user puts only while there is ``room`` and drops only while there is ``some``.

    Members
    -------
    put, drop : one more place is taken; one is given back.
    level : places taken.
    room, some : whether a place is free; whether one is taken.
    """

    put: Signal
    drop: Signal
    room: Signal
    some: Signal

    def __init__(self, *, places: int):
        self.places = places
        super().__init__({"put": In(1), "drop": In(1), "level": Out(bits(places + 1)),
                          "room": Out(1), "some": Out(1)})

    def elaborate(self, platform):
        m = Module()
        with m.If(self.put & ~self.drop):
            m.d.sync += self.level.eq(self.level + 1)
        with m.If(self.drop & ~self.put):
            m.d.sync += self.level.eq(self.level - 1)
        m.d.comb += [self.room.eq(self.level != self.places), self.some.eq(self.level != 0)]
        return m

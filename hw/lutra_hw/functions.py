"""Function memory: one piecewise function in each slot, and the two that an operation uses."""

from amaranth.hdl import Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .piecewise import FUNCTION

__all__ = ["FUNCTION_WORDS", "FunctionMemory", "function_write"]

FUNCTION_WORDS = -(-FUNCTION.size // 32)  # command words of a slot


def function_write() -> wiring.Signature:
    """Write of 32 bits of a slot, piece 0 lowest."""
    return wiring.Signature({"en": Out(1), "address": Out(32), "piece": Out(8), "data": Out(32)})


class FunctionMemory(wiring.Component):
    """``slots`` functions; the two that are asked for are there one cycle later and stay until others are.

    Parameters
    ----------
    slots : functions that it holds.

    Members
    -------
    write : write of 32 bits.
    read : functions are asked for.
    numbers : of the two: slot plus one; 0 gives no function that a user may look at.
    o : the two functions.
    """

    def __init__(self, *, slots: int):
        self.slots = slots
        super().__init__({"write": In(function_write()), "read": In(1), "numbers": In(data.ArrayLayout(4, 2)),
                          "o": Out(data.ArrayLayout(FUNCTION, 2))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=32 * FUNCTION_WORDS, depth=self.slots, init=[])
        write = memory.write_port(granularity=32)
        m.d.comb += [write.addr.eq(self.write.address), write.data.eq(self.write.data.replicate(FUNCTION_WORDS)),
                     write.en.eq(self.write.en << self.write.piece)]
        for number in range(2):
            port = memory.read_port()
            m.d.comb += [port.en.eq(self.read), port.addr.eq(self.numbers[number] - 1),
                         Value.cast(self.o[number]).eq(port.data)]
        return m

"""The clock of a board's design: the oscillator, or a PLL behind it."""

from amaranth.hdl import ClockSignal, Elaboratable, Module
from amaranth.lib.cdc import ResetSynchronizer

from .pll import Pll

__all__ = ["Clock"]


class Clock(Elaboratable):
    """Drives the domain ``sync``, which its parent defines, at ``clock_mhz``; reset until the clock is steady.

    Parameters
    ----------
    pll : what makes a clock other than the oscillator's.
    """

    def __init__(self, oscillator_mhz: int, clock_mhz: int, pll: type[Pll]):
        self.oscillator_mhz, self.clock_mhz = oscillator_mhz, clock_mhz
        self.pll = Pll if clock_mhz == oscillator_mhz else pll
        self.pll.best(oscillator_mhz, clock_mhz)

    def elaborate(self, platform):
        m = Module()
        port = platform.request(platform.default_clk, dir="-")
        m.submodules.pll = pll = self.pll(self.oscillator_mhz, self.clock_mhz, port)
        m.d.comb += ClockSignal().eq(pll.clock)
        m.submodules.reset = ResetSynchronizer(~pll.locked)
        return m

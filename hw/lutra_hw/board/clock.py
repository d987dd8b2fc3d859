"""The clock of a board's design: the oscillator, or a PLL of an ECP5 behind it."""

from dataclasses import dataclass

from amaranth import ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

__all__ = ["Clock", "Dividers", "dividers"]

PHASE_MHZ = (3.125, 400)    # of the phase detector (input divided)
VCO_MHZ = (400, 800)        # of the oscillator inside


@dataclass(frozen=True)
class Dividers:
    """An ECP5 PLL whose feedback is its output: ``output = input / reference * feedback``."""

    reference: int
    feedback: int
    output: int


def dividers(oscillator_mhz: int, clock_mhz: int) -> Dividers:
    """The setting with the fastest phase detector, and with the fastest oscillator among those."""
    for reference in range(1, 129):
        feedback, rest = divmod(clock_mhz * reference, oscillator_mhz)
        output = VCO_MHZ[1] // clock_mhz if clock_mhz else 0
        if (not rest and 1 <= feedback <= 80 and 1 <= output <= 128 and output * clock_mhz >= VCO_MHZ[0]
                and PHASE_MHZ[0] <= oscillator_mhz / reference <= PHASE_MHZ[1]):
            return Dividers(reference, feedback, output)
    raise ValueError(f"clock must be a small ratio of the board's {oscillator_mhz} MHz, from 10 to 400 MHz, "
                     f"not {clock_mhz} MHz")


class Clock(Elaboratable):
    """Drives the domain ``sync``, which its parent defines, at ``clock_mhz``; reset until the clock is steady."""

    def __init__(self, oscillator_mhz: int, clock_mhz: int):
        self.oscillator_mhz = oscillator_mhz
        self.clock_mhz = clock_mhz
        self.dividers = None if clock_mhz == oscillator_mhz else dividers(oscillator_mhz, clock_mhz)

    def elaborate(self, platform):
        m = Module()
        m.submodules.pin = pin = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        if self.dividers is None:
            m.d.comb += ClockSignal().eq(pin.i)
            m.submodules.reset = ResetSynchronizer(Const(0))
            return m
        locked = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL", a_FREQUENCY_PIN_CLKI=str(self.oscillator_mhz), a_FREQUENCY_PIN_CLKOP=str(self.clock_mhz),
            p_FEEDBK_PATH="CLKOP", p_CLKOP_ENABLE="ENABLED", p_CLKI_DIV=self.dividers.reference,
            p_CLKFB_DIV=self.dividers.feedback, p_CLKOP_DIV=self.dividers.output,
            p_CLKOP_CPHASE=self.dividers.output - 1, p_CLKOP_FPHASE=0,
            i_CLKI=pin.i, i_CLKFB=ClockSignal(), i_RST=Const(0), i_STDBY=Const(0), i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0), i_PHASEDIR=Const(1), i_PHASESTEP=Const(1), i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0), i_ENCLKOP=Const(0), o_CLKOP=ClockSignal(), o_LOCK=locked)
        m.submodules.reset = ResetSynchronizer(~locked)
        return m

"""The clock generators of the vendors, and a twin without a vendor: one clock of another frequency from an oscillator.

Each class has the same members; ``clock`` and ``locked`` are driven once it is elaborated. ``dividers`` of each finds
its setting or raises ``ValueError``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import Const, Elaboratable, Instance, IOPort, Module, Signal
from amaranth.lib import io

__all__ = ["PLLS", "Dividers", "Ecp5Pll", "GowinPll", "Ice40PadPll", "Ice40Pll", "Pll"]


@dataclass(frozen=True)
class Dividers:
    """``clock = oscillator / reference * feedback``; the oscillator inside the PLL runs at ``clock * output``."""

    reference: int
    feedback: int
    output: int


class Pll(Elaboratable):
    """The portable twin: the oscillator itself, steady at once; it makes no other clock.

    Parameters
    ----------
    port : the oscillator's pin.

    Members
    -------
    clock : of ``clock_mhz``. locked : it is steady.
    """

    PHASE_MHZ: tuple[float, float] = (0, 1e9)  # of the phase detector: the oscillator over ``reference``
    VCO_MHZ: tuple[float, float] = (0, 1e9)    # of the oscillator inside
    CLOCK_MHZ: tuple[int, int] = (1, 1000)    # of the clock
    REFERENCES: range = range(1, 2)
    FEEDBACKS: range = range(1, 2)
    OUTPUTS: tuple[int, ...] = (1,)

    def __init__(self, oscillator_mhz: int, clock_mhz: int, port: io.SingleEndedPort):
        self.oscillator_mhz, self.clock_mhz, self.port = oscillator_mhz, clock_mhz, port
        self.dividers = self.best(oscillator_mhz, clock_mhz)
        self.clock, self.locked = Signal(), Signal()

    @classmethod
    def best(cls, oscillator_mhz: int, clock_mhz: int) -> Dividers:
        """The setting with the fastest phase detector, and with the fastest oscillator among those."""
        for found in cls._settings(oscillator_mhz, clock_mhz):
            return found
        raise ValueError(f"clock must be a small ratio of the board's {oscillator_mhz} MHz, from {cls.CLOCK_MHZ[0]} to "
                         f"{cls.CLOCK_MHZ[1]} MHz, not {clock_mhz} MHz")

    @classmethod
    def _settings(cls, oscillator_mhz: int, clock_mhz: int) -> Iterator[Dividers]:
        if not cls.CLOCK_MHZ[0] <= clock_mhz <= cls.CLOCK_MHZ[1]:
            return
        for reference in cls.REFERENCES:
            if not cls.PHASE_MHZ[0] <= oscillator_mhz / reference <= cls.PHASE_MHZ[1]:
                continue
            for output in sorted(cls.OUTPUTS, reverse=True):
                feedback, rest = divmod(clock_mhz * reference * cls._inside(output), oscillator_mhz)
                if (not rest and feedback in cls.FEEDBACKS
                        and cls.VCO_MHZ[0] <= clock_mhz * output <= cls.VCO_MHZ[1]):
                    yield Dividers(reference, feedback, output)

    @staticmethod
    def _inside(output: int) -> int:
        """By how much the feedback is taken before the output divider: 1 where it is the clock itself."""
        return 1

    def input(self, m: Module) -> Signal:
        """The oscillator behind its pin's buffer."""
        m.submodules.pin = pin = io.Buffer("i", self.port)
        return pin.i

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += [self.clock.eq(self.input(m)), self.locked.eq(1)]
        return m


class Ecp5Pll(Pll):
    """Lattice ECP5, whose feedback is its output (FPGA-DS-02012, sysCLOCK PLL timing)."""

    PHASE_MHZ, VCO_MHZ, CLOCK_MHZ = (3.125, 400), (400, 800), (10, 400)
    REFERENCES, FEEDBACKS, OUTPUTS = range(1, 129), range(1, 81), tuple(range(1, 129))

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.pll = Instance(
            "EHXPLLL", a_FREQUENCY_PIN_CLKI=str(self.oscillator_mhz), a_FREQUENCY_PIN_CLKOP=str(self.clock_mhz),
            p_FEEDBK_PATH="CLKOP", p_CLKOP_ENABLE="ENABLED", p_CLKI_DIV=self.dividers.reference,
            p_CLKFB_DIV=self.dividers.feedback, p_CLKOP_DIV=self.dividers.output,
            p_CLKOP_CPHASE=self.dividers.output - 1, p_CLKOP_FPHASE=0,
            i_CLKI=self.input(m), i_CLKFB=self.clock, i_RST=Const(0), i_STDBY=Const(0), i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0), i_PHASEDIR=Const(1), i_PHASESTEP=Const(1), i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0), i_ENCLKOP=Const(0), o_CLKOP=self.clock, o_LOCK=self.locked)
        return m


class Ice40Pll(Pll):
    """Lattice iCE40 (FPGA-TN-02052): the feedback is taken before the output divider, a power of two."""

    PHASE_MHZ, VCO_MHZ, CLOCK_MHZ = (10, 133), (533, 1066), (16, 275)
    REFERENCES, FEEDBACKS, OUTPUTS = range(1, 17), range(1, 129), tuple(2 ** power for power in range(1, 7))
    FILTERS_MHZ = (17, 26, 44, 66, 101)  # FILTER_RANGE 1 to 5 below these, 6 beyond

    @staticmethod
    def _inside(output: int) -> int:
        return output

    def source(self, m: Module) -> tuple[str, dict[str, Signal | IOPort]]:
        """The primitive, and how the oscillator enters it."""
        return "SB_PLL40_CORE", {"i_REFERENCECLK": self.input(m)}

    def elaborate(self, platform) -> Module:
        m = Module()
        found, phase = self.dividers, self.oscillator_mhz / self.dividers.reference
        name, source = self.source(m)
        m.submodules.pll = Instance(
            name, p_FEEDBACK_PATH="SIMPLE", p_DIVR=Const(found.reference - 1, 4),
            p_DIVF=Const(found.feedback - 1, 7), p_DIVQ=Const(found.output.bit_length() - 1, 3),
            p_FILTER_RANGE=Const(1 + sum(phase >= limit for limit in self.FILTERS_MHZ), 3), **source,
            i_RESETB=Const(1), i_BYPASS=Const(0), o_PLLOUTGLOBAL=self.clock, o_LOCK=self.locked)
        return m


class Ice40PadPll(Ice40Pll):
    """The same, fed by the pin next to it: where the oscillator is there, no other input can be."""

    def source(self, m: Module) -> tuple[str, dict[str, Signal | IOPort]]:
        return "SB_PLL40_PAD", {"i_PACKAGEPIN": self.port.io}


class GowinPll(Pll):
    """Gowin LittleBee and Arora (DS117, DS226), in limits that both meet."""

    PHASE_MHZ, VCO_MHZ, CLOCK_MHZ = (3, 400), (500, 1200), (10, 600)
    REFERENCES, FEEDBACKS, OUTPUTS = range(1, 65), range(1, 65), (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)

    def elaborate(self, platform) -> Module:
        m = Module()
        tied = {f"i_{name}": Const(0) for name in ("RESET", "RESET_P", "CLKFB")}
        tied |= {f"i_{name}": Const(0, width) for name, width in (("FBDSEL", 6), ("IDSEL", 6), ("ODSEL", 6),
                                                                 ("PSDA", 4), ("DUTYDA", 4), ("FDLY", 4))}
        m.submodules.pll = Instance(
            "rPLL", p_FCLKIN=str(self.oscillator_mhz), p_DEVICE=platform.family, p_DYN_IDIV_SEL="false",
            p_DYN_FBDIV_SEL="false", p_DYN_ODIV_SEL="false", p_CLKFB_SEL="internal",
            p_IDIV_SEL=self.dividers.reference - 1, p_FBDIV_SEL=self.dividers.feedback - 1,
            p_ODIV_SEL=self.dividers.output, i_CLKIN=self.input(m), o_CLKOUT=self.clock, o_LOCK=self.locked, **tied)
        return m


PLLS: dict[str, type[Pll]] = {"ecp5": Ecp5Pll, "ice40": Ice40Pll, "ice40-pad": Ice40PadPll, "gowin": GowinPll}

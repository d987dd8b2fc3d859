"""Pins of boards that amaranth-boards does not have, or whose serial line it leaves to a cable."""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import GowinPlatform, LatticeECP5Platform
from amaranth_boards.orangecrab_r0_2 import OrangeCrabR0_2_25FPlatform, OrangeCrabR0_2_85FPlatform
from amaranth_boards.resources import LEDResources, UARTResource

__all__ = ["ColorlightI5", "ColorlightI9", "OrangeCrab25F", "OrangeCrab85F", "TangNano20K"]

LVCMOS33 = Attrs(IO_TYPE="LVCMOS33")
PULLED_UP = {"attrs": Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")}  # an open line is an idle one

# No USB bridge: RX and TX of the Feather header take a cable. The three colours of the light are LEDs.
ORANGECRAB = [UARTResource(0, rx="0", tx="1", conn=("io", 0), **PULLED_UP),
              *LEDResources(pins="K4 M3 J3", invert=True, attrs=LVCMOS33)]


class OrangeCrab25F(OrangeCrabR0_2_25FPlatform):
    """OrangeCrab r0.2 with an LFE5U-25F."""

    resources = [*OrangeCrabR0_2_25FPlatform.resources, *ORANGECRAB]


class OrangeCrab85F(OrangeCrabR0_2_85FPlatform):
    """OrangeCrab r0.2.1 with an LFE5U-85F."""

    resources = [*OrangeCrabR0_2_85FPlatform.resources, *ORANGECRAB]


def _colorlight(led: str) -> list[Resource]:
    """The modules differ in their light; the line is that of the extension board's USB bridge."""
    return [Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), LVCMOS33),
            *LEDResources(pins=led, invert=True, attrs=LVCMOS33),
            UARTResource(0, rx="H18", tx="J17", **PULLED_UP)]


class ColorlightI5(LatticeECP5Platform):
    """Colorlight i5 v7.0 on its extension board; pins after github.com/wuxx/Colorlight-FPGA-Projects."""

    device, package, speed, default_clk = "LFE5U-25F", "BG381", "6", "clk25"
    resources, connectors = _colorlight("U16"), ()


class ColorlightI9(LatticeECP5Platform):
    """Colorlight i9 v7.2 on the same extension board; pins after github.com/wuxx/Colorlight-FPGA-Projects."""

    device, package, speed, default_clk = "LFE5U-45F", "BG381", "6", "clk25"
    resources, connectors = _colorlight("L2"), ()


class TangNano20K(GowinPlatform):
    """Sipeed Tang Nano 20K; pins after the board's schematic."""

    part, family, default_clk = "GW2AR-LV18QN88C8/I7", "GW2AR-18C", "clk27"
    resources = [Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), LVCMOS33),
                 *LEDResources(pins="15 16 17 18 19 20", invert=True, attrs=LVCMOS33),
                 UARTResource(0, rx="70", tx="69", attrs=Attrs(IO_TYPE="LVCMOS33", PULL_MODE="UP"))]
    connectors = ()

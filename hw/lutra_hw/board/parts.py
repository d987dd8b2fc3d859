"""The FPGAs of the boards: what each of them has, and which tools know it."""

from dataclasses import dataclass

__all__ = ["ECP5_12F", "ECP5_25F", "ECP5_45F", "ECP5_85F", "GW1NR_9C", "GW2AR_18C", "HX8K", "UP5K", "Part"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What an FPGA has, by nextpnr's count.

    Parameters
    ----------
    family : of the tools that make its bitstreams: ecp5, ice40 or gowin.
    options : that tell nextpnr which part it is. name_for_packer : the same for the packer, where it needs it.
    synthesis : options of yosys' command.
    lut4 : LUT4 cells, carries and distributed RAM included. ramw : distributed RAM blocks of 16 words of 4 bits.
    block_ram : block RAMs (ECP5, Gowin: 18 kbit; iCE40: 4 kbit). dsp : multipliers (ECP5: 18 x 18; iCE40: 16 x 16;
        Gowin: 9 x 9, of which 18 x 18 takes two).
    """

    name: str
    family: str
    options: tuple[str, ...]
    name_for_packer: str = ""
    synthesis: str = ""
    lut4: int
    flip_flops: int
    ramw: int = 0
    block_ram: int
    dsp: int = 0

    @property
    def resources(self) -> dict[str, int]:
        """How many there are, by the names of reports."""
        return {"LUT4 cells": self.lut4, "flip-flops": self.flip_flops, "distributed RAM blocks": self.ramw,
                "block RAMs": self.block_ram, "multipliers": self.dsp}


def _ecp5(size: int, lut4: int, block_ram: int, dsp: int) -> Part:
    return Part(name=f"LFE5U-{size}F", family="ecp5", options=(f"--{size}k",), lut4=lut4, flip_flops=lut4,
                ramw=lut4 // 8, block_ram=block_ram, dsp=dsp)


ECP5_12F = _ecp5(12, 24_288, 56, 28)  # the die of a 25F, of which Lattice promises 12,000 LUT4 cells
ECP5_25F = _ecp5(25, 24_288, 56, 28)
ECP5_45F = _ecp5(45, 43_848, 108, 72)
ECP5_85F = _ecp5(85, 83_640, 208, 156)
UP5K = Part(name="iCE40UP5K", family="ice40", options=("--up5k",), synthesis="-dsp", lut4=5_280, flip_flops=5_280,
            block_ram=30, dsp=8)
HX8K = Part(name="iCE40HX8K", family="ice40", options=("--hx8k",), lut4=7_680, flip_flops=7_680, block_ram=32)
GW1NR_9C = Part(name="GW1NR-9C", family="gowin", name_for_packer="GW1N-9C", synthesis="-family gw1n",
                lut4=8_640, flip_flops=6_480, ramw=270, block_ram=26, dsp=40,
                options=("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"))
GW2AR_18C = Part(name="GW2AR-18C", family="gowin", name_for_packer="GW2A-18C", synthesis="-family gw2a",
                 lut4=20_736, flip_flops=15_552, ramw=648, block_ram=46, dsp=96,
                 options=("--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C"))

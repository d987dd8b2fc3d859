"""Components after synthesis for the ECP5, proved equal to themselves before it."""

import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from ..fpga import tools
from ..fpga.netlist import cell_models
from .prove import Disproved

__all__ = ["equal", "equal_at_first", "mapped"]

PART, CELLS, GATES = "part.il", "cells.v", "gates.v"
SYNTHESIS = f"read_rtlil {PART}\nsynth_ecp5 -top part\nrename part gate\nwrite_verilog -noattr {GATES}\n"
READ = """hierarchy -top {top}
proc
flatten
memory_collect
memory_map
opt -full
rename {top} {name}
design -stash {name}
"""
BOTH = f"""read_verilog -sv -defer {CELLS} {GATES}
{READ.format(top="gate", name="gate")}read_rtlil {PART}
{READ.format(top="part", name="gold")}design -copy-from gold gold
design -copy-from gate gate
"""
ALWAYS = """equiv_make gold gate both
hierarchy -top both
equiv_simple -seq 2
equiv_induct -seq 3
equiv_status -assert
"""
AT_FIRST = """miter -equiv -flatten -make_assert -ignore_gold_x gold gate both
hierarchy -top both
sat -tempinduct -tempinduct-baseonly -maxsteps {steps} -prove-asserts -verify -set-at 1 in_rst 1 both
"""


def mapped(part: wiring.Component) -> str:
    """Verilog of the component after synthesis, top module ``gate``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / PART).write_text(rtlil.convert(part, name="part", emit_src=False))
        (folder / "synthesis.ys").write_text(SYNTHESIS)
        tools.run(tools.yosys(), ["synthesis.ys"], folder, "yosys.log")
        return (folder / GATES).read_text()


def _compare(part: wiring.Component, gates: str, how: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / PART).write_text(rtlil.convert(part, name="part", emit_src=False))
        (folder / CELLS).write_text(cell_models())
        (folder / GATES).write_text(gates)
        (folder / "proof.ys").write_text(BOTH + how)
        try:
            tools.run(tools.yosys(), ["proof.ys"], folder, "yosys.log")
        except tools.ToolFailed as failure:
            if "unproven $equiv cells in 'equiv_status" not in str(failure) and "proof did fail" not in str(failure):
                raise
            raise Disproved(str(failure)) from None


def equal(part: wiring.Component, gates: str) -> None:
    """Registers and outputs that have a name in both are equal for ever, by induction over three cycles.

    Raises :class:`Disproved`. A component with a memory has words without such names: see `equal_at_first`.
    """
    _compare(part, gates, ALWAYS)


def equal_at_first(part: wiring.Component, gates: str, *, steps: int) -> None:
    """Outputs are equal in the first ``steps`` cycles, whatever comes in. Raises :class:`Disproved`."""
    _compare(part, gates, AT_FIRST.format(steps=steps))

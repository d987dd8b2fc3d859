"""Synthesis for the ECP5: one yosys script for the bitstream and for the netlist that is simulated."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from . import tools

__all__ = ["SQUARES", "synthesise"]

SQUARES = "square_ecp5.v"
SCRIPT = """\
read_rtlil {top}.il
techmap -autoproc -map {squares}
synth_ecp5 -top {top}
tee -q -o statistics.json stat -json
{outputs}
"""


def synthesise(rtlil: str, top: str, outputs: Sequence[str], folder: Path) -> dict[str, int]:
    """Cells of each type in the netlist of ``rtlil``; ``outputs`` are yosys commands that write it into ``folder``."""
    (folder / f"{top}.il").write_text(rtlil)
    (folder / SQUARES).write_text((files(__package__) / SQUARES).read_text())
    (folder / "synthesis.ys").write_text(SCRIPT.format(top=top, squares=SQUARES, outputs="\n".join(outputs)))
    tools.run(tools.yosys(), ["synthesis.ys"], folder, "yosys.log")
    statistics = json.loads((folder / "statistics.json").read_text())
    return statistics["design"]["num_cells_by_type"]

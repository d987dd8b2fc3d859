"""Synthesis: one yosys script for the bitstream and for the netlist that is simulated."""

import json
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from lutra_model.bare import Bare
from lutra_model.params import Array, Metric

from . import tools
from .families import ECP5, Family

__all__ = ["drop_dangling_carries", "maps", "script", "synthesise"]

SQUARES, SELECT = "square_ecp5.v", "select_ecp5.v"
PARTS = " ".join([*(f"*.{name}_{digits}" for name in ("tree", "row", "encoder") for digits in ("[0-9]", "[0-9][0-9]")),
                  "*.product_*"])  # of a bare array: modules that are mapped one by one
COLUMN_MULTIPLIERS = 4  # of 18 x 18 bits: two for the finisher's 33 x 17 bits, two for the add stage's products


# Reads of a word in the cycle in which it is written: no component looks at what they give, so that memories need no
# logic to make it the old word.
UNSHARED = "t:$memrd_v2 r:TRANSPARENCY_MASK=1'0 %i r:CLK_ENABLE=1 %i"


def _hard_distances(array: Array, multipliers: int) -> list[str]:
    """Modules whose squares may keep the multipliers that the columns leave; the others' go into logic."""
    if not array.is_lookup or array.metric is not Metric.L2:
        return []
    units = [f"encoder_{encoder}.distance_{entry}" for encoder in range(array.encoders)
             for entry in range(array.entries)]
    return units[:max(0, (multipliers - COLUMN_MULTIPLIERS * array.columns) // array.length)]


def script(array: Array, top: str, multipliers: int, outputs: Sequence[str], family: Family = ECP5,
           options: str = "") -> str:
    """The yosys script that turns ``top``.il, which holds the array's machine, into a netlist of a family's cells.

    ``multipliers`` are those that columns and squares share, 0 to keep squares in logic; ``outputs`` are the
    commands that write the netlist; ``options`` are the part's.
    """
    soft = "*"
    lines = [f"read_rtlil {top}.il"]
    if hard := _hard_distances(array, multipliers):
        lines.append("select -set hard " + " ".join(f"*{unit}" for unit in hard))
        soft = "* @hard %d"
    apart = isinstance(array, Bare) and family is ECP5  # a whole array takes long; Gowin's parts would get pads
    if apart:
        lines.append(f"setattr -mod -set keep_hierarchy 1 {PARTS}")
    lines.append(f"setparam -set COLLISION_X_MASK 1'1 {UNSHARED}")
    lines += [f"techmap -autoproc -map {name} {soft}" for name in family.maps]
    synthesis = " ".join([family.synthesis, *options.split(), "-top", top])
    lines += _in_parts(synthesis, family.coarse_maps) if family.coarse_maps else [synthesis]
    if apart:
        lines += ["setattr -mod -unset keep_hierarchy *", "flatten", "opt_clean"]
    lines += ["tee -q -o statistics.json stat -json", *outputs]
    return "\n".join(lines) + "\n"


def _in_parts(synthesis: str, maps: Sequence[str]) -> list[str]:
    """Synthesis with maps after its coarse part; names are hidden from its mapper, which may make one of them twice."""
    return [f"{synthesis} -run begin:map_gates", *(f"techmap -map {name}" for name in maps),
            f"{synthesis} -run map_gates:map_luts", "rename -hide w:*", f"{synthesis} -run map_luts:"]


def synthesise(rtlil: str, text: str, top: str, folder: Path) -> dict[str, int]:
    """Cells of each type in the netlist; the script ``text`` runs in ``folder``."""
    (folder / f"{top}.il").write_text(rtlil)
    for name, content in maps().items():
        (folder / name).write_text(content)
    (folder / "synthesis.ys").write_text(text)
    tools.run(tools.yosys(), ["synthesis.ys"], folder, "yosys.log")
    statistics = json.loads((folder / "statistics.json").read_text())
    counts: dict[str, int] = statistics["design"]["num_cells_by_type"]
    return counts


def maps() -> dict[str, str]:
    """Maps for yosys' techmap, by file: how squares become logic, and how one of sixteen words is chosen."""
    return {name: (files(__package__) / name).read_text() for name in (SQUARES, SELECT)}


def drop_dangling_carries(path: Path, top: str) -> int:
    """Disconnects carries that nothing takes in yosys' JSON netlist; their number.

    nextpnr spends two LUT4 cells for each connected carry at the end of a chain, taken or not.
    """
    netlist = json.loads(path.read_text())
    module = netlist["modules"][top]
    taken = Counter(bit for port in module["ports"].values() for bit in port["bits"])
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output":
                taken.update(bits)
    ends = [cell["connections"] for cell in module["cells"].values()
            if cell["type"] == "CCU2C" and not any(taken[bit] for bit in cell["connections"]["COUT"])]
    for connections in ends:
        connections["COUT"] = ["x"]
    path.write_text(json.dumps(netlist))
    return len(ends)

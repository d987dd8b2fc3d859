"""Verilog of machines, kept in the cache: Yosys takes half a minute for a large array."""

import hashlib
import json
from pathlib import Path

from lutra_hw import machine
from lutra_model import operation, params, schedule
from lutra_model.params import Array

from . import tools
from .library import Progress, cache_folder, cached

__all__ = ["MODEL", "generate"]

MODEL = (operation, params, schedule)  # what the hardware takes from the model


def _sources() -> list[str]:
    """Text of every module that makes the Verilog: an edited one makes another key."""
    paths = [*sorted(Path(machine.__file__).parent.glob("*.py")), *(Path(module.__file__ or "") for module in MODEL)]
    return [path.read_text() for path in paths]


SOURCES = _sources()  # as they were imported, should someone edit them now


def generate(array: Array, *, cache: Path | None = None, progress: Progress | None = None) -> str:
    """The machine's Verilog with top module ``lutra``, from the cache if no source and no tool has changed."""
    key = hashlib.sha256(json.dumps([repr(array), tools.versions(), SOURCES]).encode()).hexdigest()[:32]

    def generate_into(folder: Path) -> None:
        if progress:
            progress("generating Verilog", 0, 1)
        (folder / "lutra.v").write_text(machine.verilog(array, "lutra"))
        if progress:
            progress("generating Verilog", 1, 1)

    return (cached(cache or cache_folder(), f"verilog-{key}", generate_into) / "lutra.v").read_text()

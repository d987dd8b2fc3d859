"""Verilog of machines, kept in the cache: Yosys takes half a minute for a large array."""

import hashlib
import importlib.util
import json
from pathlib import Path

from lutra_hw.machine import verilog
from lutra_model.params import Array

from . import tools
from .library import Progress, cache_folder, cached

__all__ = ["generate"]

SOURCES = ("lutra_hw", "lutra_model")  # every package that the Verilog depends on


def _sources() -> list[str]:
    """Text of the packages that make the Verilog: an edited file makes another key."""
    texts = []
    for package in SOURCES:
        spec = importlib.util.find_spec(package)
        assert spec and spec.submodule_search_locations
        for folder in spec.submodule_search_locations:
            texts += [path.read_text() for path in sorted(Path(folder).rglob("*.py"))]
    return texts


def generate(array: Array, *, cache: Path | None = None, progress: Progress | None = None) -> str:
    """The machine's Verilog with top module ``lutra``, from the cache if no source and no tool has changed."""
    key = hashlib.sha256(json.dumps([repr(array), tools.versions(), _sources()]).encode()).hexdigest()[:32]

    def generate_into(folder: Path) -> None:
        if progress:
            progress("generating Verilog", 0, 1)
        (folder / "lutra.v").write_text(verilog(array, "lutra"))
        if progress:
            progress("generating Verilog", 1, 1)

    return (cached(cache or cache_folder(), f"verilog-{key}", generate_into) / "lutra.v").read_text()

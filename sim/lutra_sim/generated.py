"""Verilog of machines, kept in the cache: Yosys takes half a minute for a large array."""

import hashlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lutra_hw import machine
from lutra_hw.board import top
from lutra_hw.board.top import SerialMachine
from lutra_hw.engines import engine_of
from lutra_hw.verilog import convert
from lutra_model import bare, engines, link, operation, params, schedule
from lutra_model.params import Array

from . import tools
from .library import Progress, cache_folder, cached

__all__ = ["MODEL", "generate", "generate_board"]

MODEL = (bare, operation, params, schedule)  # what the hardware takes from the model


def _sources() -> list[str]:
    """Text of every module that makes the Verilog: an edited one makes another key."""
    folders = (Path(machine.__file__).parent, Path(engines.__file__).parent)
    paths = [*(path for folder in folders for path in sorted(folder.glob("*.py"))),
             *(Path(module.__file__ or "") for module in MODEL)]
    return [path.read_text() for path in paths]


def _own(array: Array) -> list[str]:
    """Text of the array's engine where it is not one of Lutra's: of the modules that define its components."""
    engine = engine_of(array)
    parts = (engine.encoder, engine.cells, type(array.cell))
    modules = {module.__name__: module for part in parts if (module := inspect.getmodule(part))}
    return [inspect.getsource(module) for name, module in sorted(modules.items()) if not name.startswith("lutra_")]


def _board_sources() -> list[str]:
    """Text of every module that puts a machine behind a serial line."""
    paths = [*sorted(Path(top.__file__).parent.glob("*.py")), Path(link.__file__)]
    return [path.read_text() for path in paths]


SOURCES, BOARD = _sources(), _board_sources()  # as they were imported, should someone edit them now


def _cached(parts: list[Any], make: Callable[[], str], cache: Path | None, progress: Progress | None) -> str:
    """Verilog that depends on ``parts``, on all sources and on the tools."""
    key = hashlib.sha256(json.dumps([*parts, tools.versions(), SOURCES]).encode()).hexdigest()[:32]

    def generate_into(folder: Path) -> None:
        if progress:
            progress("generating Verilog", 0, 1)
        (folder / "lutra.v").write_text(make())
        if progress:
            progress("generating Verilog", 1, 1)

    return (cached(cache or cache_folder(), f"verilog-{key}", generate_into) / "lutra.v").read_text()


def generate(array: Array, *, cache: Path | None = None, progress: Progress | None = None) -> str:
    """The machine's Verilog with top module ``lutra``, from the cache if no source and no tool has changed."""
    return _cached([repr(array), _own(array)], lambda: machine.verilog(array, "lutra"), cache, progress)


def generate_board(array: Array, divisor: int, *, cache: Path | None = None, progress: Progress | None = None) -> str:
    """The same for the machine behind its serial line, ``divisor`` clock cycles in a bit time."""
    return _cached([repr(array), divisor, _own(array), BOARD],
                   lambda: convert(SerialMachine(array, divisor), "lutra"), cache, progress)

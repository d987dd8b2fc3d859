"""Shared libraries of verilated machines, kept in a cache that is safe against interruption and damage."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

from . import tools

__all__ = ["Progress", "cache_folder", "cached", "library"]

Progress = Callable[[str], None]

TOP = "lutra"
LIBRARY, LOG, DIGEST = "machine.so", "build.log", "digest.json"
VERILATOR_FLAGS = ("--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing",
                   "-Wno-fatal", "--top-module", TOP, "--prefix", "Vlutra", "-o", LIBRARY,
                   "-CFLAGS", "-fPIC -fvisibility=hidden -fno-gnu-unique -std=c++17", "-LDFLAGS", "-shared",
                   "-MAKEFLAGS", "OPT_FAST=-O2 OPT_SLOW=-O0 OPT_GLOBAL=-O2")


def cache_folder() -> Path:
    """Where builds are kept: ``LUTRA_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("LUTRA_CACHE")
    return Path(chosen) if chosen else user_cache_path("lutra")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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

    The folder appears whole or not at all; two processes that want one key make it once.
    """
    cache.mkdir(parents=True, exist_ok=True)
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


def _compile(verilog: str, driver: str, folder: Path) -> None:
    """Fill ``folder`` with the library and the log of its build."""
    tools.compiler(), tools.make()
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "lutra.v").write_text(verilog)
        (Path(work) / "driver.cpp").write_text(driver)
        command = [tools.verilator(), *VERILATOR_FLAGS, "-j", str(os.cpu_count() or 1), "-Mdir", work,
                   f"{work}/lutra.v", f"{work}/driver.cpp"]
        done = subprocess.run(command, env=tools.environment(), cwd=work, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"Verilator must compile the machine, but it failed:\n{done.stdout}")
        shutil.copy(Path(work) / LIBRARY, folder / LIBRARY)
        (folder / LOG).write_text(done.stdout)


def library(verilog: str, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """The shared library of a machine's Verilog (top module ``lutra``), compiled unless the cache has it."""
    driver = (files("lutra_sim") / "driver.cpp").read_text()
    key = _sha256(json.dumps([verilog, driver, VERILATOR_FLAGS, tools.versions()]).encode())[:32]

    def compile_into(folder: Path) -> None:
        if progress:
            progress("compiling the machine")
        _compile(verilog, driver, folder)

    return cached(cache or cache_folder(), key, compile_into) / LIBRARY

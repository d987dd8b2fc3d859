"""The compiled simulator's records and its function, as simulator.cpp declares them."""

import ctypes
import hashlib
import json
import subprocess
from functools import cache as remembered
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from .. import tools
from ..library import cache_folder, cached

__all__ = ["CellType", "Design", "Job", "loaded", "record"]

FLAGS = ("-std=c++17", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-gnu-unique")
SOURCE, LIBRARY, LOG = "simulator.cpp", "simulator.so", "build.log"


def _fields(numbers: str, pointers: str) -> list[tuple[str, Any]]:
    return [(name, ctypes.c_int64) for name in numbers.split()] + [(name, ctypes.c_void_p) for name in pointers.split()]


class CellType(ctypes.Structure):
    """Tables of a cell type."""

    _fields_ = _fields("kind inputs outputs states clock rising initial",
                       "output next open delay_arc output_energy input_energy leakage")


class Design(ctypes.Structure):
    """A netlist and what its transitions take."""

    _fields_ = _fields("cells nets types units",
                       "type type_of inputs input_start outputs output_start sink_start sink_cell sink_pin clocked "
                       "delay_start output_energy_start input_energy_start delay output_energy input_energy level "
                       "order")


class Job(ctypes.Structure):
    """What is to be simulated, and room for the answer."""

    _fields_ = [*_fields("cycles skip period launch zero_delay input_bits output_bits clock",
                         "input_nets output_nets input output toggles internal clocks leakage"),
                ("late", ctypes.c_int64)]


def record(structure: type[ctypes.Structure], /, **values: Any) -> Any:
    """A record of those values; it keeps the arrays that it points into."""
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    assert all(array.flags.c_contiguous for array in arrays.values())
    made = structure(**values | {name: array.ctypes.data for name, array in arrays.items()})
    made.kept = values
    return made


@remembered
def loaded(cache: Path | None = None) -> Any:
    """The simulator, compiled unless the cache has it; a call releases Python's lock."""
    source = (files(__package__) / SOURCE).read_text()
    key = hashlib.sha256(json.dumps([source, FLAGS, tools.versions()["g++"]]).encode()).hexdigest()[:32]

    def compile_into(folder: Path) -> None:
        (folder / SOURCE).write_text(source)
        command: list[str | Path] = [tools.compiler(), *FLAGS, "-o", folder / LIBRARY, folder / SOURCE]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        (folder / LOG).write_text(done.stdout)
        if done.returncode:
            raise RuntimeError(f"a tool failed to compile the simulation of gates:\n{done.stdout}")

    library = ctypes.CDLL(str(cached(cache or cache_folder(), f"gate-simulator-{key}", compile_into) / LIBRARY))
    library.gates_run.argtypes = [ctypes.POINTER(Design), ctypes.POINTER(Job)]
    library.gates_run.restype = None
    return library

"""soft_lookup.c, compiled when first asked for."""

import ctypes
import shutil
import subprocess
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lutra_model.params import DISTANCES, Metric

__all__ = ["ENTRIES", "backward", "forward", "library"]

ENTRIES = 16
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # of mallopt, in glibc's malloc.h
KEPT = 2**31 - 1
FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC")


def _keep_memory() -> None:
    """Let freed memory stay with the process: fresh pages for every large tensor took a third of a step."""
    process = ctypes.CDLL(None)
    if hasattr(process, "mallopt"):
        for setting in (MMAP_THRESHOLD, TRIM_THRESHOLD):
            process.mallopt(setting, KEPT)


@cache
def library() -> Any:
    """The compiled functions, for this processor; None where no C compiler makes them."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "soft_lookup.so"
        done = subprocess.run([compiler, *FLAGS, "-o", built, Path(__file__).with_name("soft_lookup.c"), "-lm"],
                              capture_output=True, text=True)
        if done.returncode:
            warnings.warn(f"training is slow, as soft_lookup.c does not compile: {done.stderr}", stacklevel=2)
            return None
        found = ctypes.CDLL(str(built))
    _keep_memory()
    found.lookup_forward.restype, found.lookup_backward.restype = None, ctypes.c_float
    return found


def _shared(function: Any, metric: Metric, sizes: tuple[Tensor, Tensor], values: tuple[Any, ...],
            parts: int) -> list[Any]:
    """Results of the function on each thread's part of 0 to ``parts``; it runs without Python's lock."""
    x, table = sizes
    arguments = [DISTANCES.index(metric), ctypes.c_long(len(x)), x.shape[1], table.shape[2], ctypes.c_long(x.shape[2])]
    arguments += [ctypes.c_void_p(value.data_ptr()) if isinstance(value, Tensor) else value for value in values]
    threads = torch.get_num_threads()
    bounds = [ctypes.c_long(parts * i // threads) for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        return [*pool.map(lambda first, last: function(*arguments, first, last), bounds[:-1], bounds[1:])]


def forward(x: Tensor, centroids: Tensor, table: Tensor, metric: Metric) -> tuple[Tensor, Tensor]:
    """Sums ``(columns, rows)`` and chosen indices ``(codebooks, 1, rows)`` of contiguous float32 arguments."""
    index = torch.empty(len(x), 1, x.shape[2], dtype=torch.uint8)
    sums = torch.empty(table.shape[2], x.shape[2])
    _shared(library().lookup_forward, metric, (x, table), (x, centroids, table, index, sums), x.shape[2])
    return sums, index


def backward(x: Tensor, centroids: Tensor, table: Tensor, sharpness: float, index: Tensor, slope: Tensor,
             with_x: bool, metric: Metric) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
    """Slopes of ``x`` (if wanted), centroids, table and sharpness."""
    slopes = (torch.empty_like(x) if with_x else None, torch.zeros_like(centroids), torch.zeros_like(table))
    values = (x, centroids, table, ctypes.c_float(sharpness), index, slope, *slopes)
    return *slopes, torch.tensor(sum(_shared(library().lookup_backward, metric, (x, table), values, len(x))))

"""Speed of the compiled machine beside cocotb's, on one layer, in one run."""

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lutra_model.host import unpack
from lutra_model.params import Array, Layer

from . import tools
from .bench import build_bench, run_bench
from .bench_speed import ANSWER
from .case import Case
from .compiled import build
from .generated import generate

__all__ = ["compare"]

SECONDS = 1.0  # of CPU time that the compiled machine is measured for at least


def _layer(array: Array) -> Layer:
    """Some thousand cycles that keep the array busy."""
    rows, codebooks, columns = 512, min(array.codebooks, 2 * array.rows), 4 * array.columns
    if not array.is_lookup:
        return Layer.dense(name="bench", rows=rows, reduction=codebooks, columns=columns)
    return Layer(name="bench", rows=rows, codebooks=codebooks, columns=columns, length=array.length,
                 entries=array.entries)


def _compiled(case: Case) -> tuple[float, float]:
    """Cycles and seconds of CPU time of so many runs."""
    machine = build(case.array)
    cycles, begin = 0, time.process_time()
    while time.process_time() < begin + SECONDS:
        run = machine.run(case.traffic, beats=case.beats)
        cycles += run.elapsed
    seconds = time.process_time() - begin
    assert np.array_equal(unpack(case.schedule, run.beats), case.expected)
    return cycles, seconds


def _cocotb(case: Case) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_bench(generate(case.array), folder)
        run_bench(folder, [case], module="bench_speed")
        answer = json.loads((folder / ANSWER).read_text())
    return answer["cycles"], answer["seconds"]


def compare(array: Array) -> dict[str, Any]:
    """Simulation speed, in cycles and lookups for each second of CPU time, and the ratio of the two ways.

    ``compiled``: streams driven in C++; ``cocotb``: streams driven in Python, by cocotbext-axi. Both check the outputs
    against the golden model, outside the measured time.
    """
    case = Case(array=array, layer=_layer(array))
    cycles, seconds = _compiled(case)
    bench_cycles, bench_seconds = _cocotb(case)
    layer_cycles = case.predicted.cycles
    compiled, cocotb = cycles / seconds, bench_cycles / bench_seconds
    return {"array": asdict(array), "layer": asdict(case.layer), "compiled_cycles_per_s": compiled,
            "cocotb_cycles_per_s": cocotb, "ratio": compiled / cocotb,
            "compiled_lookups_per_s": compiled / layer_cycles * case.layer.lookups,
            "cocotb_lookups_per_s": cocotb / layer_cycles * case.layer.lookups, "tools": tools.versions()}

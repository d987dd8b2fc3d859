"""Speed of the compiled machine beside cocotb's and Amaranth's simulator: one machine and program, in one run."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.sim import Simulator, SimulatorContext

from lutra_hw.machine import Machine
from lutra_model import golden, randomnet
from lutra_model.engines import Draw
from lutra_model.fit import arrays
from lutra_model.network import Network, Product, Window
from lutra_model.params import Array

from . import tools
from .bench import build_bench, run_bench
from .bench_speed import ANSWER
from .case import Case
from .compiled import build
from .generated import generate
from .interpreted import drive
from .library import Progress, cache_folder
from .network import simulate
from .traffic import loading, running

__all__ = ["compare", "images", "resnet18"]

SECONDS = 1.0  # of CPU time that the compiled machine is measured for at least
PATIENCE = 60.0  # that Amaranth's simulator gets at most
SIDE = 10  # of the image that all of them work on


def _case(array: Array) -> Case:
    """One convolution that keeps the array busy for some hundred cycles."""
    rng, columns = np.random.default_rng(0), array.columns
    kernel, channels = ((3, 3), 2 * array.word) if array.length >= 9 else ((1, 1), 4 * array.length * array.word)
    reduction = channels * kernel[0] * kernel[1]
    table, coding = array.cell.example(array, reduction, kernel, columns, Draw(
        lambda low, high: high, *(lambda *shape: rng.integers(-128, 128, shape, np.int8),) * 2))
    layer = Product(name="bench", inputs=("input",), scale=1.0, table=table, coding=coding, reduction=reduction,
                    bias=np.zeros(columns, np.int64), multiplier=np.full(columns, 2**15),
                    shift=np.full(columns, 18), table_scale=np.ones(columns),
                    window=Window(kernel=kernel, padding=(kernel[0] // 2,) * 4))
    network = Network(name="bench", input_shape=(SIDE, SIDE, channels), input_scale=1.0, nodes=(layer,))
    return Case(array=array, network=network, inputs=rng.integers(-128, 128, (1, SIDE, SIDE, channels), np.int8))


def _compiled(case: Case) -> float:
    """Cycles for each second of CPU time."""
    machine, cycles = build(case.array), 0
    machine.load(case.program)
    begin = time.process_time()
    while time.process_time() < begin + SECONDS:
        run = machine.run(case.program, case.inputs)
        cycles += run.elapsed
    seconds = time.process_time() - begin
    assert np.array_equal(run.outputs, case.expected)
    return cycles / seconds


def _cocotb(case: Case) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_bench(generate(case.array), folder)
        run_bench(folder, [case], module="bench_speed")
        answer = json.loads((folder / ANSWER).read_text())
    return float(answer["cycles"] / answer["seconds"])


def _amaranth(case: Case) -> float:
    """Streams without stalls; the program runs as far as the time allows."""
    machine, ran = Machine(case.array), [0, 0.0]
    work = [loading(case.program), running(case.program, case.inputs)]
    received: list[int] = []

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(machine.m_axis_tready, 1)
        begin = time.process_time()

        def watch(_: SimulatorContext) -> bool:
            ran[0] += 1
            return time.process_time() > begin + PATIENCE

        for traffic in work:
            await drive(ctx, machine, traffic, received, watch)
        ran[1] = time.process_time() - begin

    simulator = Simulator(machine)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    if len(received) == case.program.output_beats:
        beats = b"".join(beat.to_bytes(case.array.columns, "little") for beat in received)
        outputs = case.program.outputs(np.frombuffer(beats, np.uint8).reshape(-1, case.array.columns))
        assert np.array_equal(outputs, case.expected)
    return ran[0] / ran[1]


def compare(array: Array) -> dict[str, Any]:
    """Simulation speed in cycles and lookups for each second of CPU time, and the compiled machine's lead.

    ``compiled``: streams driven in C++; ``cocotb``: the same Verilog, streams driven in Python by cocotbext-axi;
    ``amaranth``: the same design in Amaranth's simulator. All check their outputs against the golden model.
    """
    case = _case(array)
    lookups = sum(layer.lookups for layer in case.network.layers()) / case.latency.cycles
    speeds = {"compiled": _compiled(case), "cocotb": _cocotb(case), "amaranth": _amaranth(case)}
    return {"array": str(array), "run_cycles": case.latency.cycles, "tools": tools.versions(),
            "cycles_per_s": speeds, "lookups_per_s": {name: speed * lookups for name, speed in speeds.items()},
            "lead": {name: speeds["compiled"] / speed for name, speed in speeds.items() if name != "compiled"}}


def images(network: Network, *, rows: int, columns: int, encoders: Any, count: int = 8,
           progress: Progress | None = None) -> dict[str, Any]:
    """Whole networks on the compiled machines, one on each core: images and cycles for each second, and verdicts."""
    chosen = arrays(network, rows=rows, columns=columns, encoders=encoders)
    x = np.random.default_rng(0).integers(-128, 128, (count, *network.input_shape), np.int8)
    found = simulate(network, x, chosen, progress=progress).as_dict()
    return {"network": network.name, "arrays": {scheme: str(array) for scheme, array in chosen.items()},
            **{name: found[name] for name in ("images", "bit_exact", "cycles_exact", "images_per_s", "cycles_per_s",
                                              "cycles")}}


def resnet18(*, rows: int = 16, columns: int = 32, encoders: int = 16, size: int = 224, seed: int = 0,
             progress: Progress | None = None) -> dict[str, Any]:
    """ResNet-18 with random weights on one image; an interrupted run goes on with the images that are done."""
    network = randomnet.resnet18(seed, size=size)
    rng = np.random.default_rng(seed)
    image = np.clip(np.rint(rng.normal(0, 42, (1, size, size, 3))), -128, 127).astype(np.int8)
    cache_folder().mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    found = simulate(network, golden.quantise(network, image),
                     arrays(network, rows=rows, columns=columns, encoders=encoders), keep=cache_folder(),
                     progress=progress)
    return {"network": network.name, "size": size, "seconds": time.perf_counter() - begin} | found.as_dict()

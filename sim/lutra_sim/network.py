"""A whole network on compiled machines, held against the golden model and the latency model."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.network import Network

from .compiled import CompiledMachine, build
from .generated import generate
from .library import Progress, library
from .partial import Partial, fingerprint
from .result import NetworkRun
from .stages import Arrays, Stage, stages
from .workers import Tick, cores, spread

__all__ = ["check_layers", "machines_for", "prefixes", "simulate", "trace"]

Int8 = NDArray[np.int8]
Machines = Mapping[str, CompiledMachine]

SEEN = ("starts", "dones", "toggles")  # of the operations of a run
BATCH = 4  # inputs of one RUN command, unless there are fewer for each core


def machines_for(cut: Sequence[Stage], *, activity: bool = False, cache: Path | None = None,
                 progress: Progress | None = None) -> dict[str, CompiledMachine]:
    """A compiled machine for each scheme that the stages use; with ``activity``, one that counts toggles."""
    arrays = {stage.scheme: stage.program.array for stage in cut if stage.program and stage.scheme}
    return {scheme: build(array, activity=activity, cache=cache, progress=progress)
            for scheme, array in arrays.items()}


class _Worker:
    """Runs batches on machines of its own; a program stays loaded until another one needs its machine."""

    def __init__(self, cut: Sequence[Stage], machines: Machines, inputs: Int8, table_period: int) -> None:
        self.cut, self.machines, self.inputs, self.table_period = cut, machines, inputs, table_period
        self._loaded: dict[str, Stage] = {}

    def __call__(self, batch: slice, tick: Tick) -> dict[str, NDArray[Any]]:
        """Outputs of a batch, the cycles of each stage, and starts, ends and toggles of all its operations."""
        values, before = {"input": self.inputs[batch]}, 0
        cycles, seen = list[int](), dict[str, list[NDArray[np.int64]]]((name, []) for name in SEEN)
        for stage in self.cut:
            if stage.program is None or stage.scheme is None:
                values[stage.output] = stage.evaluate(values)
                continue
            machine = self.machines[stage.scheme]
            if self._loaded.get(stage.scheme) is not stage:
                machine.load(stage.program)
                self._loaded[stage.scheme] = stage
            run = machine.run(stage.program, stage.segment.inputs(values), table_period=self.table_period,
                              streamed=stage.tables(values), tick=partial(_ahead, tick, before))
            values[stage.output], before = stage.made(run.outputs), before + run.cycles
            cycles.append(run.cycles)
            for name, parts in seen.items():
                parts.append(getattr(run, name).ravel())
        return {"outputs": values[self.cut[-1].output], "cycles": np.array(cycles, np.int64),
                **{name: np.concatenate(parts or [np.zeros(0, np.int64)]) for name, parts in seen.items()}}


def _slices(count: int, batch: int) -> list[slice]:
    return [slice(start, min(start + batch, count)) for start in range(0, count, batch)]


def _ahead(tick: Tick, before: int, done: int) -> None:
    """A stage's cycles, with those of the stages before it."""
    tick(before + done)


def _batch(worker: _Worker, batches: list[slice], number: int, tick: Tick) -> dict[str, NDArray[Any]]:
    return worker(batches[number], tick)


class _Display:
    """Cycles done, of all that the latency model says."""

    def __init__(self, name: str, cut: Sequence[Stage], inputs: int, progress: Progress | None) -> None:
        self.name, self.progress = f"simulating {name}, cycles", progress
        self.each = sum(stage.latency().cycles for stage in cut if stage.program)
        self.total, self.done = self.each * inputs, 0

    def add(self, inputs: int) -> None:
        """So many inputs are done."""
        self.done += self.each * inputs
        self.glance(0)

    def glance(self, under_way: int) -> None:
        """Show what is done and under way."""
        if self.progress:
            self.progress(self.name, min(self.done + under_way, self.total), self.total)


def _batches(network: Network, cut: Sequence[Stage], inputs: Int8, batches: list[slice], workers: list[_Worker],
             kept: Partial, progress: Progress | None) -> dict[str, Any]:
    """Run the batches that are not kept yet; the time that it took, and for how many inputs."""
    display, begin = _Display(network.name, cut, len(inputs), progress), time.perf_counter()
    todo = [number for number in range(len(batches)) if number not in kept.found]
    for number in kept.found:
        display.add(batches[number].stop - batches[number].start)
    for number, found in spread(todo, [partial(_batch, worker, batches) for worker in workers], display.glance):
        kept.add(number, **found)
        display.add(batches[number].stop - batches[number].start)
    return {"seconds": time.perf_counter() - begin,
            "fresh": sum(batches[number].stop - batches[number].start for number in todo)}


def simulate(network: Network, x: NDArray[Any], arrays: Arrays, *, resident: bool | None = None,
             table_period: int = 1, batch: int | None = None, threads: int | None = None, activity: bool = False,
             keep: Path | None = None, machines: Sequence[Machines] | None = None, cache: Path | None = None,
             progress: Progress | None = None) -> NetworkRun:
    """Run a network on the machines, several inputs at a time; what they cannot run is computed by the golden model.

    Parameters
    ----------
    x : inputs, ``(count, *input_shape)``, as :func:`lutra_model.golden.quantise` takes them.
    arrays : the array of each scheme, ``lut-nn`` and ``int8``.
    resident : as `compile_network` takes it.
    table_period : cycles from one beat of the table stream to the next.
    batch : inputs that one RUN command runs.
    threads : machines of each kind that run side by side, one for each core.
    activity : count toggles, too, one input at a time: what comes next is nobody's activity.
    keep : file for the results so far, or a folder for it; a call with the same arguments goes on with what it holds.
        It is removed in the end.
    machines : compiled machines of those arrays, for each thread; built where not given.
    """
    inputs = golden.quantise(network, x)
    if not len(inputs):
        raise ValueError("x must hold at least one input, not 0")
    threads = len(machines) if machines else min(cores() if threads is None else threads, len(inputs))
    batch = 1 if activity else min(BATCH, -(-len(inputs) // max(threads, 1))) if batch is None else batch
    for name, value in [("batch", batch), ("threads", threads), ("table_period", table_period)]:
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    cut, batches = stages(network, arrays, resident=resident), _slices(len(inputs), batch)
    machines = machines or [machines_for(cut, activity=activity, cache=cache, progress=progress)
                            for _ in range(threads)]
    kept = _kept(keep, [network.name, batch, activity, table_period, inputs], cut)
    workers = [_Worker(cut, own, inputs, table_period) for own in machines]
    timing = _batches(network, cut, inputs, batches, workers, kept, progress)
    expected = golden.run(network, inputs)[network.nodes[-1].name]
    run = NetworkRun.of(cut, [part.stop - part.start for part in batches],
                        [kept.found[number] for number in range(len(batches))], expected, table_period=table_period,
                        **timing)
    kept.remove()
    return run


def _kept(keep: Path | None, depends: list[Any], cut: Sequence[Stage]) -> Partial:
    """Results so far; they depend on programs with their numbers, hardware, host nodes and inputs."""
    if keep is None:
        return Partial(None, "")
    parts = list(depends)
    for stage in cut:
        if stage.program is None:
            parts += [type(stage.nodes[0]).__name__, *vars(stage.nodes[0]).values()]
        else:
            program = stage.program
            parts += [program.array, program.words, program.tables, program.codebooks, program.functions,
                      program.streamed, generate(program.array)]
    key = fingerprint(*parts)
    return Partial(keep / f"partial-{key[:32]}.npz" if keep.is_dir() else keep, key)


def prefixes(network: Network) -> Iterator[Network]:
    """For each node, the network up to it."""
    for number in range(1, len(network.nodes) + 1):
        nodes = network.nodes[:number]
        yield Network(name=f"{network.name} up to {nodes[-1].name}", input_shape=network.input_shape, nodes=nodes,
                      input_scale=network.input_scale, pixel_scale=network.pixel_scale)


def check_layers(network: Network, x: NDArray[Any], arrays: Arrays, *, resident: bool | None = None,
                 machines: Sequence[Machines] | None = None, cache: Path | None = None,
                 progress: Progress | None = None) -> dict[str, bool]:
    """Whether the value of each node is the golden model's: the network is run up to every one of them."""
    values, found = golden.run(network, x), dict[str, bool]()
    machines = machines or [machines_for(stages(network, arrays, resident=resident), cache=cache, progress=progress)]
    parts = list(prefixes(network))
    for number, part in enumerate(parts):
        run = simulate(part, x, arrays, resident=resident, machines=machines, cache=cache)
        name = part.nodes[-1].name
        found[name] = run.cycles_exact and bool(np.array_equal(run.outputs, values[name]))
        if progress:
            progress(f"checking layers of {network.name}", number + 1, len(parts))
    return found


def trace(network: Network, x: NDArray[Any], arrays: Arrays, path: Path, cycles: tuple[int, int], *, kind: str = "fst",
          resident: bool | None = None, cache: Path | None = None, progress: Progress | None = None) -> None:
    """Write the waveform of some cycles (first and last) of the first input on the network's first machine.

    ``kind`` is ``fst`` or ``vcd``. Raises ``ValueError`` for another, or for cycles that never come.
    """
    if kind not in ("fst", "vcd"):
        raise ValueError(f"a trace must be .fst or .vcd, not .{kind}")
    stage = stages(network, arrays, resident=resident)[0]
    if stage.program is None:
        raise ValueError(f"network {network.name} must begin on a machine to be traced")
    (first, last), count, array = cycles, stage.latency().cycles, stage.program.array
    if not 0 <= first <= last < count:
        raise ValueError(f"cycles to trace must be within 0:{count - 1}, not {first}:{last}")
    found = library(generate(array, cache=cache, progress=progress), trace=kind, cache=cache, progress=progress)
    machine = CompiledMachine(found, array)
    machine.load(stage.program)
    with machine.tracing(path, first, last):
        machine.run(stage.program, golden.quantise(network, x[:1]))

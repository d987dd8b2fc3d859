"""The whole machine, in Amaranth's simulator, against sums and distances written out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator, SimulatorContext
from numpy.typing import NDArray

from lutra_hw.machine import Machine
from lutra_model.host import Traffic, pack, unpack
from lutra_model.latency import cycles
from lutra_model.network import Product
from lutra_model.params import Array, Layer, Metric
from lutra_model.schedule import Pipeline, Schedule

TIMEOUT = 20_000
NAMES = ("s_axis_cmd", "s_axis_act", "s_axis_table")


def bursts(seed: int | None, end: int) -> Iterator[bool]:
    """Whether a stream's end goes on, cycle by cycle; without a seed it always does."""
    rng = np.random.default_rng((seed or 0, end))
    going = True
    while True:
        yield from [going] * int(rng.integers(1, 25))
        going = not going or seed is None


def random_layer(layer: Layer, seed: int, metric: Metric) -> tuple[Product, NDArray[np.int8]]:
    """A layer's numbers and its activations ``(reduction, rows)``; small numbers where ties are wanted."""
    rng = np.random.default_rng(seed)
    low, high = (-2, 3) if seed % 2 else (-128, 128)
    centroids = None if layer.is_dense else rng.integers(
        low, high, (layer.codebooks, layer.entries, layer.length), np.int8)
    spread = 128 * layer.codebooks * (128 if layer.is_dense else 1)
    clamp = sorted(rng.integers(-128, 128, 2).tolist()) if seed % 3 == 0 else [-128, 127]
    node = Product(name="layer", inputs=("input",), scale=1.0, low=clamp[0], high=clamp[1],
                   table=rng.integers(-128, 128, (layer.codebooks, layer.entries, layer.columns), np.int8),
                   centroids=centroids, metric=metric, bias=rng.integers(-spread, spread, layer.columns),
                   multiplier=rng.integers(1, 2**16, layer.columns),
                   shift=rng.integers(max(1, spread.bit_length() + 5), spread.bit_length() + 11, layer.columns),
                   table_scale=np.ones(layer.columns), reduction=layer.reduction)
    return node, rng.integers(low, high, (layer.reduction, layer.rows), np.int8)


def distance(a: NDArray[np.int8], p: NDArray[np.int8], metric: Metric) -> int:
    pairs = [abs(int(x) - int(y)) for x, y in zip(a, p, strict=True)]
    return {Metric.L2: sum(d * d for d in pairs), Metric.L1: sum(pairs), Metric.CHEBYSHEV: max(pairs)}[metric]


def expected(node: Product, activations: NDArray[np.int8]) -> list[list[int]]:
    """Outputs of a layer, one at a time."""
    codebooks, _, columns = node.table.shape
    length = 1 if node.centroids is None else node.centroids.shape[2]
    rows = []
    for vector in activations.T:
        padded = np.zeros(codebooks * length, np.int8)
        padded[:len(vector)] = vector
        sums = [0] * columns
        for k, part in enumerate(padded.reshape(codebooks, length)):
            index, factor = 0, int(part[0])
            if node.centroids is not None:
                distances = [distance(part, centroid, node.metric) for centroid in node.centroids[k]]
                index, factor = distances.index(min(distances)), 1
            sums = [s + factor * int(t) for s, t in zip(sums, node.table[k, index], strict=True)]
        scaled = [((s + int(b)) * int(f) + (1 << int(n) - 1)) >> int(n)
                  for s, b, f, n in zip(sums, node.bias, node.multiplier, node.shift, strict=True)]
        rows.append([min(max(y, node.low), node.high) for y in scaled])
    return rows


@dataclass
class Run:
    """What left the machine: beats, their ``tkeep`` and ``tlast``, and when each stream's beats were taken."""

    beats: list[int]
    keeps: list[int]
    lasts: list[int]
    times: dict[str, list[int]]


def words(beats: NDArray[np.uint8]) -> list[int]:
    return [int.from_bytes(beat.tobytes(), "little") for beat in beats]


def simulate(array: Array, jobs: list[tuple[Traffic, int]], stalls: int | None, reset_after: int | None = None) -> Run:
    """Runs layers one after the other; ``jobs`` has their streams and their numbers of output beats."""
    machine, reset = Machine(array), Signal()
    queues = [[w for t, _ in jobs for w in t.command], [w for t, _ in jobs for w in words(t.activations)],
              [w for t, _ in jobs for w in words(t.tables)]]
    total = sum(beats for _, beats in jobs)
    run = Run([], [], [], {name: [] for name in (*NAMES, "m_axis")})

    async def bench(ctx: SimulatorContext, last: int | None = None) -> None:
        going = [bursts(stalls, end) for end in range(4)]
        valids, positions = [False] * 3, [0] * 3
        offered: int | None = None
        for cycle in range(TIMEOUT):
            for end, name in enumerate(NAMES):
                valids[end] = valids[end] or (positions[end] < len(queues[end]) and next(going[end]))
                ctx.set(getattr(machine, f"{name}_tvalid"), valids[end])
                ctx.set(getattr(machine, f"{name}_tdata"), queues[end][positions[end]] if valids[end] else 0)
            ready = next(going[3])
            ctx.set(machine.m_axis_tready, ready)
            for end, name in enumerate(NAMES):
                if valids[end] and ctx.get(getattr(machine, f"{name}_tready")):
                    positions[end] += 1
                    valids[end] = False
                    run.times[name].append(cycle)
            beat = ctx.get(machine.m_axis_tdata) if ctx.get(machine.m_axis_tvalid) else None
            assert offered is None or beat == offered, "a beat must stay until it is taken"
            offered = None if ready else beat
            if ready and beat is not None:
                run.beats.append(beat)
                run.keeps.append(ctx.get(machine.m_axis_tkeep))
                run.lasts.append(ctx.get(machine.m_axis_tlast))
                run.times["m_axis"].append(cycle)
            await ctx.tick()
            if len(run.beats) == total or cycle == last:
                return
        raise AssertionError(f"{len(run.beats)} of {total} beats, {positions} taken after {TIMEOUT} cycles")

    async def process(ctx: SimulatorContext) -> None:
        if reset_after is not None:
            await bench(ctx, reset_after)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            for log in (run.beats, run.keeps, run.lasts, *run.times.values()):
                log.clear()
        await bench(ctx)

    simulator = Simulator(ResetInserter(reset)(machine))
    simulator.add_clock(1e-6)
    simulator.add_testbench(process)
    simulator.run()
    return run


def check(array: Array, layers: list[Layer], seed: int, stalls: int | None, reset_after: int | None = None) -> Run:
    """Runs random layers one after the other and compares all that leaves the machine."""
    schedules = [Schedule(layer, array) for layer in layers]
    data = [random_layer(layer, seed + n, array.metric) for n, layer in enumerate(layers)]
    counts = [layer.rows * schedule.column_tiles for layer, schedule in zip(layers, schedules, strict=True)]
    jobs = [(pack(schedule, *numbers), count)
            for schedule, numbers, count in zip(schedules, data, counts, strict=True)]
    run = simulate(array, jobs, stalls, reset_after)
    beats = np.array([list(beat.to_bytes(array.columns, "little")) for beat in run.beats], np.uint8)
    full, start = (1 << array.columns) - 1, 0
    for schedule, numbers, count in zip(schedules, data, counts, strict=True):
        mine = slice(start, start + count)
        start += count
        ragged = (1 << schedule.last_columns) - 1
        assert unpack(schedule, beats[mine]).tolist() == expected(*numbers)
        assert run.keeps[mine] == [ragged if tile == schedule.column_tiles - 1 else full
                                   for size in schedule.block_sizes
                                   for tile in range(schedule.column_tiles) for _ in range(size)]
        assert run.lasts[mine] == [0] * (count - 1) + [1]
    return run


LOOKUP = Array(rows=4, columns=3, encoders=2, length=3, entries=4, codebooks=16, block_rows=8, index_words=16)
CASES = {
    "one": (LOOKUP, Layer(rows=1, codebooks=1, columns=1, length=1, entries=2)),
    "full": (LOOKUP, Layer(rows=5, codebooks=4, columns=3, length=3, entries=4)),
    "ragged": (LOOKUP, Layer(rows=21, codebooks=11, columns=7, length=3, entries=3, reduction=31)),
    "single-row": (LOOKUP, Layer(rows=1, codebooks=15, columns=8, length=2, entries=4)),
    "cell": (Array(rows=1, columns=1, encoders=1, length=1, entries=2, codebooks=3, block_rows=1, index_words=3),
             Layer(rows=4, codebooks=3, columns=2, length=1, entries=2)),
    "encoders": (Array(rows=5, columns=2, encoders=3, length=2, entries=8, metric=Metric.L1, codebooks=13,
                       block_rows=4, index_words=7),
                 Layer(rows=10, codebooks=12, columns=5, length=2, entries=7)),
    "chebyshev": (Array(rows=3, columns=2, encoders=3, length=5, entries=2, metric=Metric.CHEBYSHEV, codebooks=9,
                        block_rows=16, index_words=32),
                  Layer(rows=19, codebooks=8, columns=2, length=5, entries=2)),
    "long-block": (Array(rows=2, columns=2, encoders=2, length=1, entries=2, codebooks=2, block_rows=70,
                         index_words=70),
                   Layer(rows=150, codebooks=2, columns=4, length=1, entries=2)),
    "mac": (Array.mac(rows=4, columns=3, codebooks=16, block_rows=8, index_words=16),
            Layer.dense(rows=21, reduction=11, columns=7)),
    "mac-single-row": (Array.mac(rows=4, columns=3, encoders=3, codebooks=16, block_rows=8, index_words=16),
                       Layer.dense(rows=1, reduction=15, columns=8)),
    "mac-long-block": (Array.mac(rows=2, columns=1, codebooks=2, block_rows=70, index_words=70),
                       Layer.dense(rows=150, reduction=2, columns=2)),
    "mac-cell": (Array.mac(rows=1, columns=1, codebooks=4, block_rows=2, index_words=4),
                 Layer.dense(rows=5, reduction=4, columns=2)),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("case", CASES)
def test_outputs_and_cycles_are_exact(case: str, seed: int) -> None:
    array, layer = CASES[case]
    run = check(array, [layer], seed, None)
    assert run.times["m_axis"][-1] - run.times["s_axis_cmd"][0] + 1 == cycles(layer, array)


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("case", CASES)
def test_stalls_change_nothing(case: str, seed: int) -> None:
    array, layer = CASES[case]
    check(array, [layer], seed, seed)


@pytest.mark.parametrize("case", ["ragged", "encoders", "mac"])
@pytest.mark.parametrize("stalls", [None, 1], ids=["flow", "stalls"])
def test_layers_follow_each_other(case: str, stalls: int | None) -> None:
    array, layer = CASES[case]
    small = replace(layer, rows=3, codebooks=2, columns=array.columns + 1, reduction=2 * layer.length)
    run = check(array, [layer, small, layer], 5, stalls)
    last = run.times["m_axis"][layer.rows * Schedule(layer, array).column_tiles - 1]
    assert (run.times["s_axis_cmd"][8] == last + 1) if stalls is None else (run.times["s_axis_cmd"][8] > last)


@pytest.mark.parametrize("moment", [3, 40, 83, 104, 149])
@pytest.mark.parametrize("case", ["ragged", "mac"])
def test_reset_in_mid_layer_forgets_it(case: str, moment: int) -> None:
    array, layer = CASES[case]
    run = check(array, [layer], 7, None, reset_after=moment)
    assert run.times["m_axis"][-1] + 1 == cycles(layer, array)


TIMED = Array(rows=2, columns=1, encoders=2, length=2, entries=4, codebooks=6, block_rows=8, index_words=24)


def test_first_beats_come_one_cycle_after_the_descriptor() -> None:
    for array, layer in (CASES["ragged"], CASES["mac"]):
        times = check(array, [layer], 0, None).times
        assert times["s_axis_act"][0] == times["s_axis_table"][0] == times["s_axis_cmd"][7] + 1


def test_output_follows_the_last_index_word() -> None:
    for array in (TIMED.resized(encoders=1), Array.mac(rows=2, columns=1, encoders=1, block_rows=8, index_words=24)):
        stages = Pipeline(array)
        layer = Layer(rows=20, codebooks=2, columns=1, length=array.length, entries=array.entries)
        times = check(array, [layer], 0, None).times
        assert times["m_axis"][-1] == times["s_axis_act"][-1] + stages.encode + 1 + stages.output


def test_output_follows_the_last_parameter_beat() -> None:
    for array in (TIMED, CASES["mac"][0]):
        layer = Layer(rows=1, codebooks=6, columns=3, length=array.length, entries=array.entries)
        times = check(array, [layer], 0, None).times
        assert times["m_axis"][-1] == times["s_axis_table"][-1] + 1 + Pipeline(array).output


def test_banks_take_beats_one_cycle_after_the_issue_that_frees_them() -> None:
    stages, tile_beats = Pipeline(TIMED), 2 * 4
    layer = Layer(rows=8, codebooks=6, columns=1, length=2, entries=4)
    times = check(TIMED, [layer], 0, None).times
    centroids = 3 * 4
    issue = times["s_axis_act"][centroids + 7] + stages.encode + 1  # last row of the first tile
    assert times["s_axis_table"][2 * tile_beats] == issue + 1 > times["s_axis_table"][2 * tile_beats - 1] + 1


def test_halves_take_beats_one_cycle_after_the_issue_that_frees_them() -> None:
    stages = Pipeline(TIMED)
    layer = Layer(rows=4, codebooks=2, columns=2, length=2, entries=4)
    array = TIMED.resized(block_rows=1)
    times = check(array, [layer], 0, None).times
    for block in (2, 3):
        issue = times["m_axis"][2 * (block - 2) + 1] - stages.output
        assert times["s_axis_act"][4 + block] == issue + 1 > times["s_axis_act"][4 + block - 1] + 1


def test_parameters_wait_for_the_finisher() -> None:
    array = TIMED.resized(rows=1, encoders=1, block_rows=12)
    layer = Layer(rows=12, codebooks=1, columns=3, length=2, entries=2)
    times = check(array, [layer], 0, None).times
    issue, tile_beats = times["m_axis"][11] - Pipeline(array).output, 2 + 7
    assert times["s_axis_table"][2 * tile_beats] == issue + 1
    assert times["s_axis_table"][2 * tile_beats + 2] == issue + Pipeline(array).release > issue + 3

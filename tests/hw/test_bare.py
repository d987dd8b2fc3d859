"""hw.bare: products on bare arrays of every engine, every bit and every cycle, with and without stalls."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext
from numpy.typing import NDArray

from lutra_hw.engines import sum_width
from lutra_hw.machine import machine_of
from lutra_model.bare import Bare
from lutra_model.engines.base import Draw
from lutra_model.params import Metric
from lutra_sim.fpga.bare import Pass, passes, totals

Simulate = Callable[..., None]
CHANNELS = {"cmd": "command", "act": "activations", "table": "tables"}
SIZES: dict[str, Any] = {"rows": 8, "columns": 4, "block_rows": 8, "codebooks": 64, "encoders": 1}
SCALAR = SIZES | {"length": 1, "entries": 1}
ARRAYS = {
    "lookup": Bare(**SIZES, fill=2, length=4),
    "lookup-8-entries": Bare(**SIZES, fill=8, length=9, entries=8),
    "block-tables": Bare(**SIZES, fill=1, length=4, block_tables=True),
    "encoders": Bare(**SIZES | {"rows": 4, "encoders": 4}, fill=2, length=4, entries=4, encoded=True),
    "tree": Bare(**SIZES | {"encoders": 8}, fill=8, length=4, metric=Metric.TREE, encoded=True),
    "mac": Bare(engine="mac", **SCALAR, fill=2),
    "mac-int4": Bare(engine="mac", **SCALAR, weight_bits=4),
    "mac-multipliers": Bare(engine="mac", **SCALAR, fill=2, multipliers=9),
    "sign-flip": Bare(engine="sign-flip", **SCALAR, fill=4),
    "lut-tc": Bare(engine="lut-tc", **SIZES, length=4, entries=2, fill=2),
    "lut-tc-w1": Bare(engine="lut-tc", **SIZES, length=4, entries=1),
    "vec-lut": Bare(engine="vec-lut", **SIZES, length=3, entries=1),
    "dln-row": Bare(engine="dln-row", **SCALAR | {"entries": 16}, weight_levels=16, fill=4),
    "dln-column": Bare(engine="dln-column", **SCALAR | {"entries": 16}, weight_levels=8, fill=4),
}


class Case:
    """A random product, its passes, and how the streams of a machine carry them."""

    def __init__(self, array: Bare, seed: int) -> None:
        rng = np.random.default_rng(seed)
        reduction, self.outputs, rows = (int(rng.integers(low, high)) for low, high in [(5, 36), (1, 9), (1, 18)])

        def bytes_of(*shape: int) -> NDArray[np.int8]:
            return rng.integers(-128, 128, shape).astype(np.int8)

        example = array.cell.example(array, reduction, (1, 1), self.outputs,
                                     Draw(lambda low, high: int(rng.integers(low, high + 1)), bytes_of, bytes_of))
        self.array, self.coding, self.table = array, example.coding, example.table
        whole = max(reduction, len(self.table) * self.coding.length)
        self.columns = np.pad(bytes_of(reduction, rows), ((0, whole - reduction), (0, 0)))
        self.passes: list[Pass] = list(passes(array, self.coding, self.table, self.columns))
        self.beats = sum(len(range(*place.indices(1 << 20))) for one in self.passes if one.leaves
                         for place in [one.tile if array.cell.vector else one.block])

    def stream(self, name: str) -> list[int]:
        if name == "cmd":
            return [one.word for one in self.passes]
        return [int.from_bytes(beat.tobytes(), "little") for one in self.passes for channel, beats in one.streams
                if channel == CHANNELS[name] for beat in beats]

    def sums(self, received: list[int]) -> NDArray[np.int64]:
        beats = np.array([list(word.to_bytes(self.array.output_bytes, "little")) for word in received], np.uint8)
        return totals(self.array, self.coding, self.columns, self.passes, beats, self.outputs)

    def golden(self) -> NDArray[Any]:
        return self.coding.sums(self.table, self.columns)


def driven(case: Case, received: list[int], starts: list[int], stalls: random.Random | None) -> Any:
    """A bench that plays a case; each stream end goes and stalls in bursts of its own."""
    def bursts() -> Callable[[], bool]:
        state = [True, 0]

        def go() -> bool:
            if stalls is None:
                return True
            if not state[1]:
                state[:] = [not state[0], stalls.choice([1, 2, 3, 8, 20])]
            state[1] -= 1
            return bool(state[0])
        return go

    async def bench(ctx: SimulatorContext, dut: Any) -> None:
        streams = {name: case.stream(name) for name in CHANNELS}
        go = {name: bursts() for name in (*CHANNELS, "out")}
        offered, cycle, held = dict.fromkeys(CHANNELS, False), 0, None
        while len(received) < case.beats or ctx.get(dut.status) & 3:
            for name, beats in streams.items():
                offered[name] = bool(beats) and (go[name]() or offered[name])
                ctx.set(getattr(dut, f"s_axis_{name}_tvalid"), offered[name])
                ctx.set(getattr(dut, f"s_axis_{name}_tdata"), beats[0] if offered[name] else -1)
            ctx.set(dut.m_axis_tready, ready := go["out"]())
            for name, beats in streams.items():
                if offered[name] and ctx.get(getattr(dut, f"s_axis_{name}_tready")):
                    beats.pop(0)
                    offered[name] = False
                    starts.extend([cycle] * (name == "cmd"))
            beat = (ctx.get(dut.m_axis_tdata), ctx.get(dut.m_axis_tlast)) if ctx.get(dut.m_axis_tvalid) else None
            assert held in (None, beat), "an output beat must stay until it is taken"
            held = None if ready else beat
            if beat and ready:
                received.append(int(beat[0]))
            await ctx.tick()
            cycle += 1
            assert cycle < 50_000, f"{len(received)} of {case.beats} beats, left: {streams}"
        starts.append(cycle)
    return bench


def played(simulate: Simulate, case: Case, stalls: random.Random | None) -> tuple[list[int], list[int]]:
    received: list[int] = []
    starts: list[int] = []
    dut, bench = machine_of(case.array), driven(case, received, starts, stalls)

    async def run(ctx: SimulatorContext, reset: Signal) -> None:
        await bench(ctx, dut)

    simulate(dut, run)
    return received, starts


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ARRAYS)
def test_sums_are_golden_and_cycles_are_exact(simulate: Simulate, name: str, seed: int) -> None:
    case = Case(ARRAYS[name], seed)
    received, starts = played(simulate, case, None)
    assert case.sums(received).tolist() == case.golden().tolist()
    assert np.diff(starts).tolist() == [one.cycles for one in case.passes]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ARRAYS)
def test_stalls_change_no_bit(simulate: Simulate, name: str, seed: int) -> None:
    case = Case(ARRAYS[name], seed)
    received, _ = played(simulate, case, random.Random(seed))
    assert case.sums(received).tolist() == case.golden().tolist()


@pytest.mark.parametrize("name", ARRAYS)
def test_accumulators_hold_what_the_model_says(name: str) -> None:
    array = ARRAYS[name]
    assert sum_width(array, array.codebooks) == array.cell.accumulator_bits(array)
    assert len(machine_of(array).m_axis_tdata) == 8 * array.output_bytes


@pytest.mark.parametrize("off", [-1, 1])
def test_a_model_that_is_wrong_of_a_sums_bytes_shows(simulate: Simulate, monkeypatch: pytest.MonkeyPatch,
                                                     off: int) -> None:
    """The hardware's beats are as wide as its own sums, whatever the model says."""
    array = ARRAYS["lookup"]
    wrong, width = array.sum_bytes + off, len(machine_of(array).m_axis_tdata)
    case = Case(array, seed=0)
    monkeypatch.setattr(Bare, "sum_bytes", wrong)
    received, _ = played(simulate, case, None)
    assert len(machine_of(array).m_axis_tdata) == width
    cut = [word & (1 << 8 * array.output_bytes) - 1 for word in received]  # what the model has room for
    assert case.sums(cut).tolist() != case.golden().tolist()


def test_a_pass_beyond_the_accumulators_fails_and_drops_what_comes(simulate: Simulate) -> None:
    dut = machine_of(ARRAYS["lookup"])

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        ctx.set(dut.s_axis_cmd_tdata, ARRAYS["lookup"].block_rows)
        ctx.set(dut.s_axis_cmd_tvalid, 1)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.status) == 2
        assert all(ctx.get(getattr(dut, f"s_axis_{name}_tready")) for name in CHANNELS)

    simulate(dut, bench)


@pytest.mark.parametrize(("fields", "message"), [
    ({"rows": 1}, "rows of a bare array must be at least 2, not 1"),
    ({"encoded": True}, "a bare array with encoders must be of the engine lookup with one for each row, "
                        "not of lookup with 1"),
    ({"multipliers": 4}, "multipliers must be at most the 32 cells of a MAC array, not 4 of a lookup array"),
    ({"engine": "lut-tc", "length": 4, "entries": 2, "block_tables": True},
     "a bare array of the engine lut-tc must not have tables in block RAM: only lookup's may"),
    ({"block_rows": 1 << 16}, "block_rows of a bare array must be at most 32768, not 65536")])
def test_a_bare_array_is_checked(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Bare(**SIZES | fields)

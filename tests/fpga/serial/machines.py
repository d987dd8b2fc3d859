"""Small machines of every engine, random cases for them, and the simulation of one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from amaranth.sim import Simulator

from lutra_model.exchange import Exchange
from lutra_model.params import Array, Metric
from lutra_sim.case import Case
from lutra_sim.cases import random_case
from lutra_sim.fpga.host import loading_job, running_job

__all__ = ["ALL", "ENGINES", "MAC", "NONCE", "SILENT", "TINY", "WORDS", "a_case", "check", "simulate"]

MEMORIES = {"codebooks": 64, "block_rows": 4, "index_words": 8, "activation_words": 512, "table_words": 64,
            "codebook_words": 64, "program_words": 512}
TINY = Array(rows=2, columns=3, encoders=2, length=2, entries=4, **MEMORIES)
WORDS = Array(rows=4, columns=4, encoders=2, length=1, entries=2, fill=2, **MEMORIES)
MAC = Array.mac(rows=4, columns=2, **MEMORIES)
ENGINES = {
    "tree": replace(TINY, metric=Metric.TREE),
    "lut-tc": Array(engine="lut-tc", rows=2, columns=2, encoders=1, length=4, entries=2, lanes=4, **MEMORIES),
    "dln-row": Array(engine="dln-row", rows=4, columns=2, encoders=2, length=1, entries=4, weight_levels=8, **MEMORIES),
    "dln-column": Array(engine="dln-column", rows=4, columns=2, encoders=2, length=1, entries=4, weight_levels=8,
                        **MEMORIES),
    "vec-lut": Array(engine="vec-lut", rows=2, columns=3, encoders=1, length=3, entries=1, **MEMORIES),
    "sign-flip": Array(engine="sign-flip", rows=4, columns=2, encoders=2, length=1, entries=1, **MEMORIES),
    "int4": Array.mac(rows=4, columns=2, weight_bits=4, **MEMORIES),
}
ALL = ENGINES | {"functions": Array.mac(rows=2, columns=2, functions=3, **MEMORIES)}
NONCE = b"once"
SILENT = 3000  # cycles, or bytes on a serial line, without a byte in either direction


def a_case(array: Array, seed: int, *, streamed: bool, most: int = 1500) -> Case:
    """The first random case from ``seed`` on with streamed or resident tables whose jobs are ``most`` bytes at most."""
    for number in range(seed, seed + 1000):
        case = random_case(array, number)
        tables = len(case.program.streamed)
        job = loading_job(case.program, NONCE) + running_job(case.program, case.inputs, NONCE)
        if (tables if streamed else not tables and len(case.program.tables)) and sum(map(len, job)) <= most:
            return case
    raise AssertionError("no such case")


def check(case: Case, exchange: Exchange) -> None:
    """Every bit is right, and the machine has counted the runs."""
    assert exchange.status == len(case.inputs) << 8, f"{case}: status {exchange.status:#x}"
    assert case.program.outputs(exchange.beats).tolist() == case.expected.tolist(), case


def simulate(dut: Any, testbench: Callable[..., Any], *background: Callable[..., Any]) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    for process in background:
        simulator.add_testbench(process, background=True)
    simulator.run()

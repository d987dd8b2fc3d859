"""How fast cocotb drives the machine, cycle by cycle in Python; runs inside the simulator."""

import json
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.utils import get_sim_time

from lutra_model.operation import State
from lutra_sim.bench_machine import PERIOD_NS, started
from lutra_sim.case import cases_from_environment
from lutra_sim.traffic import loading, running

__all__ = ["ANSWER", "speed"]

ANSWER = "speed.json"


@cocotb.test()
async def speed(dut: Any) -> None:
    """CPU time and cycles of one run, written to ``speed.json``; no monitor takes part."""
    (case,) = cases_from_environment()
    bench = await started(dut, watch=False)
    bench.send(loading(case.program))
    while not bench.sources[0].idle() or not bench.sources[2].idle():
        await bench.until(State.IDLE)
    begin, before = time.process_time(), get_sim_time("ns")
    bench.send(running(case.program, case.inputs))
    got = await bench.receive(case)
    seconds, cycles = time.process_time() - begin, (get_sim_time("ns") - before) / PERIOD_NS
    assert np.array_equal(got, case.expected)
    Path(ANSWER).write_text(json.dumps({"seconds": seconds, "cycles": cycles}))

"""What the tests of components share."""

from collections.abc import Callable
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

Bench = Callable[[Any, Signal], Any]


@pytest.fixture
def simulate() -> Callable[[wiring.Component, Bench], None]:
    """Runs ``bench(ctx, reset)`` on a component; it must end by itself."""
    def run(component: wiring.Component, bench: Bench) -> None:
        reset, finished, top = Signal(), [], Module()
        top.submodules.dut = ResetInserter(reset)(component)
        top.domains.sync = ClockDomain()  # a component may have no register

        async def testbench(ctx: SimulatorContext) -> None:
            await bench(ctx, reset)
            finished.append(True)

        simulator = Simulator(top)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.run()
        assert finished
    return run

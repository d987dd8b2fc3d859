"""A netlist beside its component, cycle by cycle."""

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator, SimulatorContext

from lutra_sim.gates.netlist import Netlist
from lutra_sim.gates.simulate import run

__all__ = ["PERIOD", "agrees", "stimulus"]

CYCLES = 60
PERIOD = 20.0  # ns, ample


def stimulus(component: wiring.Component, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    names = [name for name, port in component.signature.members.items() if port.flow == In]
    return {name: rng.integers(0, 1 << len(getattr(component, name)), CYCLES) for name in names}


def simulated(component: wiring.Component, inputs: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """What Amaranth's simulator says of each cycle's end."""
    ports = component.signature.members.items()
    answers: dict[str, list[int]] = {name: [] for name, port in ports if port.flow == Out}

    async def bench(ctx: SimulatorContext) -> None:
        for cycle in range(CYCLES):
            for name, values in inputs.items():
                ctx.set(getattr(component, name), int(values[cycle]))
            for name, found in answers.items():
                port = getattr(component, name)
                found.append(int(ctx.get(port)) % (1 << len(port)))
            await ctx.tick()

    top = Module()
    top.submodules.component = component
    top.d.sync += Signal().eq(0)
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return answers


def agrees(netlist: Netlist, component: wiring.Component, seed: int) -> bool:
    """Whether the netlist's outputs are the component's, with delays and without."""
    inputs = stimulus(component, seed)
    expected = simulated(component, inputs)
    done = [run(netlist, inputs, period_ns=PERIOD, delays=delays) for delays in (True, False)]
    assert done[0].late == 0
    return all(part.same(name, np.array(values)) for part in done for name, values in expected.items())

"""lutra_sim.gates.synthesis: what components become, simulated, equals the components themselves."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra_sim.gates import liberty
from lutra_sim.gates.netlist import LOW
from lutra_sim.gates.simulate import run
from lutra_sim.gates.synthesis import synthesise
from tests.sim.gates.circuits import toy
from tests.sim.gates.synthesis.agreement import PERIOD, agrees, stimulus
from tests.sim.gates.synthesis.components import COMPONENTS, drawn_at_random


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_netlist_equals_its_component(name: str, cache: Path) -> None:
    netlist = synthesise(COMPONENTS[name](), toy(), name=name, period_ns=PERIOD, cache=cache)
    assert agrees(netlist, COMPONENTS[name](), 1)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_netlist_equals_its_component(seed: int, cache: Path) -> None:
    netlist = synthesise(drawn_at_random(seed), toy(), name=f"random {seed}", period_ns=PERIOD, cache=cache)
    assert agrees(netlist, drawn_at_random(seed), seed)


@pytest.mark.skipif("LUTRA_LIBERTY" not in os.environ, reason="LUTRA_LIBERTY names no Liberty files")
@pytest.mark.parametrize("name", ["accumulate", "table"])
def test_a_library_of_the_user(name: str, cache: Path) -> None:
    library = liberty.read(os.environ["LUTRA_LIBERTY"].split(os.pathsep))
    netlist = synthesise(COMPONENTS[name](), library, name=name, period_ns=PERIOD, cache=cache)
    assert agrees(netlist, COMPONENTS[name](), 1)
    idle = {port: np.zeros(50, int) for port in stimulus(COMPONENTS[name](), 0)}
    done = [run(netlist, part, period_ns=PERIOD).energy for part in (idle, stimulus(COMPONENTS[name](), 0))]
    assert 0 < done[0].leakage < done[0].total
    assert done[0].internal == done[0].switching == 0
    assert done[1].internal > 0 < done[1].switching


def test_a_planted_bug_is_seen(cache: Path) -> None:
    component = COMPONENTS["accumulate"]
    netlist = synthesise(component(), toy(), name="accumulate", period_ns=PERIOD, cache=cache)
    adders = np.flatnonzero(netlist.type == netlist.types.index("FA"))
    for adder in adders[::5]:
        inputs = netlist.inputs.copy()
        inputs[netlist.input_start[adder] + 2] = LOW
        assert not agrees(replace(netlist, inputs=inputs), component(), 1)

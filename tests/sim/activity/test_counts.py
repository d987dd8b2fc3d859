"""What is counted: by batches, without taps, of constant inputs, and by the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from lutra.cli import main
from lutra_model.activity import load
from lutra_model.fit import arrays
from lutra_model.netfile import save
from lutra_model.program import compile_network
from lutra_sim.compiled import build
from lutra_sim.network import simulate
from tests.sim.activity.machines import LOOKUP, MAC, images, network


def test_inputs_count_alike_in_one_batch_and_alone() -> None:
    net, machine = network("lut-nn", 3), build(LOOKUP, activity=True)
    x, program = images(net, 3, 3), compile_network(net, LOOKUP)
    machine.load(program)
    alone = sum(machine.run(program, x[number:number + 1]).toggles for number in range(3))
    np.testing.assert_array_equal(machine.run(program, x).toggles, alone)


def test_a_machine_without_taps_counts_nothing() -> None:
    net = network("lut-nn", 4)
    run = simulate(net, images(net, 1, 4), {"lut-nn": LOOKUP}, threads=1)
    assert [item.activity.ports for item in run.activity] == [{}, {}]


def test_constant_inputs_toggle_nothing_that_is_gathered() -> None:
    net = network("int8", 5)
    run = simulate(net, np.full((1, *net.input_shape), 7, np.int8), {"int8": MAC}, activity=True, threads=1)
    rates = run.activity[1].activity.rates
    assert rates["gather"] == 0
    assert rates["fill"] > 0


def test_the_command_writes_what_the_machine_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = network("int8", 6)
    x = images(net, 2, 6)
    save(net, tmp_path / "net.lutra")
    np.save(tmp_path / "x.npy", x)
    assert main(["simulate", f"{tmp_path}/net.lutra", "--array", "8x4", "--input", f"{tmp_path}/x.npy", "--activity",
                 f"{tmp_path}/net.json", "--json"]) == 0
    found, run = load(tmp_path / "net.json"), simulate(net, x, arrays(net, rows=8, columns=4), activity=True)
    assert found == run.network_activity(net.name)
    assert json.loads(capsys.readouterr().out)["toggles"] == found.toggles

"""Toggles that the compiled machines count, against waveforms."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lutra_model.activity import PORTS
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine, build
from lutra_sim.generated import generate
from lutra_sim.library import library
from lutra_sim.taps import Taps
from tests.sim.activity.machines import LOOKUP, MAC, images, network
from tests.sim.test_engines import ARRAYS


def waveform(path: Path) -> tuple[dict[str, str], dict[str, list[tuple[int, int]]]]:
    """Codes of all signals of a VCD by their full name, and what becomes of each code: times and values."""
    head, _, body = path.read_text().partition("$enddefinitions")
    scopes, names = list[str](), dict[str, str]()
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            names[".".join([*scopes, words[4]])] = words[3]
    changes, time = dict[str, list[tuple[int, int]]](), 0
    for line in body.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif found := re.fullmatch(r"b([01]+) (\S+)|([01])(\S+)", line):
            changes.setdefault(found[2] or found[4], []).append((time, int(found[1] or found[3], 2)))
    return names, changes


def sampled(changes: list[tuple[int, int]], cycles: int) -> list[int]:
    """A signal's value in each cycle, before its rising edge: cycle ``n`` lasts from ``2 n`` on."""
    values, value, rest = list[int](), 0, list(changes)
    for cycle in range(cycles):
        while rest and rest[0][0] <= 2 * cycle:
            value = rest.pop(0)[1]
        values.append(value)
    return values


def from_waveform(path: Path, taps: Taps, dones: list[int]) -> NDArray[np.int64]:
    """Bits and toggles of each port in each operation, counted signal by signal and cycle by cycle."""
    names, changes = waveform(path)
    by_name = {name.removeprefix("TOP."): code for name, code in names.items()}
    counts, cycles = np.zeros((len(dones), len(PORTS), 2), np.int64), dones[-1] + 1

    def values(module: str, signal: str) -> list[int]:
        return sampled(changes.get(by_name[f"{module}.{signal}"], []), cycles)

    for port, tap, gates, late in taps.found:
        data, place = values(tap.module, tap.signal), list(PORTS).index(port)
        enabled = [values(gate.module, gate.signal) for gate, _ in gates]
        before: int | None = None
        for cycle in range(cycles):
            if cycle < late or not all(found[cycle - late] >> bit & 1
                                       for found, (_, bit) in zip(enabled, gates, strict=True)):
                continue
            if before is not None:
                operation = next(number for number, done in enumerate(dones) if cycle <= done)
                counts[operation, place] += [tap.width, (data[cycle] ^ before).bit_count()]
            before = data[cycle]
    return counts


def hold_against_a_waveform(array: Array, net: Network, x: NDArray[np.int8], folder: Path) -> NDArray[np.int64]:
    """One input on a machine that counts, and on one that writes what all its signals do; the counts."""
    verilog = generate(array)
    program, taps = compile_network(net, array), Taps(verilog, array)
    counting, tracing = build(array, activity=True), CompiledMachine(library(verilog, trace="vcd"), array)
    for machine in (counting, tracing):
        machine.load(program)
    run, path = counting.run(program, x), folder / "run.vcd"
    with tracing.tracing(path, 0, run.dones[0, -1]):
        tracing.run(program, x)
    np.testing.assert_array_equal(run.toggles, from_waveform(path, taps, run.dones[0].tolist()))
    return run.toggles


@pytest.mark.parametrize("scheme", ["lut-nn", "int8"])
def test_toggles_are_those_of_a_waveform(scheme: str, tmp_path: Path) -> None:
    net = network(scheme, 2)
    assert hold_against_a_waveform({"lut-nn": LOOKUP, "int8": MAC}[scheme], net, images(net, 1, 2), tmp_path).any()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["mac-w1-8x2", "sign-flip-4x3", "lut-tc-w3-4x4", "lut-tc-rows-2x2", "dln-row-4x3",
                                  "dln-column-4x3", "vec-lut-g4-2x3"])
def test_toggles_of_every_engine_are_those_of_a_waveform(name: str, seed: int, tmp_path: Path) -> None:
    case = random_case(ARRAYS[name], seed)
    hold_against_a_waveform(case.array, case.network, case.inputs[:1], tmp_path)

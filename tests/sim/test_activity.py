"""Toggles that the compiled machines count, against words in the order of their issue, and against waveforms."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lutra.cli import main
from lutra_model import golden
from lutra_model.activity import PORTS, load, toggled
from lutra_model.codings import Nearest
from lutra_model.fit import arrays
from lutra_model.netfile import save
from lutra_model.network import Network, Product, Window
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine, build
from lutra_sim.generated import generate
from lutra_sim.library import library
from lutra_sim.network import simulate
from lutra_sim.taps import Taps
from tests.coded import coded
from tests.sim.test_engines import ARRAYS

SIZES = {"columns": 4, "block_rows": 24, "activation_words": 512, "table_words": 512, "program_words": 512}
LOOKUP = Array(rows=4, encoders=2, length=9, entries=8, codebooks=8, index_words=48, codebook_words=256, **SIZES)
MAC = Array.mac(rows=8, encoders=4, codebooks=32, index_words=128, **SIZES)
Naive = Callable[[Network, NDArray[np.int8]], int]
COLUMNS = 6
CHANNELS = {"lut-nn": 3, "int8": 12}


def network(scheme: str, seed: int) -> Network:
    """One convolution of 5 x 6 pixels, 3 x 3 or 1 x 1, so that blocks, tiles of rows and of columns are ragged."""
    rng, lookup = np.random.default_rng(seed), scheme == "lut-nn"
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1)) if lookup else Window(kernel=(1, 1))
    product = Product(
        name="product", inputs=("input",), scale=1.0, reduction=27 if lookup else 12, window=window,
        table=rng.integers(-128, 128, (3, 8, COLUMNS) if lookup else (12, 1, COLUMNS), np.int8),
        coding=coded(rng.integers(-128, 128, (3, 8, 9), np.int8) if lookup else None),
        bias=rng.integers(-500, 500, COLUMNS), multiplier=rng.integers(2**15, 2**16, COLUMNS),
        shift=np.full(COLUMNS, 18 if lookup else 25), table_scale=np.ones(COLUMNS))
    return Network(name=scheme, input_shape=(5, 6, CHANNELS[scheme]), input_scale=1.0, nodes=(product,))


def images(net: Network, count: int, seed: int) -> NDArray[np.int8]:
    return np.random.default_rng((seed, 1)).integers(-128, 128, (count, *net.input_shape), np.int8)


def packed(values: Iterable[int], bits: int) -> int:
    """One word of values of so many bits, the first lowest."""
    return sum((value % 2**bits) << bits * place for place, value in enumerate(values))


def issued(net: Network, array: Array) -> Iterator[tuple[int, int, int]]:
    """Column tile, row tile and activation row in the order in which the walker issues them."""
    product, start = compile_network(net, array).operations[1], 0
    for size in product.block_sizes:
        for column in range(product.column_tiles):
            for tile in range(product.row_tiles):
                for row in range(start, start + size):
                    yield column, tile, row
        start += size


def lookup_terms(net: Network, image: NDArray[np.int8]) -> int:
    """Toggles of what cells hand to adder trees: an entry of each of four codebooks, or zeros, in four columns."""
    (node,) = net.products
    pixels = golden.windows(image[None], node.window).T.astype(np.int64)
    assert isinstance(node.coding, Nearest)
    centroids = node.coding.centroids.astype(np.int64)
    indices = [[int(np.argmin(((row[9 * book:9 * book + 9] - centroids[book])**2).sum(axis=1))) for book in range(3)]
               for row in pixels]

    def term(column: int, book: int, row: int) -> int:
        return int(node.table[book, indices[row][book], column]) if book < 3 and column < COLUMNS else 0

    columns = [[packed((term(4 * tile + number, 4 * group + place, row) for place in range(4)), 8)
                for tile, group, row in issued(net, LOOKUP)] for number in range(4)]
    return sum(map(toggled, columns))


def mac_operands(net: Network, image: NDArray[np.int8]) -> int:
    """Toggles of activations at the multipliers: eight channels of a pixel, or zeros."""
    pixels = image.reshape(-1, 12)
    return toggled(packed((int(pixels[row][channel]) if channel < 12 else 0
                           for channel in range(8 * tile, 8 * tile + 8)), 8) for _, tile, row in issued(net, MAC))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("scheme", "port", "naive"), [("lut-nn", "adds.terms", lookup_terms),
                                                       ("int8", "cells.operands", mac_operands)])
def test_toggles_are_those_of_words_in_order_of_issue(scheme: str, port: str, naive: Naive, seed: int) -> None:
    net = network(scheme, seed)
    x = images(net, 3, seed)
    run = simulate(net, x, {"lut-nn": LOOKUP, "int8": MAC}, activity=True, threads=1)
    assert run.bit_exact
    assert run.cycles_exact
    (product,) = (item for item in run.activity if item.kind == "product")
    assert product.activity.ports[port][1] == sum(naive(net, image) for image in x)


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

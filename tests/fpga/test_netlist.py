"""The machine after synthesis for the ECP5 passes what the machine before synthesis passes: same bits, same cycles."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra import embedded
from lutra_hw.board.boards import BOARDS, Board
from lutra_hw.board.fit import network_array
from lutra_model.params import Array, Metric
from lutra_sim import tools
from lutra_sim.cases import random_case
from lutra_sim.compiled import CompiledMachine
from lutra_sim.fpga import build_netlist, netlist
from lutra_sim.fpga.netlist import cell_models
from lutra_sim.library import library
from lutra_sim.network import simulate

MEMORIES = {"codebooks": 64, "block_rows": 32, "index_words": 256, "activation_words": 1024, "table_words": 512,
            "codebook_words": 256, "program_words": 512}
TINY = Array(rows=2, columns=2, encoders=1, length=2, entries=2, lanes=2, **MEMORIES)
SMALL = Array(rows=4, columns=4, encoders=2, length=3, entries=4, lanes=4, **MEMORIES)


def check(machine: CompiledMachine, array: Array, seeds: range) -> None:
    """Random networks one after the other on one machine, every second with stalls."""
    for seed in seeds:
        case = random_case(array, seed, stalls=seed % 2 == 1)
        machine.load(case.program)
        done = machine.run(case.program, case.inputs, activation_period=case.activation_period,
                           table_period=case.table_period, stalls=case.stalls)
        assert done.outputs.tolist() == case.expected.tolist(), case
        if case.stalls is None:
            assert done.cycles == case.latency.cycles, case


def test_a_tiny_netlist_equals_golden() -> None:
    """Squares in logic, products in multipliers, a memory in block RAM: every kind of cell is in it."""
    text = netlist(TINY)
    cells = set(re.findall(r"^  ([A-Z]\w+) ", text, re.MULTILINE))
    assert cells >= {"DP16KD", "MULT18X18D", "CCU2C", "TRELLIS_DPR16X4"}
    check(build_netlist(TINY), TINY, range(30))


def races(models: str, folder: Path) -> list[str]:
    """What Verilator says of registers of the cells that change before others have sampled them."""
    modules = re.findall(r"^module (\w+)(.*?)^endmodule", models, re.MULTILINE | re.DOTALL)
    clocked = [name for name, body in modules if "@(posedge" in body]
    assert {"TRELLIS_FF", "TRELLIS_DPR16X4", "DP16KD"} <= {*clocked}
    every = ["module every;", *(f"{name} a_{name}();" for name in clocked), "endmodule"]
    (folder / "cells.v").write_text("\n".join([models, *every]))
    lint = [tools.verilator(), "--lint-only", "--no-timing", "-Wno-lint", "-Wwarn-BLKSEQ", "--top-module", "every"]
    done = subprocess.run([*lint, "cells.v"], cwd=folder, env=tools.environment(), capture_output=True, text=True)
    return [line for line in done.stderr.splitlines() if line.startswith("%")]


def test_no_cell_changes_before_others_sample_it(tmp_path: Path) -> None:
    """Else a flip-flop behind a block RAM may take the word that the RAM reads at the same edge."""
    models = cell_models()
    assert races(models, tmp_path) == []
    planted = models.replace("read_b <=", "read_b =")
    assert planted != models
    first, end = races(planted, tmp_path)
    assert "Blocking assignment" in first
    assert "1 warning(s)" in end


@pytest.mark.slow
@pytest.mark.parametrize("array", [SMALL, replace(SMALL, metric=Metric.L1), replace(SMALL, metric=Metric.CHEBYSHEV),
                                   Array.mac(rows=4, columns=4, lanes=4, **MEMORIES)],
                         ids=["l2", "l1", "chebyshev", "mac"])
def test_small_netlists_equal_golden(array: Array) -> None:
    check(build_netlist(array), array, range(40))


ENGINES = {
    "tree": replace(SMALL, metric=Metric.TREE),
    "lut-tc": Array(engine="lut-tc", rows=2, columns=2, encoders=1, length=4, entries=2, lanes=4, **MEMORIES),
    "dln-row": Array(engine="dln-row", rows=4, columns=2, encoders=2, length=1, entries=4, weight_levels=8, **MEMORIES),
    "dln-column": Array(engine="dln-column", rows=4, columns=2, encoders=2, length=1, entries=4, weight_levels=8,
                        **MEMORIES),
    "vec-lut": Array(engine="vec-lut", rows=2, columns=2, encoders=1, length=3, entries=1, **MEMORIES),
    "int4": Array.mac(rows=4, columns=2, weight_bits=4, **MEMORIES),
    "sign-flip": Array(engine="sign-flip", rows=4, columns=2, encoders=2, length=1, entries=1, **MEMORIES),
    "functions": Array.mac(rows=2, columns=2, functions=3, **MEMORIES),
}


@pytest.mark.slow
@pytest.mark.parametrize("array", ENGINES.values(), ids=ENGINES)
def test_every_engines_netlist_equals_golden(array: Array) -> None:
    check(build_netlist(array), array, range(20))


@pytest.mark.slow
@pytest.mark.parametrize("board", [BOARDS["ulx3s-85f"], BOARDS["ulx3s-25f"]], ids=lambda board: board.name)
def test_the_boards_netlist_equals_golden(board: Board) -> None:
    """Of the two default arrays, with squares where the bitstream has them."""
    check(build_netlist(board.array, multipliers=board.square_multipliers), board.array, range(12))


@pytest.mark.slow
def test_wrong_cells_are_seen(tmp_path: Path) -> None:
    """The squarers' rows as another function: distances that are wrong, but not so far that nothing runs."""
    text = netlist(TINY)
    planted = re.sub(r"(INIT[01])\(16'h7888\)", r"\1(16'h0880)", text)
    assert planted != text
    with pytest.raises(AssertionError):
        check(CompiledMachine(library(planted, cache=tmp_path), TINY), TINY, range(30))


@pytest.mark.slow
def test_a_whole_network_after_synthesis() -> None:
    """CIFAR-10's ResNet-8 by trees over windows on one machine of the 85F, image to logits."""
    board, network = BOARDS["ulx3s-85f"], embedded.network("cifar10-resnet8-maddness-windows")
    array = network_array(board, network, rows=8, columns=8, encoders=8, word=8, stores=4, run=4, pool=4,
                          block_rows=512, index_words=512)
    machine = build_netlist(array, multipliers=board.square_multipliers)
    images = np.random.default_rng(5).integers(0, 256, (2, *network.input_shape), dtype=np.uint8)
    found = simulate(network, images, {"lut-dla": array}, machines=[{"lut-dla": machine}]).as_dict()
    assert found["bit_exact"]
    assert found["cycles_exact"]

"""lutra_sim.gates.liberty and what it is read with: expressions, tables, wires."""

import gzip
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from lutra_sim.gates import liberty
from lutra_sim.gates.behaviour import Behaviour
from lutra_sim.gates.cell import Kind
from lutra_sim.gates.choice import Choice, lean
from lutra_sim.gates.expression import evaluate, names
from lutra_sim.gates.lookup import Tables
from lutra_sim.gates.tables import Table
from tests.sim.gates.circuits import TOY, toy

TEXT = TOY.read_text()


def written(folder: Path, text: str, name: str = "cells.lib") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_library() -> None:
    library = toy()
    assert (library.name, library.voltage, library.temperature, library.corner) == ("toy", 2.0, 25.0, "")
    assert list(library) == ["INV", "BUF", "NAND2", "XOR2", "FA", "DFF", "GATE", "LATCH", "LATCHN"]
    assert library.units.time_ns == pytest.approx(1e-3)
    assert library.units.energy_fj == pytest.approx(1)
    assert [library[name].kind for name in ("FA", "DFF", "GATE", "LATCH")] == [
        Kind.LOGIC, Kind.FLIP_FLOP, Kind.LATCH, Kind.LATCH]
    nand = library["NAND2"]
    assert (nand.area, nand.inputs, nand.outputs, nand.pins["B"].capacitance) == (2, ["A", "B"], ["Y"], 2)
    assert [arc.related for arc in nand.pins["Y"].arcs] == ["A", "B"]


def test_a_cell_in_its_states() -> None:
    flop = Behaviour.of(toy()["DFF"])  # states: D, CK, then what is kept
    assert flop.outputs[0].tolist() == [False] * 4 + [True] * 4
    assert flop.next.tolist() == [False, True] * 4
    assert (flop.clock, flop.rising, flop.initial) == (1, True, 0)
    inverter = Behaviour.of(toy()["INV"])
    assert inverter.leakage.tolist() == [1, 3]
    xor = Behaviour.of(toy()["XOR2"])
    conditional, default = (xor.delays[number][2].tables["cell_rise"].values[0, 0] for number in (0, 1))
    assert (conditional, default) == (pytest.approx(0.03), pytest.approx(0.01))
    assert xor.delay_arc[0, 0].tolist() == [1, 1, 0, 0]


def test_what_synthesis_chooses() -> None:
    choice = Choice.of(toy())
    assert choice.logic == ("INV", "BUF", "NAND2", "XOR2")
    assert (choice.flip_flop, choice.clock_gate, choice.inverter) == ("DFF", "GATE", "INV")
    assert choice.latches == ("LATCHN", "LATCH")
    assert choice.full_adder is not None
    assert (choice.full_adder.sum_inverted, choice.full_adder.carry_inverted) == (True, False)
    text = lean(toy(), choice)
    assert "internal_power" not in text
    assert "leakage_power ()" not in text
    assert text.count("cell (") == 9
    assert text.count('related_pin : "B"') == 1 + 1 + 2  # NAND2, XOR2 and both outputs of FA, each by itself


def test_several_files_are_one_library(tmp_path: Path) -> None:
    start = TEXT.index("  cell (FA)")
    head = TEXT[:TEXT.index("  cell (INV)")]
    first = written(tmp_path, TEXT[:start] + "}", "first.lib")
    second = tmp_path / "second.lib.gz"
    second.write_bytes(gzip.compress((head + TEXT[start:]).encode()))
    library = liberty.read([first, second])
    assert set(library) == set(toy())
    assert [source.file for source in library.sources] == ["first.lib", "second.lib.gz"]
    assert library["FA"].pins["A"].capacitance == 2
    other = written(tmp_path, head.replace("1ps", "1ns") + TEXT[start:], "other.lib")
    with pytest.raises(ValueError, match=r"^files of one cell library must have the same units: .*other.lib do not$"):
        liberty.read([first, other])


@pytest.mark.parametrize(("old", "new", "message"), [
    ("library (toy)", "book (toy)", "must be a Liberty file, with `library .*, not one without the first"),
    ("cell (", "sell (", "must be a Liberty file, with .* and `cell .*, not one without the second"),
    ('time_unit : "1ps";', "", "the library's units must be given: time_unit is missing"),
    ("capacitive_load_unit (1, ff);", "", "the library's units must be given: capacitive_load_unit is missing"),
    ('"1nW"', '"1 horse"', "the library's units must be given: must be a number and a unit of W, not '1 horse'"),
    ("nom_voltage : 2.0;", "", "the library must give its voltage, nom_voltage or operating_conditions"),
])
def test_bad_files_are_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.replace(old, new))
    with pytest.raises(ValueError, match=f"^{path}:? {message}$"):
        liberty.read([path])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^the cell library .*none.lib cannot be read .No such file or directory.$"):
        liberty.read([tmp_path / "none.lib"])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(TEXT.encode())[:-20])
    with pytest.raises(ValueError, match=r"^the cell library .*cut.gz is a damaged gzip file"):
        liberty.read([tmp_path / "cut.gz"])
    with pytest.raises(ValueError, match=r"^a cell library must be one Liberty file at least, not none$"):
        liberty.read([])
    with pytest.raises(ValueError, match=r"^the library toy has no cell MUX$"):
        toy()["MUX"]
    cut = written(tmp_path, TEXT[:TEXT.index("  cell (BUF)") - 30])
    with pytest.raises(ValueError, match=r"^cell .INV. in a Liberty file must go on with an attribute, not"):
        liberty.read([cut])["INV"]


@pytest.mark.parametrize(("text", "reference"), [
    ("!A", lambda a, b, c: not a),
    ("A B + C'", lambda a, b, c: (a and b) or not c),
    ("!(A ^ B) | (C * !A)", lambda a, b, c: a == b or (c and not a)),
    ("A & B ^ C | 0", lambda a, b, c: a and (b != c)),
    ("(A && B)' + (A || C) 1", lambda a, b, c: not (a and b) or a or c),
])
def test_expressions(text: str, reference: object) -> None:
    cases = np.array(list(product([False, True], repeat=3)))
    found = evaluate(text, dict(zip("ABC", cases.T, strict=True)))
    assert found.tolist() == [bool(reference(*case)) for case in cases]  # type: ignore[operator]
    assert names(text) <= set("ABC")


@pytest.mark.parametrize(("text", "message"), [
    ("A &", "a Boolean expression must not end here: 'A &'"),
    ("(A", r"a Boolean expression must close what it opens: '\(A'"),
    ("A) B", r"a Boolean expression must end before '\)': 'A\) B'"),
    ("A & X", "a Boolean expression must read pins of the cell, not 'X': 'A & X'"),
    ("A ? B", r"a Boolean expression cannot hold '\? B': 'A \? B'"),
])
def test_bad_expressions_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        evaluate(text, {name: np.zeros(2, bool) for name in "AB"})


@pytest.mark.parametrize("seed", range(4))
def test_tables_are_bilinear_and_go_on_beyond_their_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables, made = Tables(), []
    for rows, columns in ((1, 1), (3, 4), (7, 1), (1, 5), (2, 2)):
        slews, loads = (np.sort(rng.uniform(0, 10, size)) for size in (rows, columns))
        a, b, c = rng.normal(size=3)
        flat = (1 if rows > 1 else 0) * a * slews[:, None] + (1 if columns > 1 else 0) * b * loads + c
        made.append((Table(slews, loads, flat), a * (rows > 1), b * (columns > 1), c))
    numbers = np.array([tables.add(table) for table, *_ in made])
    assert tables.add(made[2][0]) == numbers[2]
    slews, loads = rng.uniform(-5, 20, (2, len(made)))
    expected = [a * slew + b * load + c for (_, a, b, c), slew, load in zip(made, slews, loads, strict=True)]
    np.testing.assert_allclose(tables.look_up(numbers, slews, loads), expected, rtol=1e-9, atol=1e-9)
    assert tables.look_up(np.array([-1]), np.zeros(1), np.zeros(1)).tolist() == [0]


def test_a_table_between_its_points() -> None:
    tables = Tables()
    number = tables.add(Table(np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0]), np.array([[0.0, 4], [1, 1], [5, 9]])))
    assert tables.look_up(np.full(3, number), np.array([0.5, 2, 3]), np.array([1.0, 0.5, 4])).tolist() == [1.5, 3.5, 13]


def test_wires() -> None:
    wires = toy().wire_load("long")
    assert wires.capacitance_ff(np.array([0, 1, 2, 4])).tolist() == [0, 1, 2, 6]
    assert toy().wire_load().capacitance_ff(np.array([0, 1, 9])).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match=r"^the wire load must be one of long, not short$"):
        toy().wire_load("short")

"""model.uncertainty and model.alternatives, against technology files that were edited by hand."""

import json
from collections.abc import Callable
from importlib.resources import files
from itertools import product as combinations
from typing import Any

import pytest

from lutra_model.alternatives import DRAMS, MEMORIES, alternatives, with_dram, with_memory
from lutra_model.energy import Bill, ratio_range
from lutra_model.entries import MACROS
from lutra_model.params import Array, Layer
from lutra_model.runs import Design, Run, run
from lutra_model.sram import sram_entries
from lutra_model.technology import NAMES, Technology, builtin, parse
from lutra_model.uncertainty import forms, overall, tornado
from lutra_model.workloads import Work

WORK = Work(name="product", width=50, channels=72, output=True,
            layer=Layer(name="product", rows=50, codebooks=8, columns=40))
LOOKUP = run(Design("lookup", Array(activation_words=4096)), [WORK])
MAC = run(Design("int8", Array.mac(activation_words=4096)), [WORK])
OWN = {"encoder.add": "add", "cells.mux": "mux"}  # prices of one component


def raw(name: str) -> dict[str, Any]:
    """A technology's file, with prices of single components, one of which follows the data."""
    data = json.loads((files("lutra_model") / "technologies" / f"{name}.json").read_text(encoding="utf-8"))
    for own, entry in OWN.items():
        data["entries"][own] = data["entries"][entry] | {"uncertainty": 0.11}
    data["entries"]["encoder.add"]["activity"] = {"idle": 0.25 * data["entries"]["add"]["value"], "rate": 0.4}
    return dict(data)


def edited(name: str, constant: str, factor: Callable[[dict[str, Any]], float]) -> Technology:
    """The file with the entries of one name multiplied, those of single components, too."""
    data = raw(name)
    for entry, item in data["entries"].items():
        if entry.split(".")[-1] == constant:
            by = factor(item)
            item["value"] = ([[size, by * price] for size, price in item["value"]] if constant in MACROS
                             else by * item["value"])
            if "activity" in item:
                item["activity"]["idle"] *= by
    return parse(json.dumps(data), name)


def times(name: str, constant: str, factor: float) -> Technology:
    return edited(name, constant, lambda item: factor)


def priced(of: Run, on_chip: bool) -> Callable[[Technology], Bill]:
    return lambda technology: of.priced(technology).bill.on_chip if on_chip else of.priced(technology).bill


def ratio(technology: Technology, on_chip: bool) -> float:
    return priced(MAC, on_chip)(technology).picojoules / priced(LOOKUP, on_chip)(technology).picojoules


@pytest.mark.parametrize("on_chip", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_tornado_is_that_of_edited_files(name: str, on_chip: bool) -> None:
    own = parse(json.dumps(raw(name)), name)
    found = {item.name: item for item in tornado(priced(MAC, on_chip), priced(LOOKUP, on_chip), own)}
    for constant in {entry.split(".")[-1] for entry in own.entries}:
        doubled = times(name, constant, 2)
        bills = [priced(of, on_chip) for of in (MAC, LOOKUP)]
        moves = any(bill(doubled).picojoules != pytest.approx(bill(own).picojoules, rel=1e-11) for bill in bills)
        assert moves == (constant in found), constant
        if moves:
            low = ratio(edited(name, constant, lambda item: 1 - item["uncertainty"]), on_chip)
            high = ratio(edited(name, constant, lambda item: 1 + item["uncertainty"]), on_chip)
            assert (found[constant].low, found[constant].high) == pytest.approx((low, high), rel=1e-12)
            assert found[constant].flips == (min(low, high) <= 1 <= max(low, high))
    swings = [item.swing for item in found.values()]
    assert swings == sorted(swings, reverse=True)


@pytest.mark.parametrize("on_chip", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_flip_factor_makes_both_sides_equal(name: str, on_chip: bool) -> None:
    found = tornado(priced(MAC, on_chip), priced(LOOKUP, on_chip), parse(json.dumps(raw(name)), name))
    assert any(item.flip for item in found)
    for item in found:
        if item.flip is not None:
            assert ratio(times(name, item.name, item.flip), on_chip) == pytest.approx(1, rel=1e-9)
            continue
        sides = {ratio(times(name, item.name, factor), on_chip) > 1 for factor in (1e-6, 1e-2, 1, 1e2, 1e6)}
        assert len(sides) == 1, item.name


def test_a_constant_that_turns_the_verdict_within_its_uncertainty_says_so() -> None:
    found = tornado(priced(MAC, False), priced(LOOKUP, False), builtin("horowitz-45"))
    name, flip = next((item.name, item.flip) for item in found if item.flip and 0.02 < item.flip < 1.98)
    for share, flips in [(1.01, True), (0.99, False)]:
        data = raw("horowitz-45")
        data["entries"][name]["uncertainty"] = share * abs(flip - 1)
        again = tornado(priced(MAC, False), priced(LOOKUP, False), parse(json.dumps(data), "horowitz-45"))
        assert next(item for item in again if item.name == name).flips == flips


def test_overall_is_the_widest_of_all_combinations() -> None:
    naive, ranges = {}, {}
    for name, memory, dram in combinations(NAMES, MEMORIES, ("own", *DRAMS)):
        form = with_dram(with_memory(builtin(name), memory), dram)
        naive[name, memory, dram] = ratio_range(priced(MAC, False)(form), priced(LOOKUP, False)(form))
    for name in NAMES:
        ranges |= {form: ratio_range(priced(MAC, False)(technology), priced(LOOKUP, False)(technology))
                   for form, technology in forms(builtin(name)).items()}
    found = overall(ranges)
    assert found.low == min(low for low, _ in naive.values()) == naive[found.low_at][0]
    assert found.high == max(high for _, high in naive.values()) == naive[found.high_at][1]


@pytest.mark.parametrize("name", NAMES)
def test_small_memories_of_registers_cost_gates(name: str) -> None:
    technology, other = builtin(name), with_memory(builtin(name), "registers")
    for words in (1, 16, 64):
        assert other.price("sram_read", words=words) == pytest.approx(63 * technology.price("mux"), rel=1e-12)
        assert other.price("sram_write", words=words) == pytest.approx(technology.price("register"), rel=1e-12)
    for words in (65, 100, 784, 4096, 10**6):
        for entry in MACROS:
            assert other.price(entry, words=words) == pytest.approx(technology.price(entry, words=words), rel=1e-3)


def test_memories_by_cacti_are_those_of_the_node() -> None:
    technology = builtin("nangate45-gates")
    other, cacti = with_memory(technology, "cacti-lstp"), sram_entries(45)
    assert {name: other.entries[name] for name in cacti} == cacti
    assert {name for name, entry in other.entries.items() if entry != technology.entries[name]} <= set(cacti)


def test_the_own_form_comes_first_and_unknown_nodes_have_no_cacti() -> None:
    technology = builtin("tpuv4i-7")
    found = alternatives(technology)
    assert next(iter(found.items())) == (("own", "own"), technology)
    assert len(found) == len(MEMORIES) * (1 + len(DRAMS))
    nowhere = Technology("nowhere", "nowhere", "none", technology.entries)
    assert {memory for memory, _ in alternatives(nowhere)} == {"own", "registers"}
    with pytest.raises(ValueError, match=r"^technology nowhere must say its node_nm to have memories by CACTI$"):
        with_memory(nowhere, "cacti-lstp")

"""reports.report: verdict, cycles, accuracy and energies, and that they agree with each other."""

import json
from importlib.resources import files
from typing import Any

import pytest

from lutra_model import fit, golden
from lutra_model.latency import network_latency
from lutra_model.params import Metric
from lutra_model.program import compile_network
from lutra_model.technology import Technology, parse
from lutra_reports.report import Report
from lutra_reports.words import sentences
from tests.reports.report.tiny import ACCURACY, IMAGES, LABELS, LOOKUP, Machines, made


def test_a_report_holds_verdict_cycles_accuracy_and_energies(machines: Machines) -> None:
    data = made().data
    assert machines.seen == [2, 2]
    assert data["bit_exact"] is True
    array = fit.lookup_array(LOOKUP)
    operations = compile_network(LOOKUP, array).operations
    assert data["cycles"]["predicted"] == data["cycles"]["simulated"] == network_latency(operations, array).cycles
    assert sum(data["causes"].values()) == data["cycles"]["predicted"]
    assert {name: data["accuracy"][name] for name in ACCURACY} == ACCURACY
    labelled = golden.classify(LOOKUP, IMAGES) == LABELS
    assert data["accuracy"]["images"]["golden"] == pytest.approx(labelled.mean())
    assert [layer["name"] for layer in data["layers"]] == ["input", "first", "second", "last"]
    assert data["equivalent_macs"] == 36 * 9 * 8 + 36 * 72 * 4 + 144 * 3
    for designs in data["energy"].values():
        assert {"lookup", "int8", "fp16", "fp32", "int8_least_energy", "int8_same_cells"} <= set(designs)
        for design in designs.values():
            assert sum(design["components_pj"].values()) == pytest.approx(design["total"]["pj"], rel=1e-4)
            assert design["total"]["low_pj"] < design["total"]["pj"] < design["total"]["high_pj"]


def test_ratios_are_those_of_the_energies(report: Report) -> None:
    data = report.data
    for technology, ratios in data["ratios"].items():
        designs = data["energy"][technology]
        for name, found in ratios.items():
            for which in ("total", "on_chip"):
                expected = designs[name][which]["pj"] / designs["lookup"][which]["pj"]
                assert found[which]["ratio"] == pytest.approx(expected, rel=1e-4)
                assert found[which]["low"] <= found[which]["ratio"] <= found[which]["high"]


def test_layers_add_up_to_the_network(report: Report) -> None:
    data = report.data
    assert sum(layer["cycles"] for layer in data["layers"]) == data["energy"]["tpuv4i-7"]["lookup"]["cycles"]
    for layer in data["layers"]:
        assert sum(layer["causes"].values()) == layer["cycles"] == layer["rtl"]["predicted"]
        assert 0 <= layer["cell_utilisation"] <= layer["causes"]["lookup"] / layer["cycles"]
    for technology, designs in data["energy"].items():
        total = sum(layer["energy"][technology]["lookup_pj"] for layer in data["layers"])
        assert total == pytest.approx(designs["lookup"]["total"]["pj"], rel=1e-4)


def test_the_networks_own_encoder_is_among_the_others(report: Report) -> None:
    data = report.data
    encoders = data["arrays"]["lut-nn"]["encoders"]
    own = [item for item in data["encoders"] if (item["metric"], item["encoders"]) == ("l2", encoders)]
    assert len(own) == 1
    assert len(data["encoders"]) == len(Metric) * len({4, encoders, 16})
    assert own[0]["cycles"] == data["cycles"]["predicted"]
    for technology, found in own[0]["technologies"].items():
        assert found == data["ratios"][technology]["int8"]["on_chip"]


def technology(name: str, **entries: dict[str, Any]) -> Technology:
    """The technology with changed entries; an entry's own fields stay where they are not given."""
    data = json.loads((files("lutra_model") / "technologies" / f"{name}.json").read_text(encoding="utf-8"))
    for entry, change in entries.items():
        data["entries"][entry.replace("__", ".")] = data["entries"][entry.partition("__")[2] or entry] | change
    return parse(json.dumps(data), name)


def test_energies_follow_the_data_of_both_networks(machines: Machines) -> None:
    """Prices at the rates that were counted (a quarter, a fifth), put into the file by hand, make the same energies."""
    add, multiply = 0.003125, 0.2
    follows = technology("horowitz-45", encoder__add={"activity": {"idle": 0.2 * add, "rate": 0.5}},
                         cells__mux={"activity": {"idle": 0.0, "rate": 0.1}},
                         cells__multiply={"activity": {"idle": 0.1 * multiply, "rate": 0.4}})
    lookup = technology("horowitz-45", encoder__add={"value": (0.2 + 0.8 * 0.1 / 0.5) * add},
                        cells__mux={"value": 0.00086 * 0.25 / 0.1})
    mac = technology("horowitz-45", cells__multiply={"value": (0.1 + 0.9 * 0.2 / 0.4) * multiply})
    found = made(technologies=[follows]).data
    edited = {"lookup": made(technologies=[lookup]).data, "int8_same_cells": made(technologies=[mac]).data}
    default = made(technologies=[technology("horowitz-45")]).data
    moved = found["moved"]["horowitz-45"]
    assert sorted(moved["entries"]) == ["cells.multiply", "cells.mux", "encoder.add"]
    for design, other in edited.items():
        here, now, before = (item["energy"]["horowitz-45"][design]["on_chip"]["pj"] for item in (found, other, default))
        assert here == pytest.approx(now, rel=1e-5)
        assert moved["designs"][design]["default_pj"] == pytest.approx(before, rel=1e-5)
        assert moved["designs"][design]["pj"] == pytest.approx(now, rel=1e-5)
        assert now != pytest.approx(before, rel=1e-3)
    now, before = (item["ratios"]["horowitz-45"]["int8_same_cells"]["on_chip"]["ratio"] for item in (found, default))
    assert moved["ratios"]["int8_same_cells"] == pytest.approx({"default": before, "ratio": now}, rel=1e-5)
    assert "instead of" in " ".join(sentences(found))
    assert "No price of horowitz-45 follows the data." in " ".join(sentences(default))


def test_overall_holds_every_technologys_own_range(report: Report) -> None:
    data = report.data
    for technology, ratios in data["ratios"].items():
        for name, found in ratios.items():
            for which in ("total", "on_chip"):
                overall = data["overall"]["ratios"][name][which]
                assert overall["low"] <= found[which]["low"]
                assert overall["high"] >= found[which]["high"]
        for name, design in data["energy"][technology].items():
            for which in ("total", "on_chip"):
                overall = data["overall"]["energy_pj"][name][which]
                assert overall["low"] <= design[which]["low_pj"] < design[which]["high_pj"] <= overall["high"]

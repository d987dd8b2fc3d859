"""Inputs for others' tools: what they say, and what Lutra counts at the same prices."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lutra_model import peers, technology
from lutra_model.workloads import resnet18

WORKS = peers.products(resnet18())
FILES = {tool: make(WORKS, peers.REFERENCE, peers.COMMON) for tool, make in peers.TOOLS.items()}


def test_every_tool_is_told_of_every_product() -> None:
    rows = list(csv.reader(FILES["scale-sim"]["topology.csv"].splitlines()))[1:]
    assert len(rows) == FILES["zigzag"]["workload.yaml"].count("- id:") == 21
    assert FILES["accelforge"]["workload.yaml"].count("- einsum:") == 21
    shapes = [tuple(int(number) for number in row[1:4]) for row in rows]
    assert sum(m * n * k for m, n, k in shapes) == sum(work.macs for work in WORKS)
    assert [row[0] for row in rows] == [work.name for work in WORKS]


def test_memories_are_those_of_the_array() -> None:
    configuration = FILES["scale-sim"]["scale.cfg"]
    assert "IfmapSramSzkB = 128\nFilterSramSzkB = 64\nOfmapSramSzkB = 64\n" in configuration
    for tool, file, sizes in [("zigzag", "accelerator.yaml", "size: {}\n"), ("accelforge", "arch.yaml", "size: {}\n")]:
        for kilobytes in (128, 64, 64):
            assert sizes.format(kilobytes * 8192) in FILES[tool][file]


def test_prices_are_in_the_units_of_each_tool() -> None:
    forge, zigzag = FILES["accelforge"]["arch.yaml"], FILES["zigzag"]["accelerator.yaml"]
    assert "- {name: compute, energy: 3e-13, throughput: 1e+09}" in forge  # joules, of a second
    assert "- {name: read, energy: 8e-12, throughput: 1.28e+11}" in forge  # a bit; bits of a second
    assert "unit_energy: 0.3\n" in zigzag  # picojoules
    assert "r_cost: 1024\n" in zigzag  # 128 bits


def test_windows_with_strides_and_few_channels() -> None:
    zigzag, forge = FILES["zigzag"], FILES["accelforge"]["workload.yaml"]
    assert "loop_sizes: [1, 64, 3, 112, 112, 7, 7]\n  pr_loop_dims: [IX, IY]\n  pr_loop_sizes: [224, 224]\n" \
        "  padding: [[3, 3], [3, 3]]" in zigzag["workload.yaml"]
    assert "    D1:\n      - C, 3\n      - FX, 7\n    D2:\n      - K, 32\n" in zigzag["mapping.yaml"]
    assert '"T0[p0, q0, m0] = I0[c0, H: p0 * 2 + r0, W: q0 * 2 + s0] * W0[r0, s0, c0, m0]"' in forge
    assert '"T20[p20, q20, m20] = I20[c20, H: p20 * 1, W: q20 * 1] * W20[c20, m20]"' in forge


def test_groups_are_products_of_their_own() -> None:
    grouped = [replace(WORKS[1], groups=3)]
    assert peers.TOOLS["scale-sim"](grouped, peers.REFERENCE, peers.COMMON)["topology.csv"].count("layer1") == 3
    assert peers.TOOLS["zigzag"](grouped, peers.REFERENCE, peers.COMMON)["workload.yaml"].count("- id:") == 3


def test_counts_at_common_prices() -> None:
    found = peers.counted(WORKS)
    assert found["parts"]["products"] == pytest.approx(544.2, abs=0.05)
    assert sum(found["parts"].values()) == pytest.approx(found["microjoules"])
    assert sum(layer["cycles"] for layer in found["layers"].values()) == found["cycles"]


def test_prices_of_a_technology() -> None:
    prices = peers.prices_of(technology.builtin("horowitz-45"), peers.REFERENCE)
    assert prices.mac == pytest.approx(0.3)  # as in the common table: 0.2 and 0.1
    assert prices.input_read > prices.sum_read > 0


def test_a_workload_without_products_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a workload must have a product with weights for others' tools to run$"):
        peers.products([work for work in resnet18() if not work.layer])


PUBLISHED = json.loads((Path(__file__).parents[2] / "reports/published/peers.json").read_text())


def test_published_comparison_is_what_we_count() -> None:
    """Between the tools in energy (2.49 to 2.75 mJ), below all in cycles: they wait for memory outside the chip."""
    found, tools = peers.counted(WORKS), PUBLISHED["tools"]
    assert PUBLISHED["machine"] == found["array"]
    assert PUBLISHED["prices"] == found["prices"]
    assert 2491 <= found["microjoules"] <= 2697
    assert 1.772e6 < found["cycles"] < min(tool["cycles"] for tool in tools.values())
    for name in ("accelforge", "zigzag, deeper"):
        parts = tools[name]["parts"]
        assert found["parts"]["products"] == pytest.approx(parts["products"], rel=1e-3)
        assert found["parts"]["sums"] == pytest.approx(parts["sums"], rel=0.06)
        assert found["parts"]["dram"] == pytest.approx(parts["dram"], rel=0.08)
        assert found["parts"]["inputs"] == pytest.approx(parts["inputs"], rel=0.31)  # theirs is written once


def test_published_layers_agree() -> None:
    found = peers.counted(WORKS)["layers"]
    for name, layer in PUBLISHED["layers"].items():
        assert found[name]["microjoules"] == pytest.approx(layer["zigzag, deeper"]["microjoules"], rel=0.6)
    close = [name for name, layer in PUBLISHED["layers"].items()
             if found[name]["microjoules"] == pytest.approx(layer["zigzag, deeper"]["microjoules"], rel=0.03)]
    assert len(close) >= 15
    assert sum(layer["scale-sim"]["cycles"] for layer in PUBLISHED["layers"].values()) == \
        PUBLISHED["tools"]["scale-sim"]["cycles"]

"""lutra estimate: exact cycles, every design, and energies that follow the data."""

import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import pytest

from lutra import Array, Layer, network_latency
from lutra.cli import main
from lutra_model.activity import Activity, NetworkActivity, OperationActivity
from lutra_model.tiling import product
from tests.answers import answered, refused


def test_estimate_gives_exact_cycles_and_every_design(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "estimate", "--product", "40x36x20", "--array", "4x8", "--encoders", "2",
                     "--technology", "horowitz-45")
    layer = Layer(name="product", rows=40, codebooks=4, columns=20)
    array = Array(rows=4, columns=8, encoders=2)
    assert found["cycles"] == network_latency([product(layer, 36, array, to_stream=True)], array).cycles
    assert sum(found["causes"].values()) == found["cycles"]
    (row,) = found["layers"]
    assert row["cell_utilisation"] == pytest.approx(40 * 4 * 20 / (32 * found["cycles"]))
    assert set(found["energy"]) == {"horowitz-45"}
    assert set(found["energy"]["horowitz-45"]) == {"lookup", "int8", "fp16", "fp32"}
    for design in found["energy"]["horowitz-45"].values():
        assert sum(design["components_pj"].values()) == pytest.approx(design["energy_pj"])


def activity_file(path: Path, engine: str, **rates: float) -> str:
    """What the data of a network's only operation do to components."""
    ports = {"encoder": "encoder.data", "cells": "cells.symbols", "accumulators": "accumulators.sums"}
    counts = {ports[component]: (10**6, round(10**6 * rate)) for component, rate in rates.items()}
    path.write_text(json.dumps(NetworkActivity("net", 1, (
        OperationActivity("op", "op", "product", engine, Activity(counts)),)).as_dict()))
    return str(path)


def test_estimate_follows_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each side as a technology whose prices were moved by hand, along the line from idle to the measured rate."""
    rates = {"lookup": {"encoder": 0.03, "accumulators": 0.5}, "mac": {"cells": 0.02, "accumulators": 0.1}}
    raw = json.loads((files("lutra_model") / "technologies" / "nangate45-gates.json").read_text(encoding="utf-8"))
    one = ("estimate", "--product", "40x36x20", "--array", "4x8", "--encoders", "2", "--technology")
    own, twin = (activity_file(tmp_path / engine, engine, **found) for engine, found in rates.items())
    found = answered(capsys, *one, "nangate45-gates", "--activity", own, "--int8-activity", twin)
    for design, moved in [("lookup", rates["lookup"]), ("int8", rates["mac"])]:
        data = deepcopy(raw)
        for name, entry in data["entries"].items():
            line, component = entry.get("activity"), name.split(".")[-2:-1]
            if line and component and component[0] in moved:
                entry["value"] = line["idle"] + (entry["value"] - line["idle"]) * moved[component[0]] / line["rate"]
                del entry["activity"]
        (tmp_path / "moved.json").write_text(json.dumps(data))
        edited, default = (answered(capsys, *one, name) for name in (f"{tmp_path}/moved.json", "nangate45-gates"))
        energies = [item["energy"]["nangate45-gates"][design] for item in (found, edited, default)]
        if design == "lookup":  # a MAC array may be chosen anew
            assert energies[0]["energy_pj"] == pytest.approx(energies[1]["energy_pj"], rel=1e-9)
        assert energies[0]["energy_pj"] != pytest.approx(energies[2]["energy_pj"], rel=1e-3)
    overall, designs = found["overall"]["ratios"]["int8"]["total"], found["energy"]["nangate45-gates"]
    assert overall["low"] < designs["int8"]["energy_pj"] / designs["lookup"]["energy_pj"] < overall["high"]


def test_estimate_refuses_an_activity_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text("{}")
    assert refused(capsys, "estimate", "--activity", f"{tmp_path}/a") == (
        f"{tmp_path}/a: format must be lutra-activity-1, not null")


def test_estimate_follows_streams_and_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    one = ("estimate", "--product", "40x36x20", "--array", "8x8", "--technology", "horowitz-45")
    resident, streamed = (answered(capsys, *one, *how) for how in (
        ["--resident"], ["--stream", "--table-period", "5"]))
    assert resident["causes"]["stream"] == 0 < streamed["causes"]["stream"]
    assert resident["cycles"] < streamed["cycles"]
    chosen = [answered(capsys, *one, "--encoders", str(count))["cycles"] for count in (1, 2, 4, 8)]
    assert resident["cycles"] == next(cycles for cycles in chosen if cycles <= 1.03 * min(chosen))
    with pytest.raises(SystemExit):
        main([*one, "--encoders", "many"])
    assert "argument --encoders: must be auto or a number, not many" in capsys.readouterr().err


def test_a_network_of_other_engines_does_not_gather(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "estimate", "fashion-resnet8-int8", "--gather") == (
        "network fashion-resnet8-int8 must have a layer for an engine that gathers (lookup), it has mac")


def test_estimate_gathers_and_speeds_up_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    one = ("estimate", "--product", "1x360x200", "--array", "8x8", "--resident", "--technology", "horowitz-45",
           "--encoders", "2", "--metric", "tree")
    plain, gathered, fast = (answered(capsys, *one, *how)["cycles"] for how in (
        [], ["--gather"], ["--gather", "--encoder-clock", "3"]))
    assert plain > 2 * gathered > 2 * fast
    assert refused(capsys, *one, "--encoder-clock", "0") == "encoder_clock must be at least 1, not 0"

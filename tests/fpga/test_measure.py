"""lutra_sim.fpga.measure: the file of points, with measurements that are told; the places."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lutra_model.footprint import FORMAT, parsed, points
from lutra_model.params import Metric
from lutra_sim.fpga import DoesNotFit, measure
from lutra_sim.fpga.places import ENCODERS, PLACES, Place, named

NAMES = [place.name for place in PLACES]


class Tools:
    """Measures in no time: Fmax is the number of measurements before. Some fail."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.too_large: set[str] = set()
        self.interrupted = ""

    def measure(self, place: Place, cache: Path) -> dict[str, Any]:
        if place.name == self.interrupted:
            raise KeyboardInterrupt
        if place.name in self.too_large:
            raise DoesNotFit("needs more than there is")
        self.made.append(place.name)
        return {"board": place.board, "array": asdict(place.array), "fmax_mhz": len(self.made), "part": "",
                "family": "", "cells": {}}

    def encoder(self, metric: Metric, length: int, cache: Path) -> int:
        return 100 * length + len(self.made)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    made = Tools()
    monkeypatch.setattr(measure, "measure", made.measure)
    monkeypatch.setattr(measure, "encoder", made.encoder)
    monkeypatch.setattr(measure, "versions", lambda: {"yosys": "1"})
    return made


def record(file: Path, only: str = "") -> dict[str, Any]:
    measure.Record(file).measure(only, file.parent, lambda text: None)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_every_place_has_a_name_of_its_own() -> None:
    assert len({*NAMES}) == len(PLACES)
    assert {"ulx3s-25f lut-tc W2 8x4", "ulx3s-25f lut-tc W1 8x4"} <= {*NAMES}


def test_every_place_has_a_point_that_comes_with_lutra() -> None:
    assert [named(point.board, asdict(point.array)) for point in points()] == NAMES


def test_all_of_it_is_measured_in_order(tools: Tools, tmp_path: Path) -> None:
    data = record(tmp_path / "points.json")
    assert tools.made == NAMES
    assert [point["fmax_mhz"] for point in data["points"]] == list(range(1, len(PLACES) + 1))
    assert data["encoders"] == {f"{metric} {length}": 100 * length for metric, length in ENCODERS}
    assert data["format"] == FORMAT
    assert [(parsed(point).array, parsed(point).held_out) for point in data["points"]] == [
        (place.array, place.held_out) for place in PLACES]


def test_what_was_measured_before_an_interruption_is_in_the_file(tools: Tools, tmp_path: Path) -> None:
    tools.interrupted = NAMES[3]
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / "points.json")
    assert len(json.loads((tmp_path / "points.json").read_text())["points"]) == 3


def test_the_others_stay(tools: Tools, tmp_path: Path) -> None:
    before = record(tmp_path / "points.json")
    again = [name for name in NAMES if "25f mac" in name]
    tools.made.clear()
    after = record(tmp_path / "points.json", "25f mac")
    assert tools.made == again
    assert after["encoders"] == before["encoders"]
    for name, old, new in zip(NAMES, before["points"], after["points"], strict=True):
        assert (old == new) == (name not in again or old["fmax_mhz"] == new["fmax_mhz"])
    assert record(tmp_path / "points.json", "encoder l2 9")["encoders"]["l2 9"] == 900 + len(again)


def test_what_does_not_fit_is_left_out(tools: Tools, tmp_path: Path) -> None:
    record(tmp_path / "points.json")
    tools.too_large = {NAMES[0]}
    assert len(record(tmp_path / "points.json")["points"]) == len(PLACES) - 1


def test_points_of_other_tools_do_not_stay(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path / "points.json")
    monkeypatch.setattr(measure, "versions", lambda: {"yosys": "2"})
    data = record(tmp_path / "points.json", NAMES[1])
    assert (len(data["points"]), data["tools"], data["encoders"]) == (1, {"yosys": "2"}, {})


def test_a_file_of_something_else_is_not_overwritten(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / "points.json").write_text('{"format": "another"}')
    with pytest.raises(ValueError, match=rf"^{tmp_path}/points.json: format must be {FORMAT}, not \"another\"$"):
        record(tmp_path / "points.json")

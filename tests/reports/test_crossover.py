"""Crossovers: baselines held against a search by hand, regions where lookup loses, reproducible figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from lutra.cli import main
from lutra_model import families
from lutra_model.energy import ratio_range
from lutra_model.probe import in_scheme
from lutra_model.runs import Priced
from lutra_model.schemes import SCHEMES, Options, scheme_of
from lutra_model.technology import builtin
from lutra_reports import crossover, crossover_figures

TECHNOLOGIES = [builtin("horowitz-45"), builtin("tpuv4i-7")]
VALUES = {"rows": (1, 256), "columns": (16, 1024), "bits": (1, 4), "group": (2, 4, 9)}


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """All axes, with few points."""
    return made()


def made(**options: Any) -> dict[str, Any]:
    return crossover.make(**{"technologies": TECHNOLOGIES, "cells": (8, 8), "base": (128, 64, 128), "values": VALUES,
                             **options})


def each(data: dict[str, Any]) -> list[tuple[str, int, str, str, dict[str, Any]]]:
    return [(axis, point["x"], scheme, technology, found) for axis, swept in data["axes"].items()
            for point in swept["points"] for scheme, by_technology in point["schemes"].items()
            for technology, found in by_technology.items()]


def test_narrow_layers_are_bound_by_the_encoder_and_shaded() -> None:
    narrow, wide = 16, 1024
    swept = made(schemes=["lut-nn"], axes=["columns"], cells=(16, 16), base=(256, 576, 256),
                 values={"columns": (narrow, wide)})
    found = {(x, technology): item["on_chip"] for _, x, _, technology, item in each(swept)}
    assert found[narrow, "horowitz-45"]["winner"] == "mac"
    for technology in TECHNOLOGIES:
        assert found[wide, technology.name]["winner"] == "lookup"
        assert found[wide, technology.name]["ratio"] > 2 * found[narrow, technology.name]["ratio"]
    winners = [found[x, "horowitz-45"]["winner"] for x in (narrow, wide)]
    assert crossover_figures.spans((narrow, wide), winners, "mac") == [(narrow, 128)]


def test_spans_reach_half_way_and_join() -> None:
    assert crossover_figures.spans((1, 4, 16, 64), ("mac", "mac", "open", "mac"), "mac") == [(1, 8), (32, 64)]
    assert crossover_figures.spans((1, 4, 16, 64), ("mac", "mac", "open", "mac"), "open") == [(8, 32)]
    assert crossover_figures.spans((1, 4), ("lookup", "lookup"), "mac") == []


def test_ratios_are_those_of_the_energies(data: dict[str, Any]) -> None:
    assert len(each(data)) > 10
    for *_, found in each(data):
        for which in ("total", "on_chip"):
            ratio, own, other = found[which], found["lookup"][which], found["baseline"][which]
            assert ratio["ratio"] == pytest.approx(other[0] / own[0], rel=1e-4)
            assert own[1] < own[0] < own[2]
            low, high = ratio["low"], ratio["high"]
            assert ratio["winner"] == ("lookup" if low > 1 else "mac" if high < 1 else "open")
        if found["equal_area"]:
            assert found["equal_area"]["area_um2"] <= found["lookup_quick"]["area_um2"]
        if found["baseline"]["as_fast"]:
            assert found["baseline"]["cycles"] <= found["lookup"]["cycles"]


def every_rival(x: int, weight_levels: int) -> list[Priced]:
    """Every multiplying machine of the family whose weights are fine enough, one after the other."""
    point = crossover.Point(x, 64, 128, Options())
    found: list[Priced] = []
    for scheme in SCHEMES:
        works, probes = in_scheme(point.works, scheme)
        if scheme_of(scheme).baseline and probes[0].weight_levels >= weight_levels:
            found += [run.priced(TECHNOLOGIES[0])
                      for run in families.members(scheme, works, probes, families.family())]
    return found


def check_baseline(data: dict[str, Any], x: int) -> None:
    """The baseline of lut-nn at equal throughput, against a search by hand."""
    (found,) = [item for axis, at, scheme, name, item in each(data)
                if (axis, at, scheme, name) == ("rows", x, "lut-nn", "horowitz-45")]
    rivals = every_rival(x, 256)
    fast = [item for item in rivals if item.run.cycles <= found["lookup"]["cycles"]]
    smallest = min(item.run.design.array.cells for item in fast)
    least = min(item.bill.picojoules / item.run.macs for item in fast
                if item.run.design.array.cells == smallest)
    assert found["baseline"]["total"][0] == pytest.approx(least, rel=1e-5)
    assert found["baseline"]["scheme"] == "int8"


def test_the_baseline_is_the_best_of_its_family(data: dict[str, Any]) -> None:
    for x in VALUES["rows"]:
        check_baseline(data, x)


def test_a_planted_wrong_baseline_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def worst(lookup: Priced, fine: list[Priced]) -> Priced:
        return max(fine, key=lambda item: item.bill.picojoules)

    monkeypatch.setattr(crossover, "equal_throughput", worst)
    with pytest.raises(AssertionError):
        check_baseline(made(axes=["rows"]), 256)


def test_a_planted_wrong_energy_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = crossover._per_mac
    monkeypatch.setattr(crossover, "_per_mac", lambda bill, macs: [1.01 * value for value in honest(bill, macs)])
    wrong = made(axes=["rows"])
    with pytest.raises(AssertionError):
        check_baseline(wrong, 256)


def test_the_range_of_a_ratio_is_the_bills(data: dict[str, Any]) -> None:
    """The report's ranges are those of the bills, moved entry by entry."""
    point = crossover.Point(256, 64, 128, Options())
    sweep = crossover._Sweep((8, 8), TECHNOLOGIES[:1], 1)
    own = min((item.priced(TECHNOLOGIES[0]) for item in sweep.lookup(crossover.Form("lut-nn"), point)[0]),
              key=lambda item: item.bill.picojoules)
    best = families.equal_throughput(own, every_rival(256, 256))
    (found,) = [item for axis, at, scheme, name, item in each(data)
                if (axis, at, scheme, name) == ("rows", 256, "lut-nn", "horowitz-45")]
    assert (found["total"]["low"], found["total"]["high"]) == pytest.approx(ratio_range(best.bill, own.bill), rel=1e-4)


def test_longer_sub_vectors_need_less(data: dict[str, Any]) -> None:
    energies = [item["lookup"]["on_chip"][0] for axis, _, scheme, name, item in each(data)
                if (axis, scheme, name) == ("group", "lut-nn", "horowitz-45")]
    assert len(energies) == len(VALUES["group"])
    assert energies == sorted(energies, reverse=True)


def test_the_same_numbers_and_figures_at_every_run(data: dict[str, Any]) -> None:
    again = made()
    assert json.dumps(again) == json.dumps(data)
    first, second = crossover_figures.figures(data), crossover_figures.figures(again)
    assert {name: drawn.svg for name, drawn in first.items()} == {name: drawn.svg for name, drawn in second.items()}
    assert {"rows-energy", "rows-energy-on-chip", "rows-cycles", "columns-energy", "group-energy"} <= set(first)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossover, "AXES", crossover.AXES | {"columns": (16, 64)})
    options = ["--axes", "columns", "--schemes", "lut-nn", "--layer", "16x32x16", "--array", "4x4", "--output"]
    assert main(["crossover", *options, str(tmp_path)]) == 0
    assert "N, columns that share an index" in " ".join(capsys.readouterr().out.split())
    found = json.loads((tmp_path / "crossover.json").read_text())
    assert [point["x"] for point in found["axes"]["columns"]["points"]] == [16, 64]
    assert (tmp_path / "columns-energy.svg").is_file()


@pytest.mark.parametrize(("argv", "sentence"), [
    (["--axes", "depth"], "axis must be rows, columns, bits, group, not depth"),
    (["--schemes", "abacus"], "scheme must be {schemes}, not abacus"),
    (["--schemes", "int8"], "schemes must include one that looks up ({lookups})"),
    (["--batch", "0"], "batch must be at least 1, not 0"),
])
def test_mistakes_get_one_sentence(argv: list[str], sentence: str, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crossover", *argv, "--output", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    lookups = said.partition("(")[2].partition(")")[0]
    assert said.endswith(f"lutra: {sentence.format(schemes=', '.join(SCHEMES), lookups=lookups)}\n")
    assert not list(tmp_path.iterdir())

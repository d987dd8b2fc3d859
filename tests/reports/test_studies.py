"""Studies: exact anchors, provenance of every figure, the command, crossovers of synthetic curves."""

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from lutra.cli import main
from lutra_model.technology import builtin
from lutra_reports.studies import STUDIES, Found, Paper, Row, study
from lutra_reports.studies.base import STATUSES
from lutra_reports.studies.crossing import crossings, enough
from lutra_reports.studies.figlut import tree_additions
from lutra_reports.studies.measured import committed, parse, power_mw, recorded
from lutra_reports.studies.ternary import built

TECHNOLOGIES = [builtin("horowitz-45")]
SLOW = {"lut-dla"}
QUICK = [name for name in STUDIES if name not in SLOW]


@pytest.fixture(scope="module")
def found() -> dict[str, Found]:
    return {name: STUDIES[name].find(TECHNOLOGIES, committed(name)) for name in QUICK}


def row(found: Found, start: str) -> Row:
    matching = [item for item in found.rows if item.quantity.startswith(start)]
    assert len(matching) == 1, [item.quantity for item in found.rows]
    return matching[0]


def test_exact_anchors_of_lut_nn(found: dict[str, Found]) -> None:
    """Of a layer of 3136 x 576 x 64, V = 9, K = 16: the formulas of the authors' code, worked out by hand."""
    anchors = {"multiply-accumulates of the encoder": 28_901_376, "entries read and added": 12_845_056,
               "bytes of tables": 65_536}
    for start, value in anchors.items():
        item = row(found["lut-nn"], start)
        assert item.agrees
        assert dict(item.ours) == {"counted": value}
    for start, reduction in {"operations of GEMM over those of lookup, V = 2": 2048 / 560,
                             "operations of GEMM over those of lookup, V = 16": 2048 / 112}.items():
        assert row(found["lut-nn"], start).ours["counted"] == pytest.approx(reduction)
        assert row(found["lut-nn"], start).agrees


def test_exact_anchors_of_tables_built_online(found: dict[str, Found]) -> None:
    assert tree_additions(4) == (14, 24)
    assert [built(group) for group in (3, 4, 5)] == [(13, 13), (40, 40), (121, 121)]
    assert dict(row(found["ternary"], "additions that build a table, g = 5").ours) == {"counted": 121, "machine": 121}
    assert dict(row(found["lut-tc"], "times that every table is built, 4").ours) == {"counted": 3072}
    assert dict(row(found["figlut"], "additions that build").ours) == {"counted": 14}


@pytest.mark.parametrize("name", QUICK)
def test_every_exact_figure_comes_out(name: str, found: dict[str, Found]) -> None:
    for item in found[name].rows:
        assert item.agrees in (None, True), item.quantity


@pytest.mark.parametrize("name", QUICK)
def test_every_figure_has_source_status_and_reason(name: str, found: dict[str, Found]) -> None:
    assert found[name].rows
    assert found[name].answer
    for item in found[name].rows:
        assert item.ours, item.quantity
        assert len(item.why) > 10
        if item.paper:
            assert item.paper.status in STATUSES
            assert len(item.paper.place) > 5


def test_what_was_not_read_in_the_original_is_unverified(found: dict[str, Found]) -> None:
    assert {item.paper.status for item in found["dln"].rows if item.paper} == {"unverified"}
    assert row(found["nn-lut"], "area of a polynomial unit").paper.status == "unverified"  # type: ignore[union-attr]
    assert row(found["ternary"], "area of sign-flip over lookup, FP16").paper.status == "unverified"  # type: ignore[union-attr]
    assert row(found["lut-tc"], "energy of a one-bit product").paper.status == "published"  # type: ignore[union-attr]


def test_ratios_are_to_the_nearer_end_of_a_span() -> None:
    span = Paper(2.0, "table 1", high=4.0)
    assert [span.ratio(value) for value in (1.0, 2.0, 3.0, 4.0, 8.0)] == [0.5, 1.0, 1.0, 1.0, 2.0]
    assert Paper(2.0, "table 1").ratio(3.0) == 1.5


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"status": "true"}, r"^status must be one of published, unverified, not true$"),
    ({"place": " "}, r"^place must say where the figure stands$"),
    ({"high": 1.0}, r"^high must be at least 2.0, not 1.0$")])
def test_bad_figures_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Paper(**{"value": 2.0, "place": "table 1", **wrong})


def test_an_exact_figure_that_does_not_come_out_is_said() -> None:
    assert Row("x", "", {"counted": 1.234}, "rounded", Paper(1.23, "table 1"), digits=2).agrees
    assert Row("x", "", {"counted": 1.236}, "rounded", Paper(1.23, "table 1"), digits=2).agrees is False
    assert Row("x", "", {"counted": 1.236}, "not exact", Paper(1.23, "table 1")).agrees is None


def test_crossings_of_synthetic_curves() -> None:
    x = [4, 8, 16, 32, 64]
    assert crossings(x, [value**2 / 10 for value in x], x) == pytest.approx([10.0])  # power laws are straight here
    assert crossings(x, [1.0] * 5, [2.0] * 5) == []
    assert crossings(x, [1, 1, 2, 2, 1], [2, 1, 1, 1, 2]) == pytest.approx([8, 45.254834])
    assert crossings([4, 8], [1, 2], [2, 2]) == [8.0]


def test_how_many_must_share() -> None:
    assert enough((4, 14.0), (16, 26.0), 2.0) == pytest.approx((10.0, 1.0, 10.0))
    assert enough((4, 14.0), (16, 26.0), 1.0)[2] is None
    assert enough((4, 4.0), (16, 16.0), 3.0)[2] == 1.0


def test_unknown_study_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "alchemy"]) == 2
    assert capsys.readouterr().err == f"lutra: study must be one of {', '.join(STUDIES)}, not alchemy\n"
    with pytest.raises(ValueError, match="alchemy"):
        study("alchemy")


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["studies"]
    assert [item["name"] for item in listed] == list(STUDIES)
    assert all(item["title"] and item["source"] for item in listed)
    assert main(["study"]) == 0
    assert "FIGLUT" in capsys.readouterr().out


def test_a_library_needs_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--liberty", "x.lib"]) == 2
    assert capsys.readouterr().err.startswith("lutra: a study must be named, one of lut-tc,")


def test_a_library_for_a_study_that_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "lut-nn", "--liberty", "x.lib"]) == 2
    assert capsys.readouterr().err == ("lutra: the study lut-nn measures nothing at gate level, it takes no cell "
                                       "library\n")


def test_json_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "figlut", "--json", "--output", str(tmp_path)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "figlut.json").read_text()) == data
    assert set(data) == {"format", "name", "title", "source", "rows", "answer", "tables", "measured", "technologies",
                         "tools"}
    for item in data["rows"]:
        assert set(item) == {"quantity", "unit", "paper", "ours", "exact", "why"}
        assert all(set(value) == {"value", "basis", "ratio"} for value in item["ours"])
        assert item["paper"] is None or set(item["paper"]) == {"value", "high", "status", "place"}
    page = (tmp_path / "figlut.html").read_text()
    assert all(escape(item["quantity"]).replace("&#x27;", "&#39;") in page for item in data["rows"])
    assert "published" in page


def test_terminal_names_paper_status_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "nn-lut"]) == 0
    shown = capsys.readouterr().out
    assert "unverified" in shown
    assert "[1] Slopes, intercepts and 15 breakpoints." in shown
    assert "paper [1] [2]: arithmetic" in shown


@pytest.mark.parametrize(("text", "sentence"), [
    ("{", r"^p.json: line 1 must be JSON"),
    ('{"format": "x"}', r'^p.json: format must be lutra-study-1, not "x"$'),
    ('{"format": "lutra-study-1"}', r"^p.json: study is missing$")])
def test_bad_points_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(text, "p.json")


def test_recorded_blocks_are_read_by_name(tmp_path: Path) -> None:
    record = {"block": "function-unit", "engine": "mac", "array": {"rows": 2}, "cycles": 10, "period_ns": 2.0,
              "energy_pj": {"internal": 30.0, "clock": 10.0}, "area_um2": 5.0}
    other = {**record, "array": {"rows": 4}, "area_um2": 7.0}
    (tmp_path / "x.json").write_text(json.dumps({"library": {"name": "X"}, "measurements": [record, other]}))
    assert recorded("function-unit", tmp_path)["machine, X"]["area_um2"] == 5.0
    assert recorded("function-unit", tmp_path, rows=4, engine="mac")["machine, X"]["area_um2"] == 7.0
    assert recorded("function-unit", tmp_path, rows=8) == {}
    assert recorded("encoder", tmp_path) == {}
    assert power_mw(record) == 2.0


def test_all_studies_and_an_overview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("lutra_reports.studies.STUDIES", {name: STUDIES[name] for name in ("figlut", "nn-lut")})
    assert main(["study", "--json", "--output", str(tmp_path)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in data["studies"]] == ["figlut", "nn-lut"]
    names = {path.name for path in tmp_path.iterdir()}
    assert {"figlut.json", "nn-lut.html", "studies.md", "studies.svg", "studies.png"} <= names
    text = (tmp_path / "studies.md").read_text()
    assert all(item["quantity"] in text for study in data["studies"] for item in study["rows"])
    assert "*unverified*" in text

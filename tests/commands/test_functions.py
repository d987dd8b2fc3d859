"""lutra functions: errors of its tables, and lint."""

from dataclasses import replace
from pathlib import Path

import pytest

from lutra.cli import main
from lutra_model import function_makers
from lutra_model.netfile import save
from lutra_model.network import Network
from tests.answers import answered


def test_functions_tells_the_errors_of_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    data = answered(capsys, "functions", "--function", "tanh", "--train", "20")
    found = {(item["bits"], item["how"]): item for item in data["tables"]}
    assert {function["function"] for function in data["tables"]} == {"tanh"}
    assert found[16, "fitted"]["largest"] < 0.004 < found[16, "trained"]["largest"]
    assert data["relative_errors"]["1/x leading one"] < 4e-4
    assert main(["functions", "--function", "tanh"]) == 0
    assert "largest relative error" in capsys.readouterr().out
    assert found[16, "refitted"]["mean"] < found[16, "trained"]["mean"]


def test_functions_lints_the_tables_of_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = function_makers.row_softmax("shares", "input", input_scale=0.1)
    slopes = good.exponential.slopes.copy()
    slopes[3] = -1
    bad = replace(good, name="bent", exponential=replace(good.exponential, slopes=slopes))
    save(Network(name="two", input_shape=(4,), input_scale=1.0, nodes=(good, replace(bad, inputs=("shares",)))),
         tmp_path / "n.lutra")
    data = answered(capsys, "functions", "--lint", str(tmp_path / "n.lutra"))
    tables = {(item["node"], item["function"]): item["problems"] for item in data["tables"]}
    assert tables["shares", "exponential"] == tables["bent", "reciprocal"] == []
    assert "segment 3 falls in a function that only rises: its slope is -1" in tables["bent", "exponential"]
    assert data["problems"] == len(tables["bent", "exponential"])
    assert main(["functions", "--lint", str(tmp_path / "n.lutra")]) == 0
    assert "4 tables, " in capsys.readouterr().out

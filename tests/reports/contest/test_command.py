"""lutra compare: files, users' models, mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest

from lutra.cli import main
from lutra_model.schemes import SCHEMES
from tests.answers import answered


def test_the_command_writes_table_figure_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--layer", "8x16x8", "--array", "8x4", "--schemes", "lut-nn,int8", "--output", str(tmp_path)]
    data = answered(capsys, "compare", *options)
    assert json.loads((tmp_path / "compare.json").read_text()) == data
    assert (tmp_path / "compare.svg").read_bytes().startswith(b"<?xml")
    assert data["subject"]["statistics"].startswith("weights normal")
    earlier = (tmp_path / "compare.svg").read_bytes()
    assert main(["compare", *options]) == 0
    assert "int8" in capsys.readouterr().out
    assert (tmp_path / "compare.svg").read_bytes() == earlier


def test_a_users_model_is_judged_on_inputs_that_calibration_has_not_seen(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lutra_model.onelayer import OneLayer

    layer = OneLayer(4, 16, 8)
    (tmp_path / "m.onnx").write_bytes(layer.graph.model.SerializeToString())
    np.save(tmp_path / "x.npy", layer.activations(64))
    data = answered(capsys, "compare", f"{tmp_path}/m.onnx", "--calibration", f"{tmp_path}/x.npy", "--schemes", "int8",
                    "--array", "8x4")
    assert (data["subject"]["calibration_inputs"], data["subject"]["judged_on_inputs"]) == (48, 16)
    assert data["schemes"][0]["error"]["sqnr_db"] > 30


@pytest.mark.parametrize(("argv", "sentence"), [
    (["--layer", "8x8x8", "--schemes", "abacus"], "scheme must be {schemes}, not abacus"),
    (["--layer", "8x8x8", "--images", "0"], "images must be at least 1, not 0"),
    (["--layer", "8x8x8", "--batch", "0"], "images must be at least 1, not 0"),
    (["--layer", "8x8x8", "--seed", "-1"], "seed must be at least 0, not -1"),
    (["m.onnx"], "ONNX model m.onnx needs --calibration, typical inputs, to be converted"),
    (["--layer", "8x8x8", "--technology", "mine.json"],
     "technology file mine.json cannot be read: No such file or directory"),
])
def test_mistakes_get_one_sentence(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *argv]) == 2
    assert capsys.readouterr().err.endswith(f"lutra: {sentence.format(schemes=', '.join(SCHEMES))}\n")


@pytest.mark.parametrize(("argv", "sentence"), [
    (["--layer", "8x8"], "must be ROWSxREDUCTIONxCOLUMNS such as 64x64x64, not 8x8"),
    (["--bits", "9"], "must be numbers from 1 to 8 such as 2,4, not 9"),
    (["--workload", "vgg"], "invalid choice"),
])
def test_options_that_are_none(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *argv])
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err

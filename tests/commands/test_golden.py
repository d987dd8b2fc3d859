"""lutra golden, and what every command says of networks, inputs and arrays that are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra import embedded
from lutra.cli import main
from lutra_model import golden
from lutra_model.netfile import load, save
from tests.answers import answered, refused

IMAGES, LABELS = embedded.test_set()


def test_golden_runs_on_a_users_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", IMAGES[:5])
    found = answered(capsys, "golden", "--input", f"{tmp_path}/x.npy", "--output", f"{tmp_path}/y.npy")
    network = embedded.network()
    expected = golden.run(network, IMAGES[:5])[network.nodes[-1].name]
    assert (np.load(tmp_path / "y.npy") == expected).all()
    assert found["classes"] == expected.argmax(axis=1).tolist()


def test_embedded_accuracy_is_near_that_of_the_full_test_set(capsys: pytest.CaptureFixture[str]) -> None:
    correct = answered(capsys, "golden")["correct"] / len(LABELS)
    measured = embedded.accuracy()["golden"]
    deviation = (measured * (1 - measured) / len(LABELS))**0.5
    assert abs(correct - measured) < 4 * deviation


def test_a_network_called_like_the_default_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = f"{tmp_path}/other.lutra"
    save(replace(embedded.network("fashion-resnet8-int8"), name=embedded.DEFAULT), other)
    assert "accuracy" not in answered(capsys, "info", other)
    assert answered(capsys, "info", embedded.DEFAULT)["accuracy"] == answered(capsys, "info")["accuracy"]
    assert refused(capsys, "report", other, "--output", f"{tmp_path}/out") == (
        f"network {other} needs both --input and --labels to be reported on")


def test_network_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "golden", f"{tmp_path}/none")
    assert said.startswith("network must be a network file or one of ")
    assert said.endswith(f", not {tmp_path}/none")
    assert " fashion-resnet8, " in said
    (tmp_path / "text").write_text("not a network")
    assert refused(capsys, "golden", f"{tmp_path}/text").startswith(
        f"{tmp_path}/text must be a whole Lutra network file, but it cannot be read: ")
    (tmp_path / "cut").write_bytes(embedded.path("fashion-resnet8.lutra").read_bytes()[:-1])
    assert refused(capsys, "simulate", f"{tmp_path}/cut").startswith(
        f"{tmp_path}/cut must be a whole Lutra network file, but it cannot be read: ")


def test_input_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "shape.npy", IMAGES[:2, :27])
    np.save(tmp_path / "kind.npy", IMAGES[:2].astype(np.int16))
    np.save(tmp_path / "nan.npy", np.full((1, 28, 28, 1), np.nan))
    (tmp_path / "junk.npy").write_text("junk")
    for command in ("golden", "simulate"):
        assert refused(capsys, command, "--input", f"{tmp_path}/none.npy") == (
            f"array file {tmp_path}/none.npy must exist")
        assert refused(capsys, command, "--input", f"{tmp_path}/shape.npy") == (
            "input of network fashion-resnet8 must have shape (batch, 28, 28, 1), not (2, 27, 28, 1)")
        assert refused(capsys, command, "--input", f"{tmp_path}/kind.npy") == (
            "input of network fashion-resnet8 must be int8, a uint8 image or floating point, not int16")
        assert refused(capsys, command, "--input", f"{tmp_path}/nan.npy") == (
            "input of network fashion-resnet8 must be finite, but it holds NaN or infinity")
        assert refused(capsys, command, "--input", f"{tmp_path}/junk.npy").startswith(
            f"{tmp_path}/junk.npy must be a NumPy .npy or .npz file without objects: ")


def test_array_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["verilog", "--array", "0x4"])
    assert stopped.value.code == 2
    assert "must be ROWSxCOLUMNS such as 16x16, not 0x4" in capsys.readouterr().err
    assert refused(capsys, "verilog", "--encoders", "0") == "encoders must be at least 1, not 0"


def test_a_full_disk_keeps_the_earlier_file(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "y.npy"
    target.write_text("earlier")

    def full(file: object, array: object) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(np, "save", full)
    assert refused(capsys, "golden", "--output", str(target)) == f"{target}: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["y.npy"]
    assert target.read_text() == "earlier"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["golden", "--output"], ["export", "--onnx"], ["verilog", "--array", "2x2", "--output"]):
        assert refused(capsys, *argv, f"{tmp_path}/none/file") == f"{tmp_path}/none/file: No such file or directory"


def test_save_replaces_a_network_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "n.lutra"
    save(embedded.network(), path)
    assert path.read_bytes() == embedded.path("fashion-resnet8.lutra").read_bytes()
    assert load(path).name == "fashion-resnet8"

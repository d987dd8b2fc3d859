"""lutra train: from data to networks and scores, resumed, refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lutra import cli
from lutra.train import recipes
from lutra.train.data import Data, load
from lutra.train.loop import Schedule, fit
from lutra_model import golden, netfile
from tests.train.networks import striped


def lutra(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_a_tiny_recipe_runs_from_data_to_files_and_is_not_run_twice(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    striped(tmp_path / "data", 256)
    recipe = recipes.RECIPES["fashion-resnet8"]
    few = {name: recipe.variants[name] for name in ("int8", "lut-dla-l1")}
    monkeypatch.setitem(recipes.RECIPES, recipe.name, replace(recipe, variants=few))
    arguments = ["train", recipe.name, "--tiny", "--json", "--data", tmp_path / "data", "--output", tmp_path / "out"]
    assert lutra(*arguments) == 0
    found, folder = json.loads(capsys.readouterr().out), tmp_path / "out" / "fashion-resnet8-tiny-1"
    data = load("fashion-mnist", tmp_path / "data").first(256, 64)
    for name, schemes in (("int8", {"int8"}), ("lut-dla-l1", {"lut-dla"})):
        net = netfile.load(folder / f"fashion-resnet8-{name}.lutra")
        assert {node.scheme for node in net.products} == schemes
        right = np.mean(golden.classify(net, data.test) == data.test_wanted)
        assert found["variants"][name]["golden"] == 100 * right
        assert net.provenance["command"] == f"lutra train fashion-resnet8 --variant {name} --seed 1"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.pt")}
    assert lutra(*arguments) == 0  # goes on from the checkpoints: nothing is left to train
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.pt")} == before
    assert json.loads(capsys.readouterr().out)["variants"] == found["variants"]
    name = next(name for name in few if few[name].stages)  # converted otherwise: its checkpoint is refused
    other = replace(few[name], options={**few[name].options, "entries": 8})
    monkeypatch.setitem(recipes.RECIPES, recipe.name, replace(recipe, variants={name: other}))
    assert lutra(*arguments) == 2
    assert f"{name}-1.pt must be of options " in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "message"), [
    (["cifar10-resnet8"], "data set cifar10 must lie in {data}/cifar10: run lutra fetch cifar10"),
    (["cifar10-resnet9"], "recipe must be {recipes}, not cifar10-resnet9"),
    (["cifar10-resnet8", "--variant", "x"], "variant of cifar10-resnet8 must be {variants}, not x"),
    (["cifar10-resnet8", "--device", "abacus"],
     "device must be one that PyTorch knows, such as cpu or cuda, "
     "not abacus"),
    (["cifar10-resnet8", "--threads", "0"], "threads must be at least 1, not 0"),
])
def test_mistakes_are_one_sentence(arguments: list[str], message: str, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    assert lutra("train", *arguments, "--data", tmp_path, "--output", tmp_path / "out") == 2
    wanted = message.format(data=tmp_path, recipes=", ".join(recipes.RECIPES),
                            variants=", ".join(recipes.RECIPES["cifar10-resnet8"].variants))
    assert capsys.readouterr().err == f"lutra: {wanted}\n"
    assert not (tmp_path / "out").exists()


def blobs() -> Data:
    """Two classes of points."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 64)
    points = (rng.standard_normal((64, 4)) + 3 * labels[:, None]).astype(np.float32)
    return Data(name="blobs", train=points, train_wanted=labels, test=points, test_wanted=labels)


def trained(path: Path, seed: int = 1, sick_after: int | None = None) -> torch.nn.Module:
    """Two epochs of four batches; after some of them the loss is no number."""
    torch.manual_seed(seed)
    data, net, calls = blobs(), torch.nn.Linear(4, 2), 0

    def loss(net: torch.nn.Module, x: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return data.task.loss(net(x), wanted) * (float("nan") if sick_after is not None and calls > sick_after else 1)

    fit(net, data, Schedule(epochs=2, rate=0.01, batch=16), loss, path, identity={"seed": seed})
    return net


def test_a_loss_that_is_no_number_stops_and_the_last_good_checkpoint_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with pytest.raises(ValueError, match=r"^the loss of net must be a number, not nan in epoch 2: lower the rate of "
                                         r"0\.01; .*net\.pt holds epoch 1$"):
        trained(path, sick_after=4)
    went_on, at_once = trained(path), trained(tmp_path / "whole.pt")
    assert all(torch.equal(one, other) for one, other in
               zip(went_on.parameters(), at_once.parameters(), strict=True))


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "net.pt", seed=1)
    with pytest.raises(ValueError, match=r"net\.pt must be of seed 2, not 1: remove it, or train in another folder$"):
        trained(tmp_path / "net.pt", seed=2)

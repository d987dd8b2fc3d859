"""A recipe's run: float training, conversion, fine-tuning, and the files that it leaves."""

from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from lutra_model import netfile, onnx_read
from lutra_model.convert import convert
from lutra_model.network import Network

from . import files, tune
from .datasets import Images, load
from .graph import Graph
from .loop import fit, pixels
from .recipes import Recipe
from .resnet import ResNet8, folded

__all__ = ["dense", "lookup", "run", "tuned"]


def dense(recipe: Recipe, data: Images, build: Path) -> ResNet8:
    """The trained float network, its batch norms folded."""
    torch.manual_seed(recipe.seed)
    net = ResNet8(data.train.shape[-1], len(data.classes)).to(memory_format=torch.channels_last)
    fit(net, data, recipe.dense, lambda net, x, labels: cross_entropy(net(x), labels), build / "float.pt",
        [{"params": list(net.parameters()), "lr": recipe.dense.rate}])
    return folded(net)


def _integers(recipe: Recipe, model: Path, data: Images, scheme: str) -> Network:
    graph = onnx_read.read(model)
    images = pixels(data.train[:recipe.calibration]).numpy()
    suffix = "" if scheme == "lut-nn" else f"-{scheme}"
    first = next(step.name for step in graph.steps if "input" in step.inputs)
    lengths = {first: recipe.stem} if scheme == "lut-nn" else None
    return convert(graph, images, scheme=scheme, lengths=lengths, seed=recipe.seed, classes=data.classes,
                   name=recipe.name + suffix, pixel_scale=1 / 255)


def lookup(recipe: Recipe, model: Path, data: Images, build: Path) -> Network:
    """The float network converted to lookup tables, without fine-tuning; a network in ``build`` is taken as it is."""
    path = build / "converted.lutra"
    if not path.exists():
        netfile.save(_integers(recipe, model, data, "lut-nn"), path)
    return netfile.load(path)


def tuned(recipe: Recipe, network: Network, teacher: ResNet8, data: Images, build: Path) -> Network:
    """The converted network after fine-tuning."""
    torch.manual_seed(recipe.seed)
    graph = Graph(network).eval()
    graph.soften(pixels(data.train[:min(64, recipe.calibration)]))
    fit(graph, data, recipe.tuned, tune.taught_by(teacher), build / "tuned.pt", tune.groups(graph, recipe.tuned))
    return graph.export()


def run(recipe: Recipe, folder: Path, build: Path, out: Path, command: str) -> dict[str, float]:
    """Do the whole recipe: data from ``folder``, checkpoints in ``build``, files into ``out``; the accuracies.

    What ``build`` already holds is not computed again.
    """
    data = load(recipe.data, folder)
    if recipe.limits:
        data = data.first(*recipe.limits)
    for path in (build, out):
        path.mkdir(parents=True, exist_ok=True)
    net = dense(recipe, data, build)
    model = out / f"{recipe.name}.onnx"
    files.save_onnx(net, data.train.shape[1:], model)
    files.save_test_images(data, out)
    provenance = {"recipe": recipe.name, "data": data.name, "seed": recipe.seed, "command": command}
    multiplying = _integers(recipe, model, data, "int8")
    network = tuned(recipe, lookup(recipe, model, data, build), net, data, build)
    for found in (multiplying, network):
        found.provenance.update(provenance)
        netfile.save(found, out / f"{found.name}.lutra")
    guesses = files.answers(model, network, multiplying, data)
    return files.save_accuracy(guesses, data, provenance, out / "accuracy.json")

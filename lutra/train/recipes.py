"""Named recipes, and the run that turns one into a network's files."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from . import files, tune
from .datasets import Images, load
from .graph import Graph, converted
from .loop import Schedule, fit, pixels
from .resnet import ResNet8, folded

__all__ = ["RECIPES", "Recipe", "run"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One network from data to files.

    Parameters
    ----------
    data : name of the data set.
    stem : sub-vector length of the first convolution.
    dense, tuned : schedules of the float training and of the fine-tuning.
    calibration : training images that scales, centroids and tables are fitted on.
    limits : images of the training and test set that are used at all, or None for the whole set.
    """

    name: str
    data: str
    stem: int
    dense: Schedule
    tuned: Schedule
    calibration: int = 1024
    limits: tuple[int, int] | None = None
    seed: int = 1

    def tiny(self) -> "Recipe":
        """The whole path on a few images in under a minute; its accuracy means nothing."""
        return replace(self, name=f"{self.name}-tiny", calibration=64, limits=(256, 64),
                       dense=replace(self.dense, epochs=1, batch=64), tuned=replace(self.tuned, epochs=1, batch=64))

    def lengths(self, net: ResNet8) -> dict[str, int]:
        """Sub-vector lengths: the nine taps of one channel, four channels of a 1x1 layer, ``stem`` of the first."""
        found = {}
        for step in net.steps:
            if isinstance(step.module, torch.nn.Conv2d | torch.nn.Linear):
                found[step.name] = 9 if getattr(step.module, "kernel_size", (1, 1)) == (3, 3) else 4
        return found | {"stem": self.stem}


RECIPES = {recipe.name: recipe for recipe in (
    Recipe(name="fashion-resnet8", data="fashion-mnist", stem=1,
           dense=Schedule(epochs=12, rate=0.008),
           tuned=Schedule(epochs=6, rate=0.0005, batch=64, decay=0.0, shift=None)),
    Recipe(name="cifar10-resnet8", data="cifar10", stem=3,
           dense=Schedule(epochs=60, rate=0.008, shift=4),
           tuned=Schedule(epochs=12, rate=0.0005, batch=64, decay=0.0, shift=None)),
)}


def _float(recipe: Recipe, data: Images, build: Path) -> ResNet8:
    torch.manual_seed(recipe.seed)
    net = ResNet8(data.train.shape[-1], len(data.classes)).to(memory_format=torch.channels_last)
    fit(net, data, recipe.dense, torch.nn.functional.cross_entropy, build / "float.pt", list(net.parameters()))
    return folded(net)


def _converted(recipe: Recipe, net: ResNet8, data: Images, dense: bool) -> Graph:
    torch.manual_seed(recipe.seed)
    images = pixels(data.train[:recipe.calibration])
    return converted(net, images, None if dense else recipe.lengths(net)).eval()

"""Named recipes: what a network is trained on, for how long, and into which lookup networks it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lutra_model.params import Metric

from .loop import Schedule

__all__ = ["RECIPES", "Recipe", "Stage", "Variant"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of training a converted network.

    Parameters
    ----------
    learns : patterns of the names of the parameters that learn (``centroids``, ``table``, ``bias``, ...).
    reconstruct : weight of the layers' own errors against the float layers, in the loss.
    """

    schedule: Schedule
    learns: tuple[str, ...] = ("*",)
    reconstruct: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One network of a recipe.

    Parameters
    ----------
    options : of `lutra_model.convert.convert`: ``scheme``, ``lengths``, ``bits``, ...
    stages : of training after that; none: conversion alone.
    claim : what the scheme's paper says of such a network.
    real : score the paper's equations in real arithmetic too, which takes minutes.
    """

    options: Mapping[str, Any]
    stages: tuple[Stage, ...] = ()
    claim: str = ""
    real: bool = False

    def tiny(self) -> "Variant":
        """Every stage for one short epoch."""
        return replace(self, stages=tuple(replace(stage, schedule=replace(stage.schedule, epochs=1, batch=32))
                                          for stage in self.stages))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A float network on a data set, and the networks that it is made into.

    Parameters
    ----------
    data, model : names in `data.LOADERS` and `models.MODELS`.
    dense : schedule of the float training, or None where there is none, beyond the ``weights`` that travel with Lutra:
        a file in the folder of that name.
    variants : networks by name.
    calibration : training inputs that scales, centroids and tables are fitted on.
    limits : inputs of the training and test set that are used at all, or None for the whole set.
    """

    name: str
    data: str
    model: str
    dense: Schedule | None = None
    weights: str | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    calibration: int = 1024
    limits: tuple[int, int] | None = None

    def tiny(self) -> "Recipe":
        """The whole path on a few inputs in about a minute; its scores mean nothing."""
        return replace(self, calibration=64, limits=(256, 64),
                       dense=self.dense and replace(self.dense, epochs=1, batch=32),
                       variants={name: variant.tiny() for name, variant in self.variants.items()})


STEM = {"stem": 1}  # one channel of one pixel: longer sub-vectors of an image cost most of all
LUT_NN = "accuracy 66 to 92 percentage points above MADDNESS, similar to the original models (MobiCom 2023)"
LUT_DLA = "accuracy drop of convolutional networks {} (HPCA 2025)"
MADDNESS = "66 to 92 percentage points below LUT-NN, which says so (MobiCom 2023)"
INT8 = Variant(options={"scheme": "int8"})
TUNED = Schedule(epochs=4, rate=0.0007, batch=64, decay=0.0, warmup=0.1)
KERNEL_ROWS = STEM | {f"block{block}.{part}": 3 for block in (1, 2, 3) for part in ("first", "second")}
CENTROIDS = replace(TUNED, epochs=1, rate=0.0002)
FEW = Schedule(epochs=2, rate=0.001, batch=64, decay=0.0, warmup=0.1)  # for weights of one or two bits
SHORT = replace(FEW, epochs=1)                                         # where conversion loses little
WEIGHTS = {
    "lut-tc-w4": Variant(options={"scheme": "lut-tc", "bits": 4}, stages=(Stage(schedule=SHORT),)),
    "lut-tc-w2": Variant(options={"scheme": "lut-tc", "bits": 2}, stages=(Stage(schedule=FEW),)),
    "lut-tc-w1": Variant(options={"scheme": "lut-tc", "bits": 1}, stages=(Stage(schedule=FEW),)),
    "vec-lut": Variant(options={"scheme": "vec-lut", "group": 4}, stages=(Stage(schedule=FEW),)),
    "dln": Variant(options={"scheme": "dln", "levels": 33}, stages=(Stage(schedule=replace(SHORT, rate=0.0003)),),
                   claim="no number in its abstract")}


def tables(lengths: Mapping[str, int], *, epochs: int) -> dict[str, Variant]:
    """LUT-DLA with its cheap metrics, and MADDNESS's trees; all parameters together learn for so many epochs.

    LUT-DLA is trained in the stages of its LUTBoost: conversion, centroids by the layers' own errors too, everything.
    """
    all_together = Stage(schedule=replace(TUNED, epochs=epochs))
    centroids = Stage(schedule=CENTROIDS, learns=("centroids", "log_sharpness"), reconstruct=0.1)
    drops = {Metric.L1: "0.1 to 3.4 %", Metric.CHEBYSHEV: "0.1 to 3.8 %"}
    found = {f"lut-dla-{metric}": Variant(options={"scheme": "lut-dla", "metric": metric, "lengths": lengths},
                                          stages=(centroids, all_together), claim=LUT_DLA.format(drop))
             for metric, drop in drops.items()}
    return found | {"maddness": Variant(options={"scheme": "lut-dla", "metric": Metric.TREE, "lengths": lengths},
                                        stages=(all_together,), claim=MADDNESS)}


RECIPES = {recipe.name: recipe for recipe in (
    Recipe(name="fashion-resnet8", data="fashion-mnist", model="resnet8",
           dense=Schedule(epochs=12, rate=0.008, shift=2),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "lengths": STEM}, real=True,
                                       stages=(Stage(schedule=TUNED),), claim=LUT_NN),
                     **tables(STEM, epochs=1), **WEIGHTS}),
    Recipe(name="cifar10-resnet8", data="cifar10", model="resnet8", dense=Schedule(epochs=60, rate=0.008, shift=4),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "lengths": KERNEL_ROWS},
                                       stages=(Stage(schedule=TUNED),), claim=LUT_NN),
                     **tables(KERNEL_ROWS, epochs=1), **WEIGHTS}),
    Recipe(name="cifar10-resnet20", data="cifar10-normalised", model="resnet20",
           weights="resnet20-cifar10.safetensors", variants={"int8": INT8}),
)}

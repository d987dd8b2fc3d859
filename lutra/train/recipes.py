"""Named recipes: what a network is trained on, for how long, and into which lookup networks it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
    """

    options: Mapping[str, Any]
    stages: tuple[Stage, ...] = ()
    claim: str = ""

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
    dense : schedule of the float training.
    variants : networks by name.
    calibration : training inputs that scales, centroids and tables are fitted on.
    limits : inputs of the training and test set that are used at all, or None for the whole set.
    """

    name: str
    data: str
    model: str
    dense: Schedule
    variants: Mapping[str, Variant] = field(default_factory=dict)
    calibration: int = 1024
    limits: tuple[int, int] | None = None

    def tiny(self) -> "Recipe":
        """The whole path on a few inputs in about a minute; its scores mean nothing."""
        return replace(self, calibration=64, limits=(256, 64), dense=replace(self.dense, epochs=1, batch=32),
                       variants={name: variant.tiny() for name, variant in self.variants.items()})


INT8 = Variant(options={"scheme": "int8"})
TUNED = Schedule(epochs=4, rate=0.0007, batch=64, decay=0.0, warmup=0.1)
NONLINEAR = "no loss on GLUE with softmax, GELU and LayerNorm by 16 segments (RoBERTa-base)"

RECIPES = {recipe.name: recipe for recipe in (
    Recipe(name="fashion-resnet8", data="fashion-mnist", model="resnet8",
           dense=Schedule(epochs=12, rate=0.008, shift=2),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "lengths": {"stem": 1}},
                                       stages=(Stage(schedule=TUNED),))}),
    Recipe(name="cifar10-resnet8", data="cifar10", model="resnet8", dense=Schedule(epochs=60, rate=0.008, shift=4),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "lengths": {"stem": 1}},
                                       stages=(Stage(schedule=replace(TUNED, epochs=12)),))}),
    Recipe(name="film-reviews-minilm2", data="film-reviews", model="minilm-2", calibration=256,
           dense=Schedule(epochs=2, rate=1e-4, batch=32, warmup=0.1),
           variants={"int8": INT8,
                     "nn-lut": Variant(options={"scheme": "int8", "functions": True},
                                       claim=NONLINEAR),
                     "nn-lut-calibrated": Variant(options={"scheme": "int8", "functions": True, "calibrated": True},
                                                  claim=NONLINEAR),
                     **{f"lut-tc-w{bits}": Variant(options={"scheme": "lut-tc", "bits": bits, "refine": False,
                                                            "functions": True}) for bits in (8, 4)},
                     "lut-nn-qk": Variant(options={"scheme": "int8", "functions": True,
                                                   "schemes": {"*.query": "lut-nn", "*.key": "lut-nn"}})}),
)}

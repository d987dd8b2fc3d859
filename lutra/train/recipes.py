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
    Recipe(name="spoken-digits", data="spoken-digits", model="spoken-digits",
           dense=Schedule(epochs=15, rate=0.005, batch=64),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn"},
                                       stages=(Stage(schedule=replace(TUNED, epochs=15, rate=0.002)),))}),
    Recipe(name="espcn-x2", data="pictures", model="espcn", calibration=16,
           dense=Schedule(epochs=12, rate=0.005, batch=16, decay=0.0),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "schemes": {"first": "int8"}, "lengths": 1})}),
    Recipe(name="points", data="points", model="pointnet", calibration=256,
           dense=Schedule(epochs=10, rate=0.005, batch=64),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "lengths": {
                         "first": 1, "second": 2, "third": 2, "fourth": 2, "classifier": 2}},
                                       stages=(Stage(schedule=replace(TUNED, epochs=2)),))}),
)}

"""What a recipe says: what a network is trained on, for how long, and into which lookup networks it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..loop import Schedule

__all__ = ["Recipe", "Stage", "Variant"]


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

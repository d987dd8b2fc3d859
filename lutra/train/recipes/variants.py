"""Variants that several recipes have: every scheme with the schedule that suits it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lutra_model.params import Metric

from ..loop import Schedule
from .base import Stage, Variant

__all__ = ["CENTROID_TAPS", "INT8", "LUT_NN", "MADDNESS", "TREE_WINDOWS", "TUNED", "centroid_pairs", "converted",
           "tables", "weights"]

LUT_NN = "accuracy 66 to 92 percentage points above MADDNESS, similar to the original models (MobiCom 2023)"
LUT_DLA = "accuracy drop of convolutional networks {} (HPCA 2025)"
MADDNESS = "66 to 92 percentage points below LUT-NN, which says so (MobiCom 2023)"
INT8 = Variant(options={"scheme": "int8"})
TUNED = Schedule(epochs=4, rate=0.0007, batch=64, decay=0.0, warmup=0.1)
CENTROID_TAPS = {"lengths": {"stem": 1}}  # the nine taps of a channel; of the image, one channel of one pixel
TREE_WINDOWS = {  # trees over all nine taps of a channel: an array forms a whole window in a cycle
    "scheme": "lut-dla", "metric": Metric.TREE,
    "lengths": {"stem": 9, "block2.shortcut": 1, "block3.shortcut": 2, "classifier": 4}}
CENTROIDS = replace(TUNED, epochs=1, rate=0.0002)
FEW = Schedule(epochs=2, rate=0.001, batch=64, decay=0.0, warmup=0.1)  # for weights of one or two bits
SHORT = replace(FEW, epochs=1)                                         # where conversion loses little


def centroid_pairs(blocks: int) -> dict[str, Any]:
    """Pairs of channels in the 3x3 convolutions of so many blocks; the rest multiplies."""
    return {"by_tap": True,
            "lengths": {f"block{block}.{part}": 2 for block in range(1, blocks + 1) for part in ("first", "second")},
            "schemes": {"stem": "int8", "*.shortcut": "int8", "classifier": "int8"}}


def converted(variants: Mapping[str, Variant], *names: str) -> dict[str, Variant]:
    """Those of the variants, by conversion alone."""
    return {name: replace(variants[name], stages=()) for name in names}


def weights(*, shift: int) -> dict[str, Variant]:
    """Weights of few bits in every lookup scheme; images are flipped and shifted by up to ``shift`` pixels."""
    few, short = ((Stage(schedule=replace(schedule, shift=shift)),) for schedule in (FEW, SHORT))
    return {"lut-tc-w4": Variant(options={"scheme": "lut-tc", "bits": 4}, stages=short),
            "lut-tc-w2": Variant(options={"scheme": "lut-tc", "bits": 2}, stages=few),
            "lut-tc-w1": Variant(options={"scheme": "lut-tc", "bits": 1}, stages=few),
            "vec-lut": Variant(options={"scheme": "vec-lut", "group": 4}, stages=(Stage(schedule=FEW),)),
            "dln": Variant(options={"scheme": "dln", "levels": 33, "schemes": {"classifier": "int8"}},
                           claim="no number in its abstract")}


def tables(options: Mapping[str, Any], *, epochs: int, shift: int, rate: float = TUNED.rate) -> dict[str, Variant]:
    """LUT-DLA with its cheap metrics, and MADDNESS's trees; all parameters together learn for so many epochs.

    LUT-DLA is trained in the stages of its LUTBoost: conversion, centroids by the layers' own errors too, everything.
    """
    all_together = Stage(schedule=replace(TUNED, epochs=epochs, rate=rate, shift=shift))
    slow = replace(CENTROIDS, rate=min(CENTROIDS.rate, rate), shift=shift)
    centroids = Stage(schedule=slow, learns=("centroids", "log_sharpness"), reconstruct=0.1)
    drops = {Metric.L1: "0.1 to 3.4 %", Metric.CHEBYSHEV: "0.1 to 3.8 %"}
    found = {f"lut-dla-{metric}": Variant(options={"scheme": "lut-dla", "metric": metric, **options},
                                          stages=(centroids, all_together), claim=LUT_DLA.format(drop))
             for metric, drop in drops.items()}
    return found | {"maddness": Variant(options={"scheme": "lut-dla", "metric": Metric.TREE, **options},
                                        stages=(all_together,), claim=MADDNESS)}

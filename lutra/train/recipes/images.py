"""Classification of images: Fashion-MNIST and CIFAR-10."""

from dataclasses import replace

from ..loop import Schedule
from .base import Recipe, Stage, Variant
from .variants import (
    CENTROID_TAPS,
    INT8,
    LUT_NN,
    MADDNESS,
    TREE_WINDOWS,
    TUNED,
    centroid_pairs,
    converted,
    tables,
    weights,
)

__all__ = ["IMAGES"]

PAIRS = centroid_pairs(blocks=3)
CHEAP_PAIRS = tables(PAIRS, epochs=1, shift=4, rate=0.0001)
IMAGES = (
    Recipe(name="fashion-resnet8", data="fashion-mnist", model="resnet8",
           dense=Schedule(epochs=12, rate=0.008, shift=2),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", **CENTROID_TAPS}, real=True,
                                       stages=(Stage(schedule=TUNED),), claim=LUT_NN),
                     **tables(CENTROID_TAPS, epochs=1, shift=2), **weights(shift=2)}),
    Recipe(name="cifar10-resnet8", data="cifar10", model="resnet8", dense=Schedule(epochs=60, rate=0.008, shift=4),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", **PAIRS}, claim=LUT_NN,
                                       stages=(Stage(schedule=replace(TUNED, epochs=1, rate=0.0001, shift=4)),)),
                     "maddness-windows": Variant(options=TREE_WINDOWS, claim=MADDNESS,
                                                 stages=(Stage(schedule=replace(TUNED, epochs=3, shift=4)),)),
                     **CHEAP_PAIRS, **converted(CHEAP_PAIRS, "lut-dla-l1", "lut-dla-chebyshev"),
                     **weights(shift=4)}),
    Recipe(name="cifar10-resnet20", data="cifar10-normalised", model="resnet20",
           weights="resnet20-cifar10.safetensors",
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", **centroid_pairs(blocks=9)}, claim=LUT_NN),
                     **converted(weights(shift=4), "dln", "lut-tc-w4")}),
)

"""Speech, pictures made larger, point clouds."""

from dataclasses import replace

from ..loop import Schedule
from .base import Recipe, Stage, Variant
from .variants import INT8, LUT_NN, TUNED

__all__ = ["OTHERS"]

OTHERS = (
    Recipe(name="spoken-digits", data="spoken-digits", model="spoken-digits",
           dense=Schedule(epochs=15, rate=0.005, batch=64),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn"}, claim=LUT_NN,
                                       stages=(Stage(schedule=replace(TUNED, epochs=15, rate=0.002)),))}),
    Recipe(name="espcn-x2", data="pictures", model="espcn", calibration=16,
           dense=Schedule(epochs=12, rate=0.005, batch=16, decay=0.0),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "schemes": {"first": "int8"}, "lengths": 1})}),
    Recipe(name="points", data="points", model="pointnet", calibration=256,
           dense=Schedule(epochs=10, rate=0.005, batch=64),
           variants={"int8": INT8,
                     "lut-nn": Variant(options={"scheme": "lut-nn", "lengths": {
                         "first": 1, "second": 2, "third": 2, "fourth": 2, "classifier": 2}}, claim=LUT_NN,
                                       stages=(Stage(schedule=replace(TUNED, epochs=2)),))}),
)

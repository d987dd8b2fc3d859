"""Classification of text by the first blocks of a transformer encoder."""

from ..loop import Schedule
from .base import Recipe, Variant
from .variants import INT8

__all__ = ["TEXT"]

NONLINEAR = "no loss on GLUE with softmax, GELU and LayerNorm by 16 segments (RoBERTa-base)"

TEXT = (
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
)

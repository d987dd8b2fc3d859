"""Schemes that a float network can be converted to. A new one is a class of its own here."""

from .base import Layer, Options, Scheme
from .dln import Dln
from .few_bits import FEW_BITS
from .int8 import Int8
from .lut_dla import LutDLA
from .lut_nn import LutNN, sub_vector_length
from .lut_tc import BIT_PLANES
from .vec_lut import VecLut

__all__ = ["SCHEMES", "Layer", "Options", "Scheme", "scheme_of", "sub_vector_length"]

SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (
    LutNN(), LutDLA(), Dln(), *BIT_PLANES, VecLut(), Int8(), *FEW_BITS)}


def scheme_of(name: str) -> Scheme:
    """The scheme of that name; ``ValueError`` for an unknown one."""
    if name not in SCHEMES:
        raise ValueError(f"scheme must be {', '.join(SCHEMES)}, not {name}")
    return SCHEMES[name]

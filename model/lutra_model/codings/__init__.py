"""Codings: a scheme's part of a product layer. A new one is a class of its own here."""

from .base import Coding, sub_vectors
from .bit_planes import BitPlanes
from .levels import Levels
from .nearest import Nearest
from .plain import Plain, SignFlip
from .tree import Tree
from .trits import Trits

__all__ = ["CODINGS", "BitPlanes", "Coding", "Levels", "Nearest", "Plain", "SignFlip", "Tree", "Trits", "sub_vectors"]

CODINGS: dict[str, type[Coding]] = {
    coding.kind: coding for coding in (BitPlanes, Levels, Nearest, Plain, SignFlip, Tree, Trits)}

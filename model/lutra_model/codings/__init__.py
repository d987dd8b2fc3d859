"""Codings: a scheme's part of a product layer. A new one is a class of its own here."""

from .base import Coding, sub_vectors
from .nearest import Nearest
from .plain import Plain, SignFlip
from .trits import Trits

__all__ = ["CODINGS", "Coding", "Nearest", "Plain", "SignFlip", "Trits", "sub_vectors"]

CODINGS: dict[str, type[Coding]] = {coding.kind: coding for coding in (Nearest, Plain, SignFlip, Trits)}

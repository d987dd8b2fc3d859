"""Proofs: cells that compute what they say, streams that keep their rules, buffers that lose nothing."""

from .catalogue import PROOFS, Proof
from .prove import Disproved, Statement, Verdict, prove

__all__ = ["PROOFS", "Disproved", "Proof", "Statement", "Verdict", "prove"]
